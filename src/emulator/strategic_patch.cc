// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>
#include <utility>

#include "emulator/patch.h"

namespace spotkeeper::emulator {
namespace {

struct MergeKey {
  std::string_view list;
  std::string_view key;
};

// patchMergeKey of the lists that the emulated kinds have. Taints and tolerations have none: they
// are replaced as a whole.
constexpr MergeKey kMergeKeys[] = {{"conditions", "type"},
                                   {"ownerReferences", "uid"},
                                   {"containers", "name"},
                                   {"initContainers", "name"},
                                   {"containerPorts", "containerPort"},
                                   {"volumes", "name"},
                                   {"volumeMounts", "mountPath"},
                                   {"env", "name"},
                                   {"addresses", "type"},
                                   {"topologySpreadConstraints", "topologyKey"},
                                   {"imagePullSecrets", "name"}};

constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";
constexpr std::string_view kSetOrder = "$setElementOrder/";

std::string_view merge_key(std::string_view list, const json::array& items) {
  if (list == "ports") {
    const bool of_container =
        !items.empty() && items[0].is_object() && items[0].get_object().contains("containerPort");
    return of_container ? "containerPort" : "port";
  }
  const auto* found = std::ranges::find(kMergeKeys, list, &MergeKey::list);
  return found == std::end(kMergeKeys) ? std::string_view() : found->key;
}

const json::value* directive(const json::value& value) {
  const json::object* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains("$patch");
}

bool says(const json::value& value, std::string_view what) {
  const json::value* found = directive(value);
  return found != nullptr && text(*found) == what;
}

// The same value without directives, as it is stored.
json::value plain(const json::value& value) {
  if (const json::array* array = value.if_array()) {
    json::array items;
    for (const json::value& item : *array) {
      if (directive(item) == nullptr) items.push_back(plain(item));
    }
    return items;
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return value;
  json::object kept;
  for (const auto& [key, item] : *object) {
    if (!std::string_view(key).starts_with('$') && !item.is_null()) kept[key] = plain(item);
  }
  return kept;
}

void merge_list(json::array& target, const json::array& patch, std::string_view key) {
  const bool replace =
      std::ranges::any_of(patch, [](const json::value& item) { return says(item, "replace"); });
  if (replace) target.clear();
  for (const json::value& item : patch) {
    const json::value* id = find(item, {key});
    if (id == nullptr) continue;  // a directive alone
    auto* same = std::ranges::find_if(target, [&](const json::value& candidate) {
      const json::value* other = find(candidate, {key});
      return other != nullptr && *other == *id;
    });
    if (says(item, "delete")) {
      if (same != target.end()) target.erase(same);
    } else if (same != target.end()) {
      strategic_patch(*same, item);
    } else {
      target.push_back(plain(item));
    }
  }
}

void unite(json::array& target, const json::array& patch) {
  for (const json::value& item : patch) {
    if (std::ranges::find(target, item) == target.end()) target.push_back(item);
  }
}

void delete_primitives(json::object& target, std::string_view list, const json::value& gone) {
  json::value* there = target.if_contains(list);
  if (there == nullptr || !there->is_array() || !gone.is_array()) return;
  for (const json::value& item : gone.get_array()) {
    auto* found = std::ranges::find(there->get_array(), item);
    if (found != there->get_array().end()) there->get_array().erase(found);
  }
}

void retain_keys(json::object& target, const json::value& keys) {
  if (!keys.is_array()) return;
  std::vector<std::string> gone;
  for (const auto& [key, value] : target) {
    const json::value name{std::string_view(key)};
    if (std::ranges::find(keys.get_array(), name) == keys.get_array().end()) gone.emplace_back(key);
  }
  for (const std::string& key : gone) target.erase(key);
}

void patch_list(json::object& target, std::string_view name, const json::array& change) {
  json::value* there = target.if_contains(name);
  if (there == nullptr || !there->is_array()) {
    target[name] = plain(change);
    return;
  }
  const std::string_view key = merge_key(name, change);
  if (!key.empty()) {
    merge_list(there->get_array(), change, key);
  } else if (name == "finalizers") {
    unite(there->get_array(), change);
  } else {
    target[name] = plain(change);
  }
}

}  // namespace

void strategic_patch(json::value& target, const json::value& patch) {
  const json::object* changes = patch.if_object();
  if (changes == nullptr || !target.is_object() || says(patch, "replace")) {
    target = plain(patch);
    return;
  }
  json::object& object = target.get_object();
  if (const json::value* keys = changes->if_contains("$retainKeys")) retain_keys(object, *keys);
  for (const auto& [name, change] : *changes) {
    const std::string_view key = name;
    if (key.starts_with(kDeletePrimitives)) {
      delete_primitives(object, key.substr(kDeletePrimitives.size()), change);
    } else if (key.starts_with(kSetOrder) || key.starts_with('$')) {
      continue;
    } else if (change.is_null() || says(change, "delete")) {
      object.erase(key);
    } else if (change.is_array()) {
      patch_list(object, key, change.get_array());
    } else if (object.contains(key)) {
      strategic_patch(object[key], change);
    } else {
      object[key] = plain(change);
    }
  }
}

}  // namespace spotkeeper::emulator
