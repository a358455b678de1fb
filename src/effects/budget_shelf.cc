// SPDX-License-Identifier: Apache-2.0
#include "effects/budget_shelf.h"

namespace spotkeeper::effects {

core::BudgetId id_of(const kube::Budget& budget) {
  return core::BudgetId(budget.ns + "/" + budget.name);
}

bool BudgetShelf::put(const kube::Budget& budget) {
  const auto [at, fresh] = budgets_.try_emplace(id_of(budget), budget);
  const bool regroups = fresh || at->second.selector != budget.selector;
  at->second = budget;
  return regroups;
}

void BudgetShelf::erase(const kube::Budget& budget) {
  budgets_.erase(id_of(budget));
}

std::vector<core::BudgetId> BudgetShelf::guards(const kube::Pod& pod) const {
  std::vector<core::BudgetId> ids;
  for (auto at = budgets_.lower_bound(core::BudgetId(pod.ns + "/"));
       at != budgets_.end() && at->second.ns == pod.ns; ++at) {
    if (at->second.covers(pod)) ids.push_back(at->first);
  }
  return ids;
}

core::Budget BudgetShelf::at(const core::BudgetId& id) const {
  return core::Budget{.id = id, .allows = budgets_.at(id).disruptions_allowed};
}

}  // namespace spotkeeper::effects
