// SPDX-License-Identifier: Apache-2.0
#include "kube/list_parser.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <utility>

#include "base/json.h"
#include "kube/pruned_stack.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;
using Code = json::error_code;
using Text = json::string_view;

// Objects nest deeper than boost::json's usual 32 where they keep managedFields.
constexpr size_t kDeepest = 100;

// What basic_parser tells of the text. Values outside of "items" go to one stack and become the
// envelope; those of the object being read go to another. False ends the parsing.
class Handler {
 public:
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  Handler(size_t largest, ListParser::Sink sink) : sink_(std::move(sink)), largest_(largest) {}

  json::value release() { return envelope_.release(); }
  bool envelope_too_large() const { return envelope_size_ > largest_; }

  bool on_document_begin(Code& /*code*/) { return true; }
  bool on_document_end(Code& /*code*/) { return true; }
  bool on_object_begin(Code& code) {
    if (!begin(1, code)) return false;
    if (kept()) stack().begin_object();
    return opened();
  }
  bool on_array_begin(Code& code) {
    if (!in_object_ && depth_ == 1 && key_ == "items") {
      in_items_ = true;
      return opened();
    }
    if (!begin(1, code)) return false;
    if (kept()) stack().begin_array();
    return opened();
  }
  bool on_object_end(size_t size, Code& /*code*/) {
    if (kept()) stack().push_object(size);
    return closed();
  }
  bool on_array_end(size_t size, Code& /*code*/) {
    if (in_items_ && !in_object_) {
      in_items_ = false;
      envelope_.push_array(0);  // its objects went elsewhere
      return closed();
    }
    if (kept()) stack().push_array(size);
    return closed();
  }
  bool on_key_part(Text text, size_t /*size*/, Code& code) {
    if (!count(text.size(), code)) return false;
    if (kept()) stack().push_key_part(text);
    if (names_member()) key_part_ += text;
    return true;
  }
  bool on_key(Text text, size_t /*size*/, Code& code) {
    if (!count(text.size(), code)) return false;
    if (kept()) stack().push_key(text);
    if (names_member()) {
      key_ = std::exchange(key_part_, {});
      key_ += text;
    }
    return true;
  }
  bool on_string_part(Text text, size_t /*size*/, Code& code) {
    if (!begin(text.size(), code)) return false;
    if (kept()) stack().push_chars(text);
    return true;
  }
  bool on_string(Text text, size_t /*size*/, Code& code) {
    if (!begin(text.size() + 1, code)) return false;
    if (kept()) stack().push_string(text);
    return ended();
  }
  bool on_number_part(Text text, Code& code) { return begin(text.size(), code); }
  bool on_int64(int64_t number, Text text, Code& code) {
    if (!begin(text.size() + 1, code)) return false;
    if (kept()) stack().push_int64(number);
    return ended();
  }
  bool on_uint64(uint64_t number, Text text, Code& code) {
    if (!begin(text.size() + 1, code)) return false;
    if (kept()) stack().push_uint64(number);
    return ended();
  }
  bool on_double(double number, Text text, Code& code) {
    if (!begin(text.size() + 1, code)) return false;
    if (kept()) stack().push_double(number);
    return ended();
  }
  bool on_bool(bool flag, Code& code) {
    if (!begin(5, code)) return false;
    if (kept()) stack().push_bool(flag);
    return ended();
  }
  bool on_null(Code& code) {
    if (!begin(5, code)) return false;
    if (kept()) stack().push_null();
    return ended();
  }
  bool on_comment_part(Text /*text*/, Code& /*code*/) { return true; }
  bool on_comment(Text /*text*/, Code& /*code*/) { return true; }

 private:
  PrunedStack& stack() { return in_object_ ? object_ : envelope_; }
  // Whether what comes is kept: all but the rest of an object that is too large.
  bool kept() const { return !in_object_ || !too_large_; }
  bool names_member() const { return !in_object_ && depth_ == 1; }

  // A value begins, or goes on; in the list of items it is the next object. It counts as its
  // characters and one more, in however many parts it comes.
  bool begin(size_t size, Code& code) {
    if (in_items_ && !in_object_) {
      in_object_ = true;
      too_large_ = false;
      object_size_ = 0;
      object_depth_ = depth_;
      object_.reset();
    }
    return count(size, code);
  }

  bool count(size_t size, Code& code) {
    if (!in_object_) {
      envelope_size_ += size;
      if (!envelope_too_large()) return true;
      code = json::make_error_code(json::error::array_too_large);
      return false;
    }
    object_size_ += size;
    if (object_size_ > largest_ && !too_large_) {
      too_large_ = true;
      object_.reset();  // frees what was read of it
    }
    return true;
  }

  bool opened() {
    ++depth_;
    return true;
  }
  bool closed() {
    --depth_;
    return ended();
  }

  // A value is complete; it may be the object.
  bool ended() {
    if (!in_object_ || depth_ != object_depth_) return true;
    in_object_ = false;
    if (too_large_) {
      sink_.left_out(
          Error{.message = "an object of more than " + std::to_string(largest_) + " bytes",
                .reason = {}});
    } else {
      sink_.object(object_.release());
    }
    return true;
  }

  ListParser::Sink sink_;
  size_t largest_;
  PrunedStack envelope_;
  PrunedStack object_;
  size_t envelope_size_ = 0;
  size_t object_size_ = 0;
  int depth_ = 0;         // containers that are open
  int object_depth_ = 0;  // depth_ where the object began
  bool in_items_ = false;
  bool in_object_ = false;
  bool too_large_ = false;
  std::string key_;  // the member of the envelope that is being read
  std::string key_part_;
};

}  // namespace

struct ListParser::Impl {
  Impl(size_t largest, Sink sink) : parser({.max_depth = kDeepest}, largest, std::move(sink)) {}

  json::basic_parser<Handler> parser;
};

ListParser::ListParser(size_t largest, Sink sink)
    : impl_(std::make_unique<Impl>(largest, std::move(sink))) {}
ListParser::~ListParser() = default;

Result<void> ListParser::add(std::string_view piece) {
  Code code;
  const size_t used = impl_->parser.write_some(true, piece.data(), piece.size(), code);
  if (!code && used == piece.size()) return {};
  return retryable(impl_->parser.handler().envelope_too_large() ? "the answer is not a list"
                                                                : "the answer is not JSON");
}

Result<ListHead> ListParser::finish() {
  Code code;
  impl_->parser.write_some(false, nullptr, 0, code);
  if (code || !impl_->parser.done()) return retryable("the answer is not JSON");
  const json::value envelope = impl_->parser.handler().release();
  ListHead head{.version = text_at(envelope, {"metadata", "resourceVersion"}),
                .next = text_at(envelope, {"metadata", "continue"})};
  const json::object* list = envelope.if_object();
  const json::value* items = list == nullptr ? nullptr : list->if_contains("items");  // may be null
  if (head.version.empty() || items == nullptr || !(items->is_array() || items->is_null())) {
    return retryable("the answer is not a list");
  }
  return head;
}

}  // namespace spotkeeper::kube
