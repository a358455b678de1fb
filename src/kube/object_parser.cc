// SPDX-License-Identifier: Apache-2.0
#include "kube/object_parser.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <utility>

#include "kube/pruned_stack.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;
using Code = json::error_code;
using Text = json::string_view;

constexpr size_t kDeepest = 100;  // as in lists

// What basic_parser tells of the text goes to the stack.
struct Handler {
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  template <class... Args>
  bool to(void (PrunedStack::*push)(Args...), std::type_identity_t<Args>... args) {
    (stack.*push)(args...);
    return true;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return to(&PrunedStack::begin_object); }
  bool on_object_end(size_t size, Code&) { return to(&PrunedStack::push_object, size); }
  bool on_array_begin(Code&) { return to(&PrunedStack::begin_array); }
  bool on_array_end(size_t size, Code&) { return to(&PrunedStack::push_array, size); }
  bool on_key_part(Text text, size_t, Code&) { return to(&PrunedStack::push_key_part, text); }
  bool on_key(Text text, size_t, Code&) { return to(&PrunedStack::push_key, text); }
  bool on_string_part(Text text, size_t, Code&) { return to(&PrunedStack::push_chars, text); }
  bool on_string(Text text, size_t, Code&) { return to(&PrunedStack::push_string, text); }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(int64_t number, Text, Code&) { return to(&PrunedStack::push_int64, number); }
  bool on_uint64(uint64_t number, Text, Code&) { return to(&PrunedStack::push_uint64, number); }
  bool on_double(double number, Text, Code&) { return to(&PrunedStack::push_double, number); }
  bool on_bool(bool flag, Code&) { return to(&PrunedStack::push_bool, flag); }
  bool on_null(Code&) { return to(&PrunedStack::push_null); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  PrunedStack stack;
};

}  // namespace

struct ObjectParser::Impl {
  json::basic_parser<Handler> parser{{.max_depth = kDeepest}};
};

ObjectParser::ObjectParser() : impl_(std::make_unique<Impl>()) {}
ObjectParser::~ObjectParser() = default;

std::optional<json::value> ObjectParser::parse(std::string_view text, json::storage_ptr memory) {
  auto& parser = impl_->parser;
  PrunedStack& stack = parser.handler().stack;
  parser.reset();
  stack.reset(std::move(memory));
  Code code;
  const size_t used = parser.write_some(false, text.data(), text.size(), code);
  std::optional<json::value> value;
  if (!code && used == text.size()) value.emplace(stack.release());
  stack.reset();  // nothing of it stays in that memory
  return value;
}

}  // namespace spotkeeper::kube
