// SPDX-License-Identifier: Apache-2.0
// Turns the pods of one node and the PodDisruptionBudgets around them into what the core knows:
// units and budgets. Pure bookkeeping: each change answers with the observations that follow.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "effects/release.h"
#include "kube/calls.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

struct PodRules {
  bool ignore_daemon_sets = true;  // false changes only what is said: see exempt_reason
  std::string own_pod;             // our own pod's name; empty: unknown
  std::string own_namespace;       // empty: any
};

// Why a pod is not moved; empty when it is. docs/design.md, rule 1.
std::string exempt_reason(const kube::Pod& pod, const PodRules& rules);

class PodUnits {
 public:
  using Observations = std::vector<core::Observation>;

  explicit PodUnits(PodRules rules) : rules_(std::move(rules)) {}

  Observations pod_changed(const kube::Pod& pod, Time now);
  Observations pod_gone(const kube::Pod& pod);
  // The claims of a namespace that many hosts may have at once. Until then nothing is said of it:
  // a group is not known before the claims of its namespace are.
  Observations claims_known(const std::string& ns, std::set<std::string> shared);
  Observations budget_changed(const kube::Budget& budget);
  Observations budget_gone(const kube::Budget& budget);

  // All that is known now, for a drain that begins later.
  Observations everything() const;

  // The unit's pod as last seen; nullptr when it is not on the node any more.
  const kube::Pod* find(const core::UnitId& id) const;

  // Those whose replacement somebody would start.
  std::vector<kube::Pod> of_deployments() const;
  bool any_volumes() const;

 private:
  struct Known {
    kube::Pod pod;
    core::Unit unit;
    std::optional<Place> place;
  };
  Observations status_changed(Known& known, const kube::Pod& pod, Time now);
  std::vector<core::BudgetId> guards(const kube::Pod& pod) const;
  std::string no_hand_over(const kube::Pod& pod) const;
  static std::optional<Place> place_in(const Known& known, const kube::Pod& pod);
  void regroup(const std::string& ns, Observations& out);

  PodRules rules_;
  std::map<core::UnitId, Known> pods_;
  std::map<core::BudgetId, kube::Budget> budgets_;
  std::map<std::string, std::set<std::string>> shared_claims_;  // by namespace
};

}  // namespace spotkeeper::effects
