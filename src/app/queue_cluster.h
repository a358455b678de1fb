// SPDX-License-Identifier: Apache-2.0
// The cluster of a Queue: all its nodes, watched, so that an instance is found without a request;
// the core's actions on any of them; and what others have left unfinished there. Owned by the
// Queue; what it is given must outlive it, and its tasks belong to the group.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "app/rights_check.h"
#include "app/scene.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/counters.h"
#include "config/queue_options.h"
#include "core/drain.h"
#include "effects/holders.h"
#include "effects/kubernetes.h"
#include "effects/node_book.h"
#include "kube/api.h"
#include "observe/log.h"

namespace spotkeeper::app {

class QueueCluster final : public Scene {
 public:
  struct Hooks {
    std::function<void(const core::HostId&, core::Observation)> tell;
    std::function<void(const core::Abilities&)> able;
    // Nobody drains the node any more that bears the record of this notice.
    std::function<void(const kube::Node&, core::Notice)> resume;
    std::function<bool(const core::HostId&)> busy;  // it has a drain
    std::function<void(const core::HostId&)> gone;  // the node is deleted
  };
  struct Place {
    TaskGroup& work;
    HostClock& clock;
    Counters& counters;
    observe::Log& log;
    Hooks hooks;
  };

  QueueCluster(const config::QueueOptions& options, kube::Access access, Place place);

  void start();

  const effects::NodeBook& nodes() const { return nodes_; }
  bool nodes_known() const { return known_; }
  kube::Api& api() { return api_; }
  const std::string& description() const { return api_.access().description; }

  void carry_out(core::Action action) { kubernetes_.carry_out(std::move(action)); }
  void watch(const core::HostId& host) { kubernetes_.watch(host); }
  // Its drain is long over.
  void forget(const core::HostId& host);
  void denied() { rights_.denied(); }
  // Our clock was set: how long records are unchanged is counted anew.
  void clock_moved();

  // What the notice's source knows of it, for those who are told.
  struct Said {
    std::string description;
    std::string group;
    std::string account;
    bool managed = false;
  };
  void said(const core::HostId& host, Said said) { said_[host] = std::move(said); }

  // Our name goes from the node's record, so that another process goes on at once.
  Task<> give_up(core::HostId host);

  // Its instance is terminated: what the operator wants then.
  Task<> bury(core::HostId host);

  Task<> settle();

  HostFacts facts(const core::HostId& host) const override;
  void publish(const core::HostId& host, const Tidings& tidings) override;
  void publish_of(const core::HostId& host, const core::UnitId& unit,
                  const Tidings& tidings) override;
  std::string unready() const override {
    return known_ ? "" : "the cluster's nodes have not been read yet";
  }

 private:
  Task<> look_for_orphans();
  void consider(const kube::Node& node);
  void node_changed(const kube::Node& node);
  void watch_failed(const Error& error);

  const config::QueueOptions& options_;
  Place place_;
  kube::Api api_;
  effects::Kubernetes kubernetes_;
  RightsCheck rights_;
  effects::NodeBook nodes_;
  effects::Holders holders_;        // to judge the records of others
  std::set<std::string> recorded_;  // nodes that bear the record of a notice
  std::map<core::HostId, Said> said_;
  bool known_ = false;
  int failures_ = 0;
};

}  // namespace spotkeeper::app
