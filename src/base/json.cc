// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

namespace spotkeeper {

namespace json = boost::json;

const json::value* find(const json::value& root, Path path) {
  const json::value* at = &root;
  for (const std::string_view key : path) {
    const json::object* object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains(key);
    if (at == nullptr || at->is_null()) return nullptr;
  }
  return at;
}

const json::object* find_object(const json::value& root, Path path) {
  const json::value* at = find(root, path);
  return at == nullptr ? nullptr : at->if_object();
}

const json::array* find_array(const json::value& root, Path path) {
  const json::value* at = find(root, path);
  return at == nullptr ? nullptr : at->if_array();
}

std::string text_at(const json::value& root, Path path) {
  const json::value* at = find(root, path);
  const json::string* text = at == nullptr ? nullptr : at->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

bool flag_at(const json::value& root, Path path) {
  const json::value* at = find(root, path);
  const bool* flag = at == nullptr ? nullptr : at->if_bool();
  return flag != nullptr && *flag;
}

std::optional<int64_t> maybe_number_at(const json::value& root, Path path) {
  const json::value* at = find(root, path);
  if (at == nullptr || !at->is_number()) return std::nullopt;
  boost::system::error_code failed;
  const auto number = at->to_number<int64_t>(failed);
  if (failed) return std::nullopt;
  return number;
}

int64_t number_at(const json::value& root, Path path, int64_t otherwise) {
  return maybe_number_at(root, path).value_or(otherwise);
}

}  // namespace spotkeeper
