// SPDX-License-Identifier: Apache-2.0
#include "emulator/json.h"

namespace spotkeeper::emulator {

std::string text(const json::value& value) {
  const json::string* found = value.if_string();
  return found == nullptr ? std::string() : std::string(found->data(), found->size());
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
