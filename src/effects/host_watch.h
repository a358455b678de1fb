// SPDX-License-Identifier: Apache-2.0
// What is watched of one node while it is drained: its pods, the PodDisruptionBudgets around them,
// and the endpoints of the Services on it. Tells the core's words for what it sees. Owned by
// Kubernetes (effects/kubernetes.h); nothing is watched before begin().
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "async/task_group.h"
#include "async/timing.h"
#include "core/action.h"
#include "effects/pod_units.h"
#include "effects/service_book.h"
#include "kube/api.h"
#include "kube/rights.h"

namespace spotkeeper::effects {

class HostWatch : public std::enable_shared_from_this<HostWatch> {
 public:
  using Report = std::function<void(const core::HostId&, core::Observation)>;

  // The Api, the group and the clock must outlive the watches, which belong to the group.
  HostWatch(kube::Api& api, TaskGroup& group, const Clock& clock, PodRules rules, core::HostId host,
            Report report);

  // Starts the watches; `lacking`: rights that we do not hold, so that no request is wasted.
  // `local_services`: find out of which Services a load balancer needs the node.
  void begin(const std::set<kube::Right>& lacking, bool local_services);

  // Tells again what is known, for a drain that begins later.
  void tell_again();

  const kube::Pod* find(const core::UnitId& id) const { return units_.find(id); }

  // See PodUnits.
  void claims_known(const std::string& ns, std::set<std::string> shared);

  // Called once, when all pods of the node have been seen: those of Deployments.
  std::function<void(const std::vector<kube::Pod>&)> on_deployments;

  // The mark has been answered, one way or the other.
  Event mark_answered;

 private:
  template <class Seen>
  void tell(std::vector<Seen> observations);
  void listed(bool& flag, core::Observation observation);
  void watch_pods();
  void watch_budgets();
  void watch_services();
  void services_known();
  void watch_volumes();
  Task<> find_local_services();
  void volumes_changed(const std::string& uid, bool here);
  void tell_volumes();

  kube::Api& api_;
  TaskGroup& group_;
  const Clock& clock_;
  core::HostId host_;
  Report report_;
  PodUnits units_;
  ServiceBook services_;
  std::set<std::string> volumes_;  // uids of VolumeAttachments to the node
  bool volumes_listed_ = false;
  bool may_read_volumes_ = true;
  bool local_services_ = false;  // they are asked for, and not known yet
  bool pods_listed_ = false;
  bool budgets_listed_ = false;
  bool budgets_unread_ = false;  // they may not be
  bool may_read_services_ = true;
  bool slices_listed_ = false;
  bool services_listed_ = false;  // that is told
};

}  // namespace spotkeeper::effects
