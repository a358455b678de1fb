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
  void begin(const std::set<kube::Right>& lacking);

  // Tells again what is known, for a drain that begins later.
  void tell_again();

  std::optional<kube::PodRef> find(const core::UnitId& id) const { return units_.find(id); }

  // The mark has been answered, one way or the other.
  Event mark_answered;

 private:
  template <class Seen>
  void tell(std::vector<Seen> observations);
  void listed(bool& flag, core::Observation observation);
  void watch_pods();
  void watch_budgets();
  void watch_services();

  kube::Api& api_;
  TaskGroup& group_;
  const Clock& clock_;
  core::HostId host_;
  Report report_;
  PodUnits units_;
  ServiceBook services_;
  bool pods_listed_ = false;
  bool budgets_listed_ = false;
  bool budgets_unread_ = false;  // they may not be
  bool may_read_services_ = true;
  bool services_listed_ = false;
};

}  // namespace spotkeeper::effects
