// SPDX-License-Identifier: Apache-2.0
// Objects that the emulated cluster merely keeps: nobody in it looks at them. They are JSON as the
// client wrote it, with an identity added.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "emulator/json.h"
#include "emulator/status.h"
#include "world/world.h"

namespace spotkeeper::emulator {

class Shelf {
 public:
  using Key = world::Key;

  Outcome<json::object> create(const Resource& resource, const Key& key, json::object object,
                               uint64_t version, Time now);
  Outcome<json::object> find(const Resource& resource, const Key& key) const;
  // Ordered by namespace and name; `ns` empty: all.
  std::vector<json::object> list(const Resource& resource, const std::string& ns) const;
  Outcome<json::object> replace(const Resource& resource, const Key& key, json::object object,
                                uint64_t version);
  Outcome<json::object> remove(const Resource& resource, const Key& key);

 private:
  using Place = std::pair<std::string, Key>;  // "GROUP/RESOURCE" first
  std::map<Place, json::object> objects_;
  uint64_t made_ = 0;
};

}  // namespace spotkeeper::emulator
