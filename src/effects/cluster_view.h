// SPDX-License-Identifier: Apache-2.0
// What is seen of the hosts that go: their pods, and what they share, the PodDisruptionBudgets,
// Services, volumes and groups around them. Each change is told, in the core's words, to the hosts
// that it concerns. Pure bookkeeping; effects/watches.h feeds it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "effects/pod_units.h"
#include "effects/service_book.h"
#include "kube/workloads.h"

namespace spotkeeper::effects {

class ClusterView {
 public:
  using Report = std::function<void(const core::HostId&, core::Observation)>;
  using Nodes = std::set<std::string>;

  // The clock must outlive it.
  ClusterView(PodRules rules, const Clock& clock, Report report);
  ~ClusterView();

  // A host that goes from now on; false: it is known.
  bool add(const core::HostId& host);
  // Nothing is told of it, nor kept, from now on.
  void remove(const core::HostId& host);
  // All that is known, for a drain that begins later.
  void tell_again(const core::HostId& host);
  bool goes(const std::string& node) const { return hosts_.contains(core::HostId(node)); }
  bool empty() const { return hosts_.empty(); }
  // While it is empty: what hosts share is not watched any more.
  void forget_shared();

  // Of nodes that do not go nothing is kept.
  void pod_changed(const kube::Pod& pod);
  void pod_gone(const kube::Pod& pod);
  // All pods of these nodes have been seen.
  void pods_listed(const Nodes& nodes);
  bool are_listed(const Nodes& nodes) const;

  void budget_changed(const kube::Budget& budget);
  void budget_gone(const kube::Budget& budget);
  void budgets_listed();
  void budgets_unread();  // they may not be read

  void slice_changed(const kube::EndpointSlice& slice);
  void slice_gone(const kube::EndpointSlice& slice);
  void slices_listed();
  void local_services(std::set<core::ServiceId> ids);  // see ServiceShelf

  void volume_changed(const kube::VolumeAttachment& attachment);
  void volume_gone(const kube::VolumeAttachment& attachment);
  void volumes_listed();

  // See PodUnits.
  void claims_known(const std::string& ns, const std::set<std::string>& shared);

  // To those that have units of the group; what is no group's, to all.
  void tell_group(const core::Observation& observation);
  // What cannot be seen is told once, in one host's journal.
  void trouble(const Error& error);
  // In this host's journal.
  void trouble(const std::string& node, const Error& error);

  // The unit's pod as last seen; nullptr when it is not on the host any more.
  const kube::Pod* find(const core::HostId& host, const core::UnitId& id) const;
  // Those whose replacement somebody would start.
  std::vector<kube::Pod> of_deployments(const Nodes& nodes) const;
  bool any_volumes(const Nodes& nodes) const;

 private:
  struct Host;
  void tell(Host& host, PodUnits::Observations observations);
  void tell_slice(const kube::EndpointSlice& slice);
  void tell_volumes(const Host& host);

  PodRules rules_;
  const Clock& clock_;
  Report report_;
  std::shared_ptr<BudgetShelf> budgets_ = std::make_shared<BudgetShelf>();
  std::shared_ptr<ServiceShelf> services_ = std::make_shared<ServiceShelf>();
  std::map<core::HostId, std::unique_ptr<Host>> hosts_;
  // Whom it concerns: a host that was told of it once.
  std::map<core::BudgetId, std::set<Host*>> by_budget_;
  std::map<core::ServiceId, std::set<Host*>> by_service_;
  std::map<core::GroupId, std::set<Host*>> by_group_;
  std::map<std::string, std::string> volumes_;  // uid: node
  bool budgets_listed_ = false;
  bool budgets_unread_ = false;
  bool slices_listed_ = false;
  bool volumes_listed_ = false;
};

}  // namespace spotkeeper::effects
