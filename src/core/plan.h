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

enum class Mode {
  kNotOurs,     // stays: why is in the plan
  kAtOnce,      // asked now, has all the time that is left
  kLastMoment,  // left alone until its last moment, then told
};

const char* to_string(Mode mode);

struct Plan {
  Mode mode = Mode::kAtOnce;
  Time start{};      // not asked before this
  Time force{};      // from now on its budget can no longer hold it; kNever for soft notices
  Seconds grace{};   // what it is granted: its own or the override
  bool fits = true;  // its whole grace fits between start and the end
  std::string why;   // one sentence
};

// The moment everything is to be done: the deadline less the margin.
Time end_of(const Notice& notice, const Policy& policy);

// The part of its grace (its own or the override) that no budget may take from a unit.
Seconds needed_grace(const Unit& unit, const Policy& policy);

// How much earlier than its grace asks a unit has to be stopped. `stops_no_later`: how many units
// of this host (itself included) may have to be stopped no later than this one; each takes up to
// two requests, and they share the request rate. `slowest`: how long an answer has taken so far.
Millis stop_lead(int stops_no_later, Millis slowest, const Policy& policy);

Plan plan_unit(const Unit& unit, const Notice& notice, const Policy& policy, Millis lead, Time now);

// The grace to put on a request that is the unit's last: what it is granted, cut to what is left of
// the time before the margin, or else of the margin. Never 0, which would remove the object and
// leave the process running. Past the deadline the host may live a little longer, and 10 s are
// granted.
Seconds last_grace(const Plan& plan, const Notice& notice, const Policy& policy, Time now);

}  // namespace spotkeeper::core
