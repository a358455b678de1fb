// SPDX-License-Identifier: Apache-2.0
// All kubelets: start pods that are bound to a node, make them Ready, end those that are told to,
// and report. Knows what really runs, which the API only shows. When a host ends its kubelet falls
// silent, and what ran there is cut off.
#pragma once

#include <set>
#include <unordered_map>

#include "world/context.h"

namespace spotkeeper::world {

class Scribe;

class Kubelet {
 public:
  Kubelet(Context& context, Scribe& scribe) : context_(context), scribe_(scribe) {}
  void on(const Event& event);

  void end_host(const std::string& node, Time at);
  void set_ready(const Key& pod, bool ready);
  void finish(const Key& pod, bool success);

 private:
  struct Run {
    std::string node;
    bool running = false;      // processes run
    bool failing = false;      // its probe is made to fail
    std::optional<Time> told;  // the kubelet has seen its deletion
    uint64_t end_plan = 0;     // the newest plan for its end; older ones are void
  };
  using Runs = std::unordered_map<Uid, Run, UidHash>;

  // nullptr when it is not ours any more, or its host has ended.
  Run* find(Uid uid);
  void pod_seen(const Ptr<Pod>& pod);
  void pod_gone(const Pod& pod);
  void start(Uid uid);
  void become_ready(Uid uid);
  void complete(Uid uid, bool success);
  void plan_end(const Pod& pod, Run& run);
  void end(Uid uid, uint64_t plan, bool killed);
  void remove(Uid uid);
  void host_ends(const std::string& node);
  void host_missed(const std::string& node);

  Context& context_;
  Scribe& scribe_;
  Runs runs_;
  std::set<std::string> dead_;  // hosts
};

}  // namespace spotkeeper::world
