// SPDX-License-Identifier: Apache-2.0
// For tests of this folder: a Drain with a clock that is moved by hand, and what it has said so
// far.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/drain.h"

namespace spotkeeper::core {

inline constexpr Time kNoon = Time(Seconds(1'800'000'000));

inline Notice spot_notice(Seconds in = Seconds(120)) {
  return Notice{.id = NoticeId("spot-itn-1"),
                .kind = NoticeKind::kSpotInterruption,
                .deadline = kNoon + in,
                .source = "imds",
                .detail = "terminate"};
}

inline Unit make_unit(const std::string& name, Seconds grace = Seconds(30),
                      std::vector<std::string> budgets = {}) {
  Unit unit{.id = UnitId("uid-" + name), .name = "default/" + name, .grace = grace, .ready = true};
  for (std::string& id : budgets) unit.budgets.emplace_back(std::move(id));
  return unit;
}

inline Error refusal() {
  return Error{.kind = ErrorKind::kRetryable,
               .message = "evict pods/eviction: 429 TooManyRequests",
               .status = 429,
               .budget = true};
}

inline Error weather() {
  return Error{.kind = ErrorKind::kRetryable, .message = "connection refused"};
}

// The authoriser's no: the right itself is missing.
inline Error denied(const std::string& what) {
  return Error{.kind = ErrorKind::kDenied,
               .message = what + " 403 Forbidden: User \"u\" cannot do that",
               .status = 403,
               .no_right = true};
}

// An admission webhook's no, about one pod.
inline Error forbidden() {
  return Error{.kind = ErrorKind::kDenied,
               .message = "403 Forbidden: admission webhook said no",
               .status = 403};
}

inline Error unauthorized() {
  return Error{.kind = ErrorKind::kDenied, .message = "401 Unauthorized", .status = 401};
}

inline Error busy(int retry_after_s) {
  return Error{.kind = ErrorKind::kRetryable,
               .message = "503 Service Unavailable",
               .status = 503,
               .retry_after_s = retry_after_s};
}

class TestDrain {
 public:
  explicit TestDrain(Policy policy = {}, Notice notice = spot_notice())
      : drain(HostId("n1"), notice, policy, kNoon) {
    tell(NoticeHeard{.notice = notice});
  }

  void tell(const Observation& observation) {
    Output out = drain.on(observation, now);
    for (Action& action : out.actions) actions.push_back(std::move(action));
    for (Entry& entry : out.entries) entries.push_back(std::move(entry));
  }

  // Moves the clock, ticking whenever the drain wants it.
  void advance_to(Seconds offset) {
    const Time until = kNoon + offset;
    while (drain.wake() <= until) {
      now = std::max(now, drain.wake());
      tell(Tick{});
    }
    now = until;
    tell(Tick{});
  }

  // The actions since the last call.
  std::vector<Action> take() {
    std::vector<Action> taken = std::move(actions);
    actions.clear();
    return taken;
  }

  void answer(const Action& action, Result<std::string> result = std::string("done")) {
    tell(ActionDone{.number = action.number, .result = std::move(result)});
  }

  // Marked, and all is listed: what an ordinary drain looks like after the first moments.
  void begin(const std::vector<Unit>& units, const std::vector<Budget>& budgets = {}) {
    for (const Action& action : take()) answer(action);
    for (const Budget& budget : budgets) tell(BudgetSeen{.budget = budget});
    tell(BudgetsListed{});
    for (const Unit& unit : units) tell(UnitSeen{.unit = unit});
    tell(UnitsListed{});
  }

  const Track& track(const std::string& name) const {
    for (const Track* track : drain.tracks()) {
      if (track->unit.name == "default/" + name) return *track;
    }
    throw std::out_of_range(name);
  }

  int count(What what) const {
    return static_cast<int>(std::count_if(entries.begin(), entries.end(), [&](const Entry& e) {
      return e.what == what && e.level != Level::kDebug;
    }));
  }

  Time now = kNoon;
  Drain drain;
  std::vector<Action> actions;
  Journal entries;
};

// "ask default/web, stop default/db" for comparisons.
inline std::string describe(const std::vector<Action>& actions) {
  std::string text;
  for (const Action& action : actions) {
    text += (text.empty() ? "" : ", ") + std::string(to_string(action.kind));
    if (!action.unit_name.empty()) text += " " + action.unit_name;
    if (action.grace) text += " " + std::to_string(action.grace->count()) + "s";
  }
  return text;
}

}  // namespace spotkeeper::core
