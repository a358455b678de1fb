// SPDX-License-Identifier: Apache-2.0
#include "effects/pod_units.h"

namespace spotkeeper::effects {
namespace {

core::BudgetId id_of(const kube::Budget& budget) {
  return core::BudgetId(budget.ns + "/" + budget.name);
}

core::Budget to_core(const core::BudgetId& id, const kube::Budget& budget) {
  return core::Budget{.id = id, .allows = budget.disruptions_allowed};
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
  Known& known = pods_[core::UnitId(pod.uid)];
  const std::optional<Time> ending_before = known.unit.ending;
  known.ref = kube::PodRef{.ns = pod.ns, .name = pod.name, .uid = pod.uid};
  known.labels = pod.labels;
  core::Unit unit;
  unit.id = core::UnitId(pod.uid);
  unit.name = pod.ns + "/" + pod.name;
  if (pod.owner) unit.owner = pod.owner->kind + "/" + pod.owner->name;
  unit.grace = Seconds(pod.grace_s);
  unit.ready = pod.ready;
  unit.exempt = exempt_reason(pod, rules_);
  if (pod.deletion) unit.ending = ending_before ? ending_before : std::optional(now);
  unit.ended = pod.finished();
  unit.budgets = guards(pod);
  unit.local_data = pod.empty_dir;
  if (known.unit == unit) return {};
  known.unit = unit;
  return {core::UnitSeen{.unit = unit}};
}

PodUnits::Observations PodUnits::pod_gone(const kube::Pod& pod) {
  pods_.erase(core::UnitId(pod.uid));
  return {core::UnitGone{.id = core::UnitId(pod.uid)}};
}

PodUnits::Observations PodUnits::budget_changed(const kube::Budget& budget) {
  const core::BudgetId id = id_of(budget);
  const auto [at, fresh] = budgets_.try_emplace(id, budget);
  const bool regroups = fresh || at->second.selector != budget.selector;
  at->second = budget;
  Observations out;
  out.emplace_back(core::BudgetSeen{.budget = to_core(id, budget)});
  if (regroups) regroup(budget.ns, out);  // most changes are of its status
  return out;
}

PodUnits::Observations PodUnits::budget_gone(const kube::Budget& budget) {
  const core::BudgetId id = id_of(budget);
  budgets_.erase(id);
  Observations out;
  out.emplace_back(core::BudgetGone{.id = id});
  regroup(budget.ns, out);
  return out;
}

PodUnits::Observations PodUnits::everything() const {
  Observations out;
  for (const auto& [id, budget] : budgets_) {
    out.emplace_back(core::BudgetSeen{.budget = to_core(id, budget)});
  }
  for (const auto& [id, known] : pods_) out.emplace_back(core::UnitSeen{.unit = known.unit});
  return out;
}

std::optional<kube::PodRef> PodUnits::find(const core::UnitId& id) const {
  const auto found = pods_.find(id);
  if (found == pods_.end()) return std::nullopt;
  return found->second.ref;
}

std::vector<core::BudgetId> PodUnits::guards(const kube::Pod& pod) const {
  std::vector<core::BudgetId> ids;
  for (const auto& [id, budget] : budgets_) {
    if (budget.covers(pod)) ids.push_back(id);
  }
  return ids;
}

// A budget came, changed its selector or went: pods of its namespace may be guarded otherwise now.
void PodUnits::regroup(const std::string& ns, Observations& out) {
  for (auto& [id, known] : pods_) {
    if (known.ref.ns != ns) continue;
    kube::Pod pod;
    pod.ns = known.ref.ns;
    pod.labels = known.labels;
    std::vector<core::BudgetId> now = guards(pod);
    if (now == known.unit.budgets) continue;
    known.unit.budgets = std::move(now);
    out.emplace_back(core::UnitSeen{.unit = known.unit});
  }
}

}  // namespace spotkeeper::effects
