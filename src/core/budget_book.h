// SPDX-License-Identifier: Apache-2.0
// What is known of the budgets, and so which units may be asked now without being refused. The
// server serialises evictions of one budget, and a refused one costs a request: a Ready unit is
// asked only when its budget, watched live, allows it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/policy.h"
#include "core/unit.h"

namespace spotkeeper::core {

class BudgetBook {
 public:
  // Whether it has just opened or closed.
  bool seen(const Budget& budget);
  void gone(const BudgetId& id);
  void listed(bool watched);

  bool known() const { return known_; }      // all of them, or that they cannot be read
  bool watched() const { return watched_; }  // changes are heard of

  // Why a unit is not to be asked now; as a value, because it is looked at far more often than it
  // is told to anybody.
  struct Hold {
    enum class Why { kNothing, kUnread, kSeveral, kInFlight, kRefused, kClosed };
    Why why = Why::kNothing;
    BudgetId budget;
    int count = 0;  // of budgets, or of evictions in flight

    explicit operator bool() const { return why != Why::kNothing; }
    bool same_as(const Hold& other) const { return why == other.why && budget == other.budget; }
  };
  // `elsewhere`: Ready units of other hosts that are asked under its budget, without an answer.
  Hold hold(const Unit& unit, const Policy& policy, Time now, int elsewhere = 0) const;
  static std::string describe(const Hold& hold);  // empty: nothing holds it

  // What was known of a budget when a unit was asked under it.
  struct Asked {
    BudgetId id;
    uint64_t heard = 0;
    bool ready = false;
  };

  // A unit is asked; its budgets have one disruption less until the next word of them.
  std::vector<Asked> asked(const Unit& unit);

  // The answer came, or none will. A budget that refused is believed to allow nothing until it is
  // heard of again, or until `again`; not so when it was heard of after the asking. Units that are
  // not Ready are refused by what budgets do not say, and every word of theirs may change it: they
  // are not asked before `rest` all the same, unless the budget has opened. False when no budget is
  // known that could have refused.
  bool answered(const std::vector<Asked>& asked, bool refused, Time again, Time rest);

  // Before answered(): the asking failed and no budget spoke. What it took is given back, unless
  // the budget was heard of since. Should the asking have taken effect after all, it will be.
  void failed(const std::vector<Asked>& asked);

  // All that decides; `asked` of an ask without an answer, which only matters beside the book.
  std::string fingerprint(Time now) const;
  std::string fingerprint(const std::vector<Asked>& asked) const;

  // The earliest moment after `now` at which a refused budget may be tried again; kNever if none.
  Time wake(Time now) const;

 private:
  struct Line {
    Budget budget;
    int credit = 0;      // asks it will still allow, as far as we know
    int in_flight = 0;   // our asks without an answer
    uint64_t heard = 0;  // how often it was heard of
    // After a refusal nothing is asked before this, separately for Ready units and for others,
    // which the server judges by other rules. Zero: not refused since it was last heard of.
    Time ready_again{};
    Time unready_again{};
    Time unready_rest{};  // the same, whatever is heard of it but that it is open
  };
  std::map<BudgetId, Line> lines_;
  Time last_again_{};  // no line's is later
  bool known_ = false;
  bool watched_ = false;
};

}  // namespace spotkeeper::core
