// SPDX-License-Identifier: Apache-2.0
#include "effects/cluster_view.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace spotkeeper::effects {

struct ClusterView::Host {
  Host(core::HostId host, PodRules rules, std::shared_ptr<BudgetShelf> budgets,
       std::shared_ptr<const ServiceShelf> shelf)
      : id(std::move(host)),
        units(std::move(rules), std::move(budgets)),
        services(id.value, std::move(shelf)) {}
  core::HostId id;
  PodUnits units;
  ServiceBook services;
  int volumes = 0;
  bool listed = false;
};

ClusterView::ClusterView(PodRules rules, const Clock& clock, Report report)
    : rules_(std::move(rules)), clock_(clock), report_(std::move(report)) {}

ClusterView::~ClusterView() = default;

bool ClusterView::add(const core::HostId& host) {
  std::unique_ptr<Host>& here = hosts_[host];
  if (here) return false;
  here = std::make_unique<Host>(host, rules_, budgets_, services_);
  here->volumes = static_cast<int>(
      std::ranges::count(volumes_, host.value, &std::pair<const std::string, std::string>::second));
  std::ignore = here->services.all_changed();  // told with the rest
  tell_again(host);
  return true;
}

void ClusterView::remove(const core::HostId& host) {
  const auto known = hosts_.extract(host);
  if (known.empty()) return;
  const auto forget = [gone = known.mapped().get()](auto& concerned) {
    for (auto at = concerned.begin(); at != concerned.end();) {
      at->second.erase(gone);
      at = at->second.empty() ? concerned.erase(at) : std::next(at);
    }
  };
  forget(by_budget_);
  forget(by_service_);
  forget(by_group_);
}

void ClusterView::forget_shared() {
  budgets_ = std::make_shared<BudgetShelf>();
  services_ = std::make_shared<ServiceShelf>();
  volumes_.clear();
  budgets_listed_ = budgets_unread_ = slices_listed_ = volumes_listed_ = false;
}

void ClusterView::tell_again(const core::HostId& host) {
  Host& here = *hosts_.at(host);
  tell(here, here.units.everything());
  tell(here, here.services.everything());
  if (here.listed) report_(host, core::UnitsListed{});
  if (budgets_listed_ || budgets_unread_) {
    report_(host, core::BudgetsListed{.watched = budgets_listed_});
  }
  if (slices_listed_) report_(host, core::ServicesListed{});
  if (volumes_listed_) tell_volumes(here);
}

void ClusterView::tell(Host& host, PodUnits::Observations observations) {
  for (core::Observation& each : observations) {
    if (const auto* budget = std::get_if<core::BudgetSeen>(&each)) {
      by_budget_[budget->budget.id].insert(&host);
    } else if (const auto* service = std::get_if<core::ServiceSeen>(&each)) {
      by_service_[service->service.id].insert(&host);
    } else if (const auto* unit = std::get_if<core::UnitSeen>(&each)) {
      if (!unit->unit.group.value.empty()) by_group_[unit->unit.group].insert(&host);
    }
    report_(host.id, std::move(each));
  }
}

void ClusterView::pod_changed(const kube::Pod& pod) {
  const auto found = hosts_.find(core::HostId(pod.node));
  if (found != hosts_.end()) {
    tell(*found->second, found->second->units.pod_changed(pod, clock_.now()));
  }
}

void ClusterView::pod_gone(const kube::Pod& pod) {
  const auto found = hosts_.find(core::HostId(pod.node));
  if (found != hosts_.end()) tell(*found->second, found->second->units.pod_gone(pod));
}

void ClusterView::pods_listed(const Nodes& nodes) {
  for (const std::string& node : nodes) {
    const auto host = hosts_.find(core::HostId(node));
    if (host == hosts_.end() || std::exchange(host->second->listed, true)) continue;
    report_(host->first, core::UnitsListed{});
  }
}

bool ClusterView::are_listed(const Nodes& nodes) const {
  return std::ranges::all_of(nodes, [this](const std::string& node) {
    const auto host = hosts_.find(core::HostId(node));
    return host == hosts_.end() || host->second->listed;
  });
}

void ClusterView::budget_changed(const kube::Budget& budget) {
  const bool regroups = budgets_->put(budget);
  if (regroups) {
    for (const auto& [id, host] : hosts_) tell(*host, host->units.budget_put(budget, true));
    return;
  }
  const auto concerned = by_budget_.find(id_of(budget));
  if (concerned == by_budget_.end()) return;
  for (Host* host : concerned->second) tell(*host, host->units.budget_put(budget, false));
}

void ClusterView::budget_gone(const kube::Budget& budget) {
  budgets_->erase(budget);
  const auto concerned = by_budget_.extract(id_of(budget));
  if (concerned.empty()) return;
  for (Host* host : concerned.mapped()) tell(*host, host->units.budget_erased(budget));
}

void ClusterView::budgets_listed() {
  if (std::exchange(budgets_listed_, true)) return;
  for (const auto& [id, host] : hosts_) report_(id, core::BudgetsListed{.watched = true});
}

void ClusterView::budgets_unread() {
  if (budgets_listed_ || std::exchange(budgets_unread_, true)) return;
  for (const auto& [id, host] : hosts_) report_(id, core::BudgetsListed{.watched = false});
}

void ClusterView::slice_changed(const kube::EndpointSlice& slice) {
  services_->put(slice);
  tell_slice(slice);
}

void ClusterView::slice_gone(const kube::EndpointSlice& slice) {
  services_->erase(slice);
  tell_slice(slice);
}

void ClusterView::tell_slice(const kube::EndpointSlice& slice) {
  const core::ServiceId id = id_of(slice);
  for (const std::string& node : slice.nodes) {
    const auto found = hosts_.find(core::HostId(node));
    if (found != hosts_.end()) by_service_[id].insert(found->second.get());
  }
  const auto concerned = by_service_.find(id);
  if (concerned == by_service_.end()) return;
  for (Host* host : std::set<Host*>(concerned->second)) tell(*host, host->services.changed(id));
}

void ClusterView::slices_listed() {
  if (std::exchange(slices_listed_, true)) return;
  for (const auto& [id, host] : hosts_) report_(id, core::ServicesListed{});
}

void ClusterView::local_services(std::set<core::ServiceId> ids) {
  services_->local(std::move(ids));
  for (const auto& [id, host] : hosts_) tell(*host, host->services.all_changed());
}

void ClusterView::volume_changed(const kube::VolumeAttachment& attachment) {
  if (!volumes_.try_emplace(attachment.uid, attachment.node).second) return;
  const auto found = hosts_.find(core::HostId(attachment.node));
  if (found == hosts_.end()) return;
  ++found->second->volumes;
  if (volumes_listed_) tell_volumes(*found->second);
}

void ClusterView::volume_gone(const kube::VolumeAttachment& attachment) {
  const auto known = volumes_.extract(attachment.uid);
  if (known.empty()) return;
  const auto found = hosts_.find(core::HostId(known.mapped()));
  if (found == hosts_.end()) return;
  --found->second->volumes;
  if (volumes_listed_) tell_volumes(*found->second);
}

void ClusterView::volumes_listed() {
  if (std::exchange(volumes_listed_, true)) return;
  for (const auto& [id, host] : hosts_) tell_volumes(*host);
}

void ClusterView::tell_volumes(const Host& host) {
  report_(host.id, core::VolumesSeen{.attached = host.volumes});
}

void ClusterView::claims_known(const std::string& ns, const std::set<std::string>& shared) {
  for (const auto& [id, host] : hosts_) tell(*host, host->units.claims_known(ns, shared));
}

void ClusterView::tell_group(const core::Observation& observation) {
  const auto* seen = std::get_if<core::GroupSeen>(&observation);
  if (seen == nullptr) {
    for (const auto& [id, host] : hosts_) report_(id, observation);
    return;
  }
  const auto concerned = by_group_.find(seen->group.id);
  if (concerned == by_group_.end()) return;
  for (const Host* host : concerned->second) report_(host->id, observation);
}

void ClusterView::trouble(const Error& error) {
  if (!hosts_.empty()) report_(hosts_.begin()->first, core::Trouble{.error = error});
}

void ClusterView::trouble(const std::string& node, const Error& error) {
  if (goes(node)) report_(core::HostId(node), core::Trouble{.error = error});
}

const kube::Pod* ClusterView::find(const core::HostId& host, const core::UnitId& id) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nullptr : found->second->units.find(id);
}

std::vector<kube::Pod> ClusterView::of_deployments(const Nodes& nodes) const {
  std::vector<kube::Pod> all;
  for (const std::string& node : nodes) {
    const auto host = hosts_.find(core::HostId(node));
    if (host == hosts_.end()) continue;
    std::ranges::move(host->second->units.of_deployments(), std::back_inserter(all));
  }
  return all;
}

bool ClusterView::any_volumes(const Nodes& nodes) const {
  return std::ranges::any_of(nodes, [this](const std::string& node) {
    const auto host = hosts_.find(core::HostId(node));
    return host != hosts_.end() && host->second->units.any_volumes();
  });
}

}  // namespace spotkeeper::effects
