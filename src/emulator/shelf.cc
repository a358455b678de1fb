// SPDX-License-Identifier: Apache-2.0
#include "emulator/shelf.h"

#include <fmt/format.h>

namespace spotkeeper::emulator {
namespace {

std::string row(const Resource& resource) {
  return resource.group + "/" + resource.name;
}

void identify(const Resource& resource, json::object& object, uint64_t version) {
  object["kind"] = resource.kind;
  object["apiVersion"] = resource.api_version();
  child(object, "metadata")["resourceVersion"] = std::to_string(version);
}

}  // namespace

Outcome<json::object> Shelf::create(const Resource& resource, const Key& key, json::object object,
                                    uint64_t version, Time now) {
  const Place place{row(resource), key};
  if (objects_.contains(place)) return Failed(already_exists(resource, key.name));
  identify(resource, object, version);
  json::object& meta = child(object, "metadata");
  meta["name"] = key.name;
  if (!key.ns.empty()) meta["namespace"] = key.ns;
  meta["uid"] = fmt::format("5e1f0000-0000-4000-8000-{:012x}", ++made_);
  meta["creationTimestamp"] = format_time_s(now);
  return objects_[place] = std::move(object);
}

Outcome<json::object> Shelf::find(const Resource& resource, const Key& key) const {
  const auto found = objects_.find({row(resource), key});
  if (found == objects_.end()) return Failed(not_found(resource, key.name));
  return found->second;
}

std::vector<json::object> Shelf::list(const Resource& resource, const std::string& ns) const {
  std::vector<json::object> found;
  const std::string wanted = row(resource);
  for (auto at = objects_.lower_bound({wanted, Key{}});
       at != objects_.end() && at->first.first == wanted; ++at) {
    if (ns.empty() || at->first.second.ns == ns) found.push_back(at->second);
  }
  return found;
}

Outcome<json::object> Shelf::replace(const Resource& resource, const Key& key, json::object object,
                                     uint64_t version) {
  const auto found = objects_.find({row(resource), key});
  if (found == objects_.end()) return Failed(not_found(resource, key.name));
  json::object& meta = child(object, "metadata");
  for (const char* fixed : {"name", "namespace", "uid", "creationTimestamp"}) {
    const json::value* old = child(found->second, "metadata").if_contains(fixed);
    if (old != nullptr) meta[fixed] = *old;
  }
  identify(resource, object, version);
  return found->second = std::move(object);
}

Outcome<json::object> Shelf::remove(const Resource& resource, const Key& key) {
  const auto found = objects_.find({row(resource), key});
  if (found == objects_.end()) return Failed(not_found(resource, key.name));
  json::object gone = std::move(found->second);
  objects_.erase(found);
  return gone;
}

}  // namespace spotkeeper::emulator
