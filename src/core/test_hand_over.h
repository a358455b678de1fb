// SPDX-License-Identifier: Apache-2.0
// For tests of the hand-over: a Drain whose units belong to the Deployment default/web, and what
// its ReplicaSet does, told by hand.
#pragma once

#include <string>
#include <vector>

#include "core/test_drain.h"

namespace spotkeeper::core {

inline const GroupId kWeb("default/web");
inline const BudgetId kBudget("ns/b");
inline const std::vector<Budget> kClosed{{.id = kBudget, .allows = 0}};
inline const std::vector<Budget> kOpen{{.id = kBudget, .allows = 10}};

inline Unit replica(const std::string& name, Seconds grace = Seconds(30),
                    std::vector<std::string> budgets = {}) {
  Unit unit = make_unit(name, grace, std::move(budgets));
  unit.group = kWeb;
  unit.facts = {.ns = "default", .owner_kind = "Deployment", .labels = {}};
  return unit;
}

// A replica behind a budget.
inline Unit guarded_replica(const std::string& name, Seconds grace = Seconds(30)) {
  return replica(name, grace, {kBudget.value});
}

// As it is seen when its ReplicaSet has let go of it.
inline Unit let_go(Unit unit) {
  unit.released = unit.orphan = true;
  return unit;
}

// As it is seen when it is released and its ReplicaSet does not react.
inline Unit frozen(Unit unit) {
  unit.released = true;
  return unit;
}

inline Unit unready(Unit unit) {
  unit.ready = false;
  return unit;
}

class HandOverDrain : public TestDrain {
 public:
  using TestDrain::TestDrain;

  void see(const Unit& unit) { tell(UnitSeen{.unit = unit}); }

  void group(int wanted, int owned, int ready, const std::string& why_not = "") {
    tell(GroupSeen{.group = {.id = kWeb,
                             .wanted = wanted,
                             .owned = owned,
                             .ready = ready,
                             .no_hand_over = why_not}});
  }

  void budget(int allows) { tell(BudgetSeen{.budget = {.id = kBudget, .allows = allows}}); }

  // The units are released, and their ReplicaSet lets go of them; no replacement is there yet.
  void release(const std::vector<Unit>& units, const std::vector<Budget>& budgets = {}) {
    begin(units, budgets);
    const auto count = static_cast<int>(units.size());
    group(count, count, 0);
    for (const Action& action : take()) answer(action);
    for (const Unit& unit : units) see(let_go(unit));
    group(count, 0, 0);
  }

  // … and has started all of their replacements.
  void replace(const std::vector<Unit>& units, const std::vector<Budget>& budgets = {}) {
    release(units, budgets);
    const auto count = static_cast<int>(units.size());
    group(count, count, 0);
  }

  bool said(What what, const std::string& text) const {
    return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      return entry.what == what && entry.text.find(text) != std::string::npos;
    });
  }
};

}  // namespace spotkeeper::core
