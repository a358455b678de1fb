// SPDX-License-Identifier: Apache-2.0
// What effects/workload_watch.h is to the real API, to the emulated cluster: shows the agent the
// Deployments of its hosts' pods, and those pods wherever they are, through
// effects::WorkloadBook, with the delays that watches have. One for each life of the agent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "effects/workload_book.h"
#include "world/world.h"

namespace spotkeeper::laboratory {

class WorkloadView {
 public:
  struct Ways {
    std::function<Millis()> watch;  // how long an event takes
    std::function<bool()> fails;    // a list does, now
    std::function<void(Millis, std::function<void()>)> in;
    std::function<void(const core::Observation&)> tell;  // every host that goes
    std::function<void(const std::string& ns, const std::set<std::string>& shared)> claims;
    std::function<bool(const std::string& node)> doomed;
  };

  // `by_hash`: namespaces with a Service that selects on the pods' hash. `may_read`: else
  // Deployments are forbidden.
  WorkloadView(world::World& world, Ways ways, std::set<std::string> by_hash, bool may_read);

  // These pods' Deployments have to be known from now on.
  void need(const std::vector<kube::Pod>& pods);
  void tell_again();
  void marks_known();
  // `made`: the record of the event's pod, made where it is needed and nobody has made it yet.
  void world_changed(const world::Event& event, std::shared_ptr<const kube::Pod>& made);

 private:
  struct Look {
    bool listed = false;  // Deployments: their changes follow
    bool seen = false;    // … and the list has arrived
    bool others = false;
    Time last{};
  };
  struct Source {
    int number = 0;
    std::set<std::string> hashes;  // empty: by namespace and labels
    std::string ns;
    world::Selector selector;
    bool listed = false;
    Time last{};
    bool shows(const world::Pod& pod) const;
  };
  void tell(const effects::WorkloadBook::Observations& observations);
  void look_at(const std::string& ns);
  void list_deployments(const std::string& ns);
  void deployment_changed(const kube::Deployment& deployment);
  void settle(const std::string& ns);
  void add_source(Source source, const std::set<core::GroupId>& groups);
  void list_pods(Source& source, const std::set<core::GroupId>& groups);
  void deliver(Time& last, std::function<void()> what);

  world::World& world_;
  Ways ways_;
  std::set<std::string> by_hash_;
  bool may_read_;
  effects::WorkloadBook book_;
  std::map<std::string, Look> looks_;  // by namespace
  std::map<int, Source> sources_;
  std::set<std::string> hashes_;
  std::set<std::string> rollouts_;  // Deployments by uid
};

}  // namespace spotkeeper::laboratory
