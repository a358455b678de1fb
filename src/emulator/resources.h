// SPDX-License-Identifier: Apache-2.0
// The resources that the emulated API server knows: those that the world gives life to, and a few
// that are merely kept (no controller looks at them) because clients make or read them. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "world/meta.h"

namespace spotkeeper::emulator {

struct Resource {
  std::string group;  // empty: core
  std::string version;
  std::string name;      // "pods"
  std::string singular;  // "pod"
  std::string kind;      // "Pod"
  bool namespaced = true;
  std::optional<world::Kind> kept_by_world;  // unset: merely kept
  std::vector<std::string> subresources;
  std::vector<std::string> short_names;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

std::span<const Resource> resources();
const Resource* find_resource(const std::string& group, const std::string& version,
                              const std::string& name);
const Resource& resource_of(world::Kind kind);

}  // namespace spotkeeper::emulator
