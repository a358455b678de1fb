// SPDX-License-Identifier: Apache-2.0
// Turns the pods of one node and the PodDisruptionBudgets around them into what the core knows:
// units and budgets. Pure bookkeeping: each change answers with the observations that follow.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "effects/budget_shelf.h"
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

  // With budgets of its own.
  explicit PodUnits(PodRules rules) : PodUnits(std::move(rules), std::make_shared<BudgetShelf>()) {}
  // With budgets that are shared with other hosts; who shares them puts them there.
  PodUnits(PodRules rules, std::shared_ptr<BudgetShelf> budgets)
      : rules_(std::move(rules)), budgets_(std::move(budgets)) {}

  Observations pod_changed(const kube::Pod& pod, Time now);
  Observations pod_gone(const kube::Pod& pod);
  // The claims of a namespace that many hosts may have at once. Until then nothing is said of it:
  // a group is not known before the claims of its namespace are.
  Observations claims_known(const std::string& ns, std::set<std::string> shared);
  // Of budgets only those are told that guard, or have guarded, a pod of the node.
  Observations budget_changed(const kube::Budget& budget);
  Observations budget_gone(const kube::Budget& budget);
  // The same where the shelf is shared and shows it already. `regroups`: see BudgetShelf::put.
  Observations budget_put(const kube::Budget& budget, bool regroups);
  Observations budget_erased(const kube::Budget& budget);

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
  void tell_guards(const std::vector<core::BudgetId>& guards, Observations& out);
  Observations status_changed(Known& known, const kube::Pod& pod, Time now);
  std::string no_hand_over(const kube::Pod& pod) const;
  static std::optional<Place> place_in(const Known& known, const kube::Pod& pod);
  void regroup(Known& known, Observations& out);

  PodRules rules_;
  std::map<core::UnitId, Known> pods_;
  std::shared_ptr<BudgetShelf> budgets_;
  std::set<core::BudgetId> told_;                               // budgets
  std::map<std::string, std::set<std::string>> shared_claims_;  // by namespace
};

}  // namespace spotkeeper::effects
