// SPDX-License-Identifier: Apache-2.0
// Carries out the core's actions on a Kubernetes cluster and reports what happens on the hosts it
// watches. Owns no decision: an action is done once and answered, success or not. The Api, the
// group and the clock must outlive it; every task it starts belongs to the group.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "async/task_group.h"
#include "async/timing.h"
#include "core/action.h"
#include "core/policy.h"
#include "effects/cluster_view.h"
#include "effects/events.h"
#include "effects/holders.h"
#include "effects/mark.h"
#include "effects/request_queue.h"
#include "effects/watches.h"
#include "effects/workload_watch.h"
#include "kube/api.h"

namespace spotkeeper::effects {

class Kubernetes {
 public:
  // Where observations go. Called from within tasks, never from carry_out() itself.
  using Report = ClusterView::Report;

  struct Options {
    PodRules pods;
    bool taint = false;
    std::string taint_effect = "NoSchedule";
    // Find out of which Services a load balancer needs the host (core::Policy's
    // exclude_from_load_balancers).
    bool local_services = false;
    bool hand_over = true;  // false: nothing is read of Deployments
    RequestLimits requests = {};
    std::string reporter = {};  // our host, in events
    std::string holder = {};    // our name, where several processes may drain a host (holders.h)
    Holders::Ended holder_ended = {};
  };

  Kubernetes(kube::Api& api, TaskGroup& group, const Clock& clock, Options options, Report report);
  ~Kubernetes();

  // Sends the action when its turn comes (see RequestQueue); its ActionDone is reported.
  void carry_out(core::Action action);

  // Reports what concerns this host from now on; a second call reports again what is known. Nothing
  // is watched while there is no notice. The watches begin when the marks of the hosts that were
  // announced together have been answered, for those must not share their first milliseconds with
  // connections.
  void watch(const core::HostId& host);

  // Nothing is watched of the host any more, nor kept; its drain is over.
  void forget(const core::HostId& host);

  // The node as it was just read: its mark needs one request less.
  void seen(kube::Node node);
  // Where somebody else watches all nodes: the node as it is, or nullptr. None is kept here then.
  std::function<const kube::Node*(const std::string& name)> look_up;

  // Events are written by this name of ours, when nothing else is to be sent; see events.h.
  Events& events() { return events_; }
  // The unit's pod as last seen; nullptr when it is not on the host any more.
  const kube::Pod* find(const core::HostId& host, const core::UnitId& unit) const {
    return view_.find(host, unit);
  }

  // Told of a node as our mark has left it.
  std::function<void(const kube::Node&)> on_node;

  // Rights that were found missing: what needs them is not tried in vain.
  void lacks(std::set<kube::Right> rights);

 private:
  void send_what_may();
  Task<> send_in_turn();
  Task<> do_action(core::Action action);
  Task<Result<std::string>> mark(Mark wanted, std::string name, std::optional<kube::Node> known);
  Task<Result<std::string>> on_pod(core::Action action);
  Task<Result<void>> relabel(core::Action action, kube::Pod pod);
  void mark_answered(const std::string& node);
  void changed(const kube::Node& node);
  std::optional<kube::Node> take_known(const std::string& name);
  void pods_listed(const ClusterView::Nodes& nodes);
  std::shared_ptr<WorkloadWatch> workloads();
  Task<> begin_watches();

  kube::Api& api_;
  TaskGroup& group_;
  const Clock& clock_;
  Options options_;
  Report report_;
  ClusterView view_;
  std::shared_ptr<Watches> watches_;
  std::shared_ptr<WorkloadWatch> workloads_;  // none until the first host goes
  Holders holders_;
  RequestQueue queue_;
  Events events_;
  Event queue_changed_;
  bool sending_ = false;                     // send_in_turn() runs
  std::map<std::string, kube::Node> nodes_;  // known, and to be marked or renewed
  bool beginning_ = false;                   // begin_watches() runs
  ClusterView::Nodes announced_;             // not watched yet
  ClusterView::Nodes unmarked_;              // of those: whose mark is not answered
  Event mark_answered_;
  std::set<kube::Right> lacking_;
};

}  // namespace spotkeeper::effects
