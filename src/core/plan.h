// SPDX-License-Identifier: Apache-2.0
// When and how one unit is moved, from the notice's own deadline. Pure arithmetic: the same facts
// give the same plan. docs/design.md, "The plan for one pod", rules 1 to 4.
#pragma once

#include <string>

#include "core/abilities.h"
#include "core/notice.h"
#include "core/policy.h"
#include "core/unit.h"

namespace spotkeeper::core {

struct Plan {
  Mode mode = Mode::kAtOnce;
  Time start{};  // not asked before this
  // Until then a hand-over, or those that go before it, may hold it back; from then on it is asked,
  // so that it keeps its whole grace where its budget allows. kNever for soft notices.
  Time ask_by{};
  Time force{};       // from now on its budget can no longer hold it; kNever for soft notices
  Seconds grace{};    // what it is granted: its own or the override
  bool fits = true;   // its whole grace fits between start and the end
  int order = 0;      // units of a lower one go first
  Seconds margin{3};  // it is to be done so long before the deadline
  std::string why;    // one sentence
  std::string no_hand_over;  // why a hand-over that is wanted cannot be; empty: it can, or is not
};

// What is to be done with a unit: its own wish, the first rule that matches, the policy, by kind
// of owner. A hand-over is only wanted here, not yet found possible.
struct Wanted {
  Mode mode = Mode::kAtOnce;
  Seconds enough_grace{60};
  Seconds margin{3};
  int order = 0;
  std::string by;  // who says so, for people: "rule batch", "its annotation"; empty: the default

  bool operator==(const Wanted&) const = default;
};
Wanted wanted_for(const Unit& unit, const Notice& notice, const Policy& policy);

// Nothing is moved for this notice.
bool marks_only(const Policy& policy, const Notice& notice);

// Only what an interruption's two minutes are too short for is moved for this notice.
bool moves_only_slow(const Policy& policy, const Notice& notice);

// The moment everything is to be done: the deadline less the margin.
Time end_of(const Notice& notice, Seconds margin);

// The part of its grace (its own or the override) that no budget may take from a unit.
Seconds needed_grace(const Unit& unit, const Wanted& wanted, const Policy& policy);

// Against a budget: a last ask, the explanation, the stop. Where it is `brief` there is only the
// stop, after the ask where the budget is not watched.
inline constexpr int kMostRequestsPerStop = 3;
constexpr int requests_per_stop(bool watched, bool brief) {
  return brief ? 2 - static_cast<int>(watched) : kMostRequestsPerStop;
}

// How much earlier than its grace asks a unit has to be stopped. `stops_no_later`: how many units
// of this host (itself included) may have to be stopped no later than this one; each takes `each`
// requests, and they share the request rate. `slowest`: how long an answer has taken so far.
Millis stop_lead(int stops_no_later, int each, Millis slowest, const Policy& policy);

// The plan without its words, as far as it does not depend on whether a hand-over that is wanted
// can be: `mode` is kHandOver where that would be asked next.
Plan plan_moments(const Unit& unit, const Wanted& wanted, const Notice& notice,
                  const Policy& policy, Millis lead, Time now);

// `no_hand_over`: why a hand-over that is wanted cannot be; empty: it can.
Plan plan_unit(const Unit& unit, const Wanted& wanted, const std::string& no_hand_over,
               const Notice& notice, const Policy& policy, Millis lead, Time now);

// The grace to put on a request that is the unit's last: what it is granted, cut to what is left of
// the time before the margin (to the nearest second), or else of the margin. Never 0, which would
// remove the object and leave the process running. Past the deadline the host may live a little
// longer, and 10 s are granted.
Seconds last_grace(const Plan& plan, const Notice& notice, Time now);

}  // namespace spotkeeper::core
