// SPDX-License-Identifier: Apache-2.0
// What the parts of the skin work on, and the reading half of it: GET and LIST. Owned by ApiSkin.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "emulator/filter.h"
#include "emulator/query.h"
#include "emulator/shelf.h"
#include "emulator/status.h"
#include "world/world.h"

namespace spotkeeper::emulator {

class Cluster {
 public:
  explicit Cluster(world::World& w) : world_(w) {}

  world::World& world() { return world_; }
  const world::World& world() const { return world_; }
  Shelf& shelf() { return shelf_; }
  const Shelf& shelf() const { return shelf_; }

  Outcome<json::object> get(const Resource& resource, const world::Key& key) const;

  // Pages of a list show the cluster as it was at the first page; a page that comes too late (some
  // lists later) is refused with 410.
  Outcome<json::object> list(const Query& query, const Resource& resource);

 private:
  struct Snapshot {
    uint64_t version = 0;
    std::string of;  // resource and selectors: what it is a list of
    std::vector<world::Ptr<world::Object>> objects;
  };

  Outcome<json::object> list_kept(const Query& query, const Resource& resource) const;
  Outcome<std::shared_ptr<const Snapshot>> snapshot(const Query& query, const Resource& resource,
                                                    uint64_t version);

  world::World& world_;
  Shelf shelf_;
  std::deque<std::shared_ptr<const Snapshot>> snapshots_;  // of lists with more pages, newest last
};

}  // namespace spotkeeper::emulator
