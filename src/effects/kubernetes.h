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
#include "core/action.h"
#include "core/policy.h"
#include "effects/host_watch.h"
#include "effects/workload_watch.h"
#include "kube/api.h"

namespace spotkeeper::effects {

class Kubernetes {
 public:
  // Where observations go. Called from within tasks, never from carry_out() itself.
  using Report = std::function<void(const core::HostId&, core::Observation)>;

  struct Options {
    PodRules pods;
    bool taint = false;
    std::string taint_effect = "NoSchedule";
    // Find out of which Services a load balancer needs the host (core::Policy's
    // exclude_from_load_balancers).
    bool local_services = false;
    bool hand_over = true;  // false: nothing is read of Deployments
  };

  Kubernetes(kube::Api& api, TaskGroup& group, const Clock& clock, Options options, Report report);
  ~Kubernetes();

  // Starts the action; its ActionDone is reported.
  void carry_out(core::Action action);

  // Reports pods and budgets of this host from now on; a second call reports again what is known.
  // Three watches a host, and a few for the Deployments on it: nothing is watched while there is no
  // notice. They begin when the mark has
  // been answered, for it must not share its first milliseconds with their connections.
  void watch(const core::HostId& host);

  // Rights that were found missing: what needs them is not tried in vain.
  void lacks(std::set<kube::Right> rights);

 private:
  Task<> do_action(core::Action action);
  Task<Result<std::string>> on_pod(core::Action action);
  Task<Result<void>> relabel(core::Action action, kube::Pod pod);
  void tell_all(const core::Observation& observation);
  std::shared_ptr<WorkloadWatch> workloads();
  Task<> begin_watch(std::shared_ptr<HostWatch> watched);

  kube::Api& api_;
  TaskGroup& group_;
  const Clock& clock_;
  Options options_;
  Report report_;
  std::map<core::HostId, std::shared_ptr<HostWatch>> watched_;
  std::shared_ptr<WorkloadWatch> workloads_;  // none until the first host goes
  std::set<kube::Right> lacking_;
};

}  // namespace spotkeeper::effects
