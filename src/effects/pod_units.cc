// SPDX-License-Identifier: Apache-2.0
#include "effects/pod_units.h"

#include <algorithm>

#include "kube/workloads.h"

namespace spotkeeper::effects {
namespace {

bool same_but_status(const kube::Pod& a, const kube::Pod& b) {
  return a.labels == b.labels && a.annotations == b.annotations && a.owner == b.owner &&
         a.grace_s == b.grace_s && a.mirror == b.mirror && a.empty_dir == b.empty_dir &&
         a.priority_class == b.priority_class && a.claims == b.claims &&
         a.own_volumes == b.own_volumes && a.host_port == b.host_port &&
         a.tolerates_cordon == b.tolerates_cordon && a.tolerates_all == b.tolerates_all;
}

}  // namespace

std::string exempt_reason(const kube::Pod& pod, const PodRules& rules) {
  if (pod.mirror) return "a static pod: the kubelet keeps it, the API cannot move it";
  if (pod.finished()) return "has finished already";
  if (!rules.own_pod.empty() && pod.name == rules.own_pod &&
      (rules.own_namespace.empty() || pod.ns == rules.own_namespace)) {
    return "our own pod";
  }
  if (pod.owner && pod.owner->kind == "DaemonSet") {
    return rules.ignore_daemon_sets
               ? "a DaemonSet pod: it serves the node to its end"
               : "a DaemonSet pod: IGNORE_DAEMON_SETS=false does not stop the drain of the others";
  }
  return {};
}

PodUnits::Observations PodUnits::pod_changed(const kube::Pod& pod, Time now) {
  const auto [at, fresh] = pods_.try_emplace(core::UnitId(pod.uid));
  Known& known = at->second;
  if (!fresh && same_but_status(known.pod, pod)) return status_changed(known, pod, now);
  const std::optional<Time> ending_before = known.unit.ending;
  known.place = place_in(known, pod);
  // What its labels match is looked at again only where they, or a budget (regroup), change.
  const bool same_labels = !fresh && known.pod.labels == pod.labels;
  known.pod = pod;
  core::Unit unit;
  unit.id = core::UnitId(pod.uid);
  unit.name = pod.ns + "/" + pod.name;
  if (pod.owner) unit.owner = pod.owner->kind + "/" + pod.owner->name;
  unit.grace = Seconds(pod.grace_s);
  unit.ready = pod.ready;
  unit.exempt = exempt_reason(pod, rules_);
  if (pod.deletion) unit.ending = ending_before ? ending_before : std::optional(now);
  unit.ended = pod.finished();
  unit.budgets = same_labels ? known.unit.budgets : budgets_->guards(pod);
  unit.local_data = pod.empty_dir;
  unit.volumes = !pod.claims.empty() || pod.own_volumes;
  unit.critical = pod.priority_class.starts_with("system-");
  unit.daemon = pod.owner && pod.owner->kind == "DaemonSet" && !pod.tolerates_all;
  unit.facts = {.ns = pod.ns, .owner_kind = pod.owner ? pod.owner->kind : "", .labels = pod.labels};
  unit.wish = wish_of(pod);
  unit.orphan = !pod.owner;
  if (const std::optional<Place>& place = known.place) {
    unit.group = core::GroupId(pod.ns + "/" + place->deployment);
    unit.facts.owner_kind = "Deployment";
    unit.owner = "ReplicaSet/" + place->replica_set;  // also of one that was taken out of it
    unit.released = pod.labels.contains(kReleasedLabel);
    unit.no_hand_over = no_hand_over(pod);
  }
  if (known.unit == unit) return {};
  known.unit = std::move(unit);
  Observations out;
  tell_guards(known.unit.budgets, out);
  out.emplace_back(core::UnitSeen{.unit = known.unit});
  return out;
}

// What most changes are: the unit is not made anew.
PodUnits::Observations PodUnits::status_changed(Known& known, const kube::Pod& pod, Time now) {
  known.pod.node = pod.node;
  known.pod.resource_version = pod.resource_version;
  known.pod.phase = pod.phase;
  known.pod.ready = pod.ready;
  known.pod.deletion = pod.deletion;
  known.pod.deletion_grace_s = pod.deletion_grace_s;
  bool differs = false;
  const auto set = [&differs](auto& fact, auto to) {
    if (fact == to) return;
    fact = std::move(to);
    differs = true;
  };
  core::Unit& unit = known.unit;
  set(unit.ready, pod.ready);
  set(unit.exempt, exempt_reason(pod, rules_));
  set(unit.ending, pod.deletion && !unit.ending ? std::optional(now)
                   : pod.deletion               ? unit.ending
                                                : std::nullopt);
  set(unit.ended, pod.finished());
  Observations out;
  if (differs) out.emplace_back(core::UnitSeen{.unit = unit});
  return out;
}

PodUnits::Observations PodUnits::pod_gone(const kube::Pod& pod) {
  pods_.erase(core::UnitId(pod.uid));
  return {core::UnitGone{.id = core::UnitId(pod.uid)}};
}

PodUnits::Observations PodUnits::budget_changed(const kube::Budget& budget) {
  return budget_put(budget, budgets_->put(budget));
}

PodUnits::Observations PodUnits::budget_gone(const kube::Budget& budget) {
  budgets_->erase(budget);
  return budget_erased(budget);
}

PodUnits::Observations PodUnits::budget_put(const kube::Budget& budget, bool regroups) {
  const core::BudgetId id = id_of(budget);
  Observations out;
  if (told_.contains(id)) out.emplace_back(core::BudgetSeen{.budget = budgets_->at(id)});
  if (!regroups) return out;
  for (auto& [unit_id, known] : pods_) {
    const bool guarded = std::ranges::find(known.unit.budgets, id) != known.unit.budgets.end();
    if (known.pod.ns == budget.ns && budget.covers(known.pod) != guarded) regroup(known, out);
  }
  return out;
}

PodUnits::Observations PodUnits::budget_erased(const kube::Budget& budget) {
  const core::BudgetId id = id_of(budget);
  if (told_.erase(id) == 0) return {};
  Observations out;
  out.emplace_back(core::BudgetGone{.id = id});
  for (auto& [unit_id, known] : pods_) {
    if (known.pod.ns == budget.ns) regroup(known, out);
  }
  return out;
}

// A budget is told before the first unit that it guards.
void PodUnits::tell_guards(const std::vector<core::BudgetId>& guards, Observations& out) {
  for (const core::BudgetId& id : guards) {
    if (told_.insert(id).second) out.emplace_back(core::BudgetSeen{.budget = budgets_->at(id)});
  }
}

PodUnits::Observations PodUnits::everything() const {
  Observations out;
  for (const core::BudgetId& id : told_) {
    out.emplace_back(core::BudgetSeen{.budget = budgets_->at(id)});
  }
  for (const auto& [id, known] : pods_) out.emplace_back(core::UnitSeen{.unit = known.unit});
  return out;
}

const kube::Pod* PodUnits::find(const core::UnitId& id) const {
  const auto found = pods_.find(id);
  return found == pods_.end() ? nullptr : &found->second.pod;
}

std::vector<kube::Pod> PodUnits::of_deployments() const {
  std::vector<kube::Pod> pods;
  for (const auto& [id, known] : pods_) {
    if (!known.unit.group.value.empty() && known.unit.exempt.empty()) pods.push_back(known.pod);
  }
  return pods;
}

bool PodUnits::any_volumes() const {
  return std::ranges::any_of(pods_, [](const auto& entry) { return entry.second.unit.volumes; });
}

std::string PodUnits::no_hand_over(const kube::Pod& pod) const {
  const auto shared = shared_claims_.find(pod.ns);
  for (const std::string& claim : pod.claims) {
    if (shared == shared_claims_.end() || shared->second.contains(claim)) continue;
    return "it mounts volume claim " + claim + ", which one host at a time may have";
  }
  return hand_over_obstacle(pod);
}

PodUnits::Observations PodUnits::claims_known(const std::string& ns, std::set<std::string> shared) {
  shared_claims_[ns] = std::move(shared);
  Observations out;
  for (auto& [id, known] : pods_) {
    if (known.pod.ns != ns || known.unit.group.value.empty()) continue;
    std::string why = no_hand_over(known.pod);
    if (why == known.unit.no_hand_over) continue;
    known.unit.no_hand_over = std::move(why);
    out.emplace_back(core::UnitSeen{.unit = known.unit});
  }
  return out;
}

// Put back, and not yet taken again: it belongs where it belonged, and is waited for.
std::optional<Place> PodUnits::place_in(const Known& known, const kube::Pod& pod) {
  std::optional<Place> place = place_of(pod);
  if (place || pod.owner || !known.place) return place;
  const auto hash = pod.labels.find(kube::kHashLabel);
  const bool back = hash != pod.labels.end() && hash->second == known.place->hash;
  return back ? known.place : std::nullopt;
}

// A budget came, changed its selector or went: the pod may be guarded otherwise now.
void PodUnits::regroup(Known& known, Observations& out) {
  std::vector<core::BudgetId> now = budgets_->guards(known.pod);
  if (now == known.unit.budgets) return;
  tell_guards(now, out);
  known.unit.budgets = std::move(now);
  out.emplace_back(core::UnitSeen{.unit = known.unit});
}

}  // namespace spotkeeper::effects
