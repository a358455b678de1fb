// SPDX-License-Identifier: Apache-2.0
// What the hosts that go have in common: how fast replacements come, and how many are waited for,
// because the controllers that start them are shared; so are groups and budgets. Kept by the Desk;
// read by its Drains.
#pragma once

#include <map>

#include "base/clock.h"
#include "core/unit.h"

namespace spotkeeper::core {

class Pace {
 public:
  // What one host has of what is shared.
  struct Part {
    std::map<GroupId, int>
        bereft;  // units out of it of which no replacement is known to be started
    std::map<BudgetId, int> asked;  // Ready units asked under it, without an answer

    bool operator==(const Part&) const = default;
  };

  // What was so up to `now`: so many are waited for from now on, and so many more have come.
  void counted(int open, int came, Time now);

  // When the last one did.
  Time last_came() const { return last_came_; }

  // Released units whose replacement is not started yet.
  int open() const { return open_; }

  // Some host has `now` instead of `before`.
  void counted(const Part& before, const Part& now);
  // On all hosts but the one that has `own`.
  int bereft_elsewhere(const GroupId& group, const Part& own) const;
  int asked_elsewhere(const BudgetId& budget, const Part& own) const;

  // How long so many replacements take to be started.
  Millis time_for(int releases) const;

  // Whether another release beside so many would be followed through soon.
  bool has_room_beside(int open) const;
  bool has_room() const { return has_room_beside(open_); }

  // All that decides (Drain::fingerprint).
  struct State {
    int came;
    Millis waited;
    Time counted;
  };
  State state() const { return {came_, waited_, counted_}; }

 private:
  int open_ = 0;
  Part all_;
  int came_ = 0;
  Millis waited_{0};  // in which at least one was waited for
  Time counted_{};
  Time last_came_{};
};

}  // namespace spotkeeper::core
