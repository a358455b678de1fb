// SPDX-License-Identifier: Apache-2.0
#include "core/budget_book.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::core {

bool BudgetBook::seen(const Budget& budget) {
  const auto [at, fresh] = lines_.try_emplace(budget.id);
  Line& line = at->second;
  const bool differs = fresh || (line.credit > 0) != (budget.allows > 0);
  line.budget = budget;
  line.credit = budget.allows;
  ++line.heard;
  line.ready_again = {};
  line.unready_again = {};
  return differs;
}

void BudgetBook::gone(const BudgetId& id) {
  lines_.erase(id);
}

void BudgetBook::listed(bool watched) {
  known_ = true;
  watched_ = watched;
}

BudgetBook::Hold BudgetBook::hold(const Unit& unit, const Policy& policy, Time now,
                                  int elsewhere) const {
  using Why = Hold::Why;
  if (!known_) return Hold{.why = Why::kUnread};
  if (unit.budgets.size() > 1) {
    return Hold{.why = Why::kSeveral, .count = static_cast<int>(unit.budgets.size())};
  }
  for (const BudgetId& id : unit.budgets) {
    const auto found = lines_.find(id);
    if (found == lines_.end()) continue;
    const Line& line = found->second;
    const Time rest = line.credit > 0 ? Time{} : line.unready_rest;
    const Time again = unit.ready ? line.ready_again : std::max(line.unready_again, rest);
    if (now < again) return Hold{.why = Why::kRefused, .budget = id};
    if (unit.ready && line.credit <= 0 && again == Time{}) {
      return Hold{.why = Why::kClosed, .budget = id};
    }
    // Last: that others are asked must not hide that it would not be asked without them.
    const int in_flight = line.in_flight + elsewhere;
    const bool taken = elsewhere > 0 && unit.ready && again == Time{} && line.credit <= elsewhere;
    if (taken || in_flight >= policy.asks_per_budget) {
      return Hold{.why = Why::kInFlight, .budget = id, .count = in_flight};
    }
  }
  return {};
}

std::string BudgetBook::describe(const Hold& hold) {
  const std::string& id = hold.budget.value;
  switch (hold.why) {
    case Hold::Why::kNothing:
      return {};
    case Hold::Why::kUnread:
      return "its budgets have not been read yet";
    case Hold::Why::kSeveral:
      return fmt::format("guarded by {} budgets: the API refuses to evict such a pod", hold.count);
    case Hold::Why::kInFlight:
      return fmt::format("{} evictions under budget {} are in flight", hold.count, id);
    case Hold::Why::kRefused:
      return fmt::format("budget {} has just refused", id);
    case Hold::Why::kClosed:
      return fmt::format("budget {} allows no disruption now", id);
  }
  return {};
}

std::vector<BudgetBook::Asked> BudgetBook::asked(const Unit& unit) {
  std::vector<Asked> all;
  for (const BudgetId& id : unit.budgets) {
    const auto found = lines_.find(id);
    if (found == lines_.end()) continue;
    Line& line = found->second;
    ++line.in_flight;
    // A unit that is not Ready does not count as healthy: it takes no disruption.
    if (unit.ready) --line.credit;
    all.push_back({.id = id, .heard = line.heard, .ready = unit.ready});
  }
  return all;
}

bool BudgetBook::answered(const std::vector<Asked>& asked, bool refused, Time again, Time rest) {
  bool known = false;
  for (const Asked& one : asked) {
    const auto found = lines_.find(one.id);
    if (found == lines_.end()) continue;
    known = true;
    Line& line = found->second;
    line.in_flight = std::max(0, line.in_flight - 1);
    if (refused && !one.ready) {
      line.unready_rest = rest;
      last_again_ = std::max(last_again_, rest);
    }
    if (!refused || line.heard > one.heard) continue;
    line.credit = 0;
    (one.ready ? line.ready_again : line.unready_again) = again;
    last_again_ = std::max(last_again_, again);
  }
  return known;
}

void BudgetBook::failed(const std::vector<Asked>& asked) {
  for (const Asked& one : asked) {
    const auto found = lines_.find(one.id);
    if (found != lines_.end() && one.ready && found->second.heard == one.heard) {
      ++found->second.credit;
    }
  }
}

Time BudgetBook::wake(Time now) const {
  Time earliest = kNever;
  if (last_again_ <= now) return earliest;
  for (const auto& [id, line] : lines_) {
    if (line.ready_again > now) earliest = std::min(earliest, line.ready_again);
    if (line.unready_again > now) earliest = std::min(earliest, line.unready_again);
    if (line.unready_rest > now) earliest = std::min(earliest, line.unready_rest);
  }
  return earliest;
}

}  // namespace spotkeeper::core
