// SPDX-License-Identifier: Apache-2.0
// WATCH: the changes of one resource as a stream of JSON lines, for as long as the client likes.
// Nothing is queued for a slow client: it reads the world's own log, and one that falls too far
// behind is told 410. Objects that are merely kept do not change: their watches only show what is
// there.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "async/timing.h"
#include "emulator/cluster.h"
#include "emulator/filter.h"
#include "http/server.h"

namespace spotkeeper::emulator {

// Wakes the watches of a kind when one of its objects has changed. Must outlive them.
class WatchHub {
 public:
  WatchHub(boost::asio::any_io_executor executor, world::World& world);
  ~WatchHub();
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  // One watch's alarm clock.
  class Ear {
   public:
    Ear(WatchHub& hub, world::Kind kind);
    ~Ear();
    Ear(const Ear&) = delete;
    Ear& operator=(const Ear&) = delete;
    Event heard;
    bool missed_nothing = true;  // since it was last set: no event of the kind
    const world::Kind kind;

   private:
    WatchHub& hub_;
  };

  world::World& world() { return world_; }
  size_t watches() const { return ears_.size(); }

 private:
  boost::asio::any_io_executor executor_;
  world::World& world_;
  uint64_t observer_ = 0;
  std::set<Ear*> ears_;
};

// The answer of a watch that begins now: 200 with a stream, or a failure.
Outcome<http::ServerResponse> open_watch(WatchHub& hub, const Cluster& cluster, const Query& query,
                                         const Resource& resource);

// One event as a line; empty when the filter has nothing to do with it. An object that begins to
// match is ADDED, one that no longer does is DELETED.
std::string event_line(const world::Event& event, const Filter& filter);

}  // namespace spotkeeper::emulator
