// SPDX-License-Identifier: Apache-2.0
#include "effects/budget_shelf.h"

#include <algorithm>

namespace spotkeeper::effects {

namespace {

std::string label_of(const std::string& ns) {
  return ns + "/";
}

std::string label_of(const std::string& ns, const std::string& key, const std::string& value) {
  return label_of(ns) + key + "=" + value;
}

std::string label_of(const kube::Budget& budget) {
  if (!budget.selector || budget.selector->match_labels.empty()) return label_of(budget.ns);
  const auto& [key, value] = *budget.selector->match_labels.begin();
  return label_of(budget.ns, key, value);
}

}  // namespace

core::BudgetId id_of(const kube::Budget& budget) {
  return core::BudgetId(budget.ns + "/" + budget.name);
}

bool BudgetShelf::put(const kube::Budget& budget) {
  const auto [at, fresh] = budgets_.try_emplace(id_of(budget), budget);
  const bool regroups = fresh || at->second.selector != budget.selector;
  if (regroups && !fresh) std::erase(by_label_[label_of(at->second)], &at->second);
  at->second = budget;
  if (regroups) by_label_[label_of(budget)].push_back(&at->second);
  return regroups;
}

void BudgetShelf::erase(const kube::Budget& budget) {
  const auto found = budgets_.find(id_of(budget));
  if (found == budgets_.end()) return;
  const auto others = by_label_.find(label_of(found->second));
  std::erase(others->second, &found->second);
  if (others->second.empty()) by_label_.erase(others);
  budgets_.erase(found);
}

std::vector<core::BudgetId> BudgetShelf::guards(const kube::Pod& pod) const {
  std::vector<core::BudgetId> ids;
  const auto look = [&](const std::string& label) {
    const auto found = by_label_.find(label);
    if (found == by_label_.end()) return;
    for (const kube::Budget* budget : found->second) {
      if (budget->covers(pod)) ids.push_back(id_of(*budget));
    }
  };
  look(label_of(pod.ns));
  for (const auto& [key, value] : pod.labels) look(label_of(pod.ns, key, value));
  std::ranges::sort(ids);
  return ids;
}

core::Budget BudgetShelf::at(const core::BudgetId& id) const {
  return core::Budget{.id = id, .allows = budgets_.at(id).disruptions_allowed};
}

}  // namespace spotkeeper::effects
