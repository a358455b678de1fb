// SPDX-License-Identifier: Apache-2.0
#include "emulator/patch.h"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace spotkeeper::emulator {
namespace {

// "/a~1b/0" taken apart; nullopt when it is no pointer.
std::optional<std::vector<std::string>> parse_pointer(const std::string& pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer.front() != '/') return std::nullopt;
  std::string token;
  for (size_t i = 1; i <= pointer.size(); ++i) {
    if (i == pointer.size() || pointer[i] == '/') {
      tokens.push_back(std::exchange(token, {}));
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      token += pointer[++i] == '1' ? '/' : '~';
    } else {
      token += pointer[i];
    }
  }
  return tokens;
}

std::optional<size_t> parse_index(const std::string& token) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return index;
}

json::value* step(json::value* at, const std::string& token) {
  if (json::object* object = at->if_object()) return object->if_contains(token);
  json::array* array = at->if_array();
  const auto index = parse_index(token);
  return array != nullptr && index && *index < array->size() ? &(*array)[*index] : nullptr;
}

json::value* resolve(json::value& root, const std::vector<std::string>& tokens, size_t count) {
  json::value* at = &root;
  for (size_t i = 0; i < count && at != nullptr; ++i) at = step(at, tokens[i]);
  return at;
}

bool add(json::value& root, const std::vector<std::string>& tokens, json::value value) {
  if (tokens.empty()) {
    root = std::move(value);
    return true;
  }
  json::value* parent = resolve(root, tokens, tokens.size() - 1);
  if (parent == nullptr) return false;
  const std::string& last = tokens.back();
  if (json::object* object = parent->if_object()) {
    (*object)[last] = std::move(value);
    return true;
  }
  json::array* array = parent->if_array();
  if (array == nullptr) return false;
  const auto index = last == "-" ? std::optional(array->size()) : parse_index(last);
  if (!index || *index > array->size()) return false;
  array->insert(array->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
  return true;
}

bool remove(json::value& root, const std::vector<std::string>& tokens) {
  if (tokens.empty()) return false;
  json::value* parent = resolve(root, tokens, tokens.size() - 1);
  if (parent == nullptr || step(parent, tokens.back()) == nullptr) return false;
  if (json::object* object = parent->if_object()) {
    object->erase(tokens.back());
  } else {
    json::array& array = parent->get_array();
    array.erase(array.begin() + static_cast<std::ptrdiff_t>(*parse_index(tokens.back())));
  }
  return true;
}

bool apply_operation(json::value& root, const json::value& operation) {
  const std::string op = text_at(operation, {"op"});
  const auto path = parse_pointer(text_at(operation, {"path"}));
  const auto from = parse_pointer(text_at(operation, {"from"}));
  const json::object* object = operation.if_object();
  if (object == nullptr || !path || !from) return false;
  const json::value* value = object->if_contains("value");
  if (op == "add") return value != nullptr && add(root, *path, *value);
  if (op == "remove") return remove(root, *path);
  if (op == "replace") {
    json::value* target = resolve(root, *path, path->size());
    if (target == nullptr || value == nullptr) return false;
    *target = *value;
    return true;
  }
  if (op == "test") {
    const json::value* target = resolve(root, *path, path->size());
    return target != nullptr && value != nullptr && *target == *value;
  }
  const json::value* source = resolve(root, *from, from->size());
  if (source == nullptr || (op != "copy" && op != "move")) return false;
  json::value moved = *source;
  if (op == "move" && !remove(root, *from)) return false;
  return add(root, *path, std::move(moved));
}

}  // namespace

void merge_patch(json::value& target, const json::value& patch) {
  const json::object* changes = patch.if_object();
  if (changes == nullptr) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  for (const auto& [key, change] : *changes) {
    if (change.is_null()) {
      target.get_object().erase(key);
    } else {
      merge_patch(target.get_object()[key], change);
    }
  }
}

Result<void> json_patch(json::value& target, const json::value& patch) {
  const json::array* operations = patch.if_array();
  if (operations == nullptr) return permanent("a JSON patch is a list of operations");
  json::value changed = target;
  for (const json::value& operation : *operations) {
    if (!apply_operation(changed, operation)) {
      return permanent("the server rejected our request due to an error in our request");
    }
  }
  target = std::move(changed);
  return {};
}

Result<void> apply_patch(PatchKind kind, json::value& target, const json::value& patch) {
  if (kind == PatchKind::kJson) return json_patch(target, patch);
  if (!patch.is_object()) return permanent("a merge patch is an object");
  if (kind == PatchKind::kMerge) {
    merge_patch(target, patch);
  } else {
    strategic_patch(target, patch);
  }
  return {};
}

}  // namespace spotkeeper::emulator
