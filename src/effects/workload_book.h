// SPDX-License-Identifier: Apache-2.0
// From Deployments and their pods, wherever those are, to what the core knows of a group. Pure
// bookkeeping: each change answers with the observations that follow, which concern every host
// that goes. A pod may be seen by several watches; it is there while one of them shows it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/action.h"
#include "kube/objects.h"
#include "kube/workloads.h"

namespace spotkeeper::effects {

// What has to be looked at for the sake of some pods of Deployments.
struct Surroundings {
  struct Space {
    bool claims = false;  // volume claims are mounted there
    std::set<std::string> nodes;
  };
  struct ReplicaSet {
    std::set<core::GroupId> groups;
    std::set<std::string> nodes;
  };
  std::map<std::string, Space> spaces;       // their namespaces
  std::map<std::string, ReplicaSet> hashes;  // of their ReplicaSets
  std::set<core::GroupId> groups;
};
Surroundings surroundings_of(const std::vector<kube::Pod>& pods);

class WorkloadBook {
 public:
  using Observations = std::vector<core::Observation>;

  // `doomed`: whether this node goes.
  explicit WorkloadBook(std::function<bool(const std::string& node)> doomed)
      : doomed_(std::move(doomed)) {}

  Observations deployment_changed(const kube::Deployment& deployment);
  Observations deployment_gone(const kube::Deployment& deployment);

  // `source`: which watch shows it. Gone may be what it never showed.
  Observations pod_changed(int source, const kube::Pod& pod);
  Observations pod_gone(int source, const kube::Pod& pod);

  // All of this namespace's Deployments, Services and policies have been looked at. `why_not`:
  // nothing of it can be handed over; empty: it can.
  Observations looked_at(const std::string& ns, std::string why_not);
  bool has_looked_at(const std::string& ns) const { return looked_at_.contains(ns); }

  // Somebody waits for these groups, and all their pods have been seen. They are told once their
  // namespace has been looked at; those that are not there, as gone.
  Observations wanted(const std::set<core::GroupId>& ids);

  // Which nodes others have marked is known, or cannot be. No group is told before: what is Ready
  // on them would be taken for a replacement.
  Observations marks_known();

  // Nobody wants to know of this namespace any more.
  void forget_space(const std::string& ns);
  // That watch has ended; what no other shows is kept no more.
  void forget_source(int source);

  // Another node goes; what was counted on it counts no more.
  Observations recount();

  // All that is known now.
  Observations everything() const;

 private:
  struct Facts {
    std::string ns;
    Labels labels;
    std::string node;
    std::string replica_set;  // its owner; empty: another, or none
    bool ready = false;
    bool ending = false;  // it counts no more
    bool hidden = false;  // one watch shows it no more, and none has shown it later
    bool counts() const { return !ending && !hidden && !replica_set.empty(); }
  };
  struct Seen {
    Facts facts;
    std::set<int> sources;
    uint64_t version = 0;  // of what is known
  };
  struct Entry {
    kube::Deployment deployment;
    bool there = false;
    bool told = false;
    core::Group last;
  };
  void enter(const Facts& pod);
  void leave(const Facts& pod);
  core::Group count(const core::GroupId& id, const Entry& entry) const;
  void settle(const core::GroupId& id, Entry& entry, Observations& out);
  Observations settle_around(const Facts& pod, std::string_view replica_set_before);

  std::function<bool(const std::string& node)> doomed_;
  std::map<core::GroupId, Entry> entries_;      // "namespace/name": those of one namespace together
  std::unordered_map<std::string, Seen> pods_;  // by uid
  // Those that count, by namespace and ReplicaSet: the ReplicaSets of a Deployment bear its name
  // and so stand together, and counting it costs as much as it has pods.
  std::map<std::string, std::map<std::string, std::vector<const Facts*>>> owned_;
  std::map<std::string, std::string> looked_at_;  // namespace: why not
  std::set<core::GroupId> wanted_;
  bool marks_known_ = false;
};

}  // namespace spotkeeper::effects
