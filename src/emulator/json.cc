// SPDX-License-Identifier: Apache-2.0
#include "emulator/json.h"

namespace spotkeeper::emulator {

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

std::string text(const json::value& value) {
  const json::string* found = value.if_string();
  return found == nullptr ? std::string() : std::string(found->data(), found->size());
}

std::string text_at(const json::value& root, Path path) {
  const json::value* at = find(root, path);
  return at == nullptr ? std::string() : text(*at);
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

std::vector<std::string> texts_at(const json::value& root, Path path) {
  std::vector<std::string> found;
  if (const json::array* array = find_array(root, path)) {
    for (const json::value& item : *array) found.push_back(text(item));
  }
  return found;
}

json::object& child(json::object& object, std::string_view key) {
  json::value& value = object[key];
  if (!value.is_object()) value = json::object();
  return value.get_object();
}

}  // namespace spotkeeper::emulator
