// SPDX-License-Identifier: Apache-2.0
// The PodDisruptionBudgets of a cluster, once for all hosts that go. Pure.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/unit.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

core::BudgetId id_of(const kube::Budget& budget);

class BudgetShelf {
 public:
  // Whether pods may be guarded otherwise now: it is new, or selects others than before. Most
  // changes are of its status.
  bool put(const kube::Budget& budget);
  void erase(const kube::Budget& budget);

  // Those that cover the pod, by name.
  std::vector<core::BudgetId> guards(const kube::Pod& pod) const;

  // It must be there.
  core::Budget at(const core::BudgetId& id) const;

 private:
  std::map<core::BudgetId, kube::Budget> budgets_;
  // A pod need not be held against all of them: each is found by a label that it demands
  // ("namespace/key=value"), or, where it demands none, by "namespace/".
  std::unordered_map<std::string, std::vector<const kube::Budget*>> by_label_;
};

}  // namespace spotkeeper::effects
