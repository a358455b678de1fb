// SPDX-License-Identifier: Apache-2.0
// Builds a JSON value from what a parser tells, like boost::json::value_stack, without what nobody
// here reads: the entries of "managedFields", half of most objects; the member itself is an empty
// array. Only arrays are pruned: a label of that name is a string.
// Source: Kubernetes API concepts, "Server-Side Apply", field management.
#pragma once

#include <algorithm>
#include <boost/json/value_stack.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace spotkeeper::kube {

class PrunedStack {
 public:
  using Text = boost::json::string_view;

  // For another value, whose memory comes from there.
  void reset(boost::json::storage_ptr memory = {}) {
    stack_.reset(std::move(memory));
    left_out_ = 0;
    part_.clear();
    managed_ = false;
  }
  boost::json::value release() { return stack_.release(); }

  void begin_object() {
    if (left_out_ > 0) ++left_out_;
    managed_ = false;
  }
  void begin_array() {
    if (left_out_ > 0 || managed_) ++left_out_;
    managed_ = false;
  }
  void push_object(size_t size) {
    if (left_out_ > 0) {
      --left_out_;
    } else {
      stack_.push_object(size);
    }
  }
  void push_array(size_t size) {
    if (left_out_ == 0) {
      stack_.push_array(size);
    } else if (--left_out_ == 0) {
      stack_.push_array(0);
    }
  }

  void push_key_part(Text text) {
    part_ += text.substr(0, kPruned.size() + 1 - std::min(part_.size(), kPruned.size() + 1));
    if (left_out_ == 0) stack_.push_chars(text);
  }
  void push_key(Text text) {
    managed_ = part_.empty() ? text == kPruned : part_ + std::string(text) == kPruned;
    part_.clear();
    if (left_out_ == 0) stack_.push_key(text);
  }
  void push_chars(Text text) {
    if (left_out_ == 0) stack_.push_chars(text);
  }
  void push_string(Text text) {
    if (is_kept()) stack_.push_string(text);
  }
  void push_int64(int64_t number) {
    if (is_kept()) stack_.push_int64(number);
  }
  void push_uint64(uint64_t number) {
    if (is_kept()) stack_.push_uint64(number);
  }
  void push_double(double number) {
    if (is_kept()) stack_.push_double(number);
  }
  void push_bool(bool flag) {
    if (is_kept()) stack_.push_bool(flag);
  }
  void push_null() {
    if (is_kept()) stack_.push_null();
  }

 private:
  bool is_kept() {
    managed_ = false;
    return left_out_ == 0;
  }

  static constexpr std::string_view kPruned = "managedFields";

  boost::json::value_stack stack_;
  int left_out_ = 0;      // containers that are open within what is left out, its array among them
  std::string part_;      // of a key, as far as it matters
  bool managed_ = false;  // what comes is the value of such a member
};

}  // namespace spotkeeper::kube
