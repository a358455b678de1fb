// SPDX-License-Identifier: Apache-2.0
// What became of every pod and Service of a world, for judging: who was told, with what grace, who
// was cut off. Written by the world as it goes on; read by tests and the demo.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "world/meta.h"

namespace spotkeeper::world {

struct PodStory {
  Key key;
  Uid uid;
  std::string node;            // empty: never placed
  std::optional<Owner> owner;  // at its creation
  Labels labels;               // at its creation
  Seconds grace{30};           // of its spec
  bool mirror = false;         // the picture of a static pod
  Time created{};
  std::optional<Time> scheduled;
  std::optional<Time> ready;    // the first time
  std::optional<Time> told;     // its deletion was written
  Seconds told_grace{0};        // with this grace; the shortest, when told again
  bool disrupted = false;       // bore DisruptionTarget
  bool finished = false;        // ended by itself: Succeeded or Failed
  std::optional<Time> ended;    // its processes have ended
  bool killed = false;          // … because its grace was over
  std::optional<Time> cut_off;  // its host ended while its processes ran
  std::optional<Time> gone;     // the object is removed
};

struct ServiceStory {
  struct Gap {
    Time from{};
    std::optional<Time> to;  // unset: still so
  };
  Key key;
  bool served = false;    // had a ready endpoint once
  std::vector<Gap> gaps;  // after that: no ready endpoint, as its EndpointSlice said
  Millis longest_gap(Time now) const;
};

class History {
 public:
  const PodStory* pod(Uid uid) const;
  // Every pod that ever was, oldest first.
  const std::vector<PodStory>& pods() const { return pods_; }
  const std::map<Key, ServiceStory>& services() const { return services_; }
  // When the host ended; unset: it lives.
  std::optional<Time> host_ended(const std::string& node) const;

 private:
  friend class Scribe;
  std::vector<PodStory> pods_;
  std::unordered_map<Uid, size_t, UidHash> by_uid_;
  std::map<Key, ServiceStory> services_;
  std::map<std::string, Time> ended_hosts_;
};

}  // namespace spotkeeper::world
