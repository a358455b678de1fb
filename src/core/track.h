// SPDX-License-Identifier: Apache-2.0
// What is known of one unit of the host, and how far its move has come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/budget_book.h"
#include "core/plan.h"
#include "core/unit.h"

namespace spotkeeper::core {

// How far a hand-over has come. docs/design.md, rule 6.
struct Release {
  enum class Step {
    kNone,
    kReleased,   // out of its group; whether a replacement is started is to be seen
    kConfirmed,  // it is: the unit goes when enough others are Ready
    kReturning,  // put back; its owner is to take it again
    kGivenUp,    // it is moved like any other
  };
  Step step = Step::kNone;
  Time since{};                 // the step
  std::optional<Time> enough;   // enough others were Ready, first
  std::optional<Time> missing;  // confirmed: its replacement has gone, since
  int refusals = 0;             // of putting it back
  bool seen = false;            // its labels have said that it is out
  std::string why_not;          // given up: why

  // Out of its group, and not on the way back.
  bool out() const { return step == Step::kReleased || step == Step::kConfirmed; }
  // Out of its group, or on the way back.
  bool open() const { return out() || step == Step::kReturning; }
};

// What a plan was made of, beside the unit: while that stays the same, so does the plan.
struct Basis {
  Wanted wanted;
  Millis lead{};
  NoticeKind kind{};
  Time deadline{};
  bool marked = false;
  bool may_hand_over = false;  // it is to be handed over, unless
  std::string no_hand_over;    // … there is a reason why not
};

struct Track {
  Unit unit;
  Time seen{};
  bool late = false;  // placed here after the mark, or after it was given up
  Plan plan;
  std::optional<Wanted> wanted;  // unset: to be found out, by the unit, the notice and the rules
  std::optional<Basis> basis;    // unset: `unit` has changed since the plan was made
  Release release;
  bool forewarned = false;    // or tried in vain
  std::optional<Time> asked;  // first request that may make it leave
  std::optional<Time> told;   // its deletion was written
  std::optional<Time> gone;
  bool told_by_us = false;
  bool overruling = false;       // being stopped against its budget
  bool overruled = false;        // and so told
  bool stop_now = false;         // asking is pointless, stopping is right
  bool last_ask_failed = false;  // the eviction at `force` was refused or failed
  bool refused = false;          // … by its budget
  std::string last_no;           // the last refusal or failure, for the post-mortem
  bool cannot_be_stopped = false;
  std::string cannot_be_asked;                 // why the API will not evict it; empty: it may
  bool explained = false;                      // or tried in vain
  std::vector<BudgetBook::Asked> asked_under;  // while an ask is in flight
  uint64_t in_flight = 0;                      // number of the action without an answer
  Time in_flight_since{};
  ActionKind in_flight_kind = ActionKind::kAsk;
  bool in_flight_last = false;
  int failures = 0;  // in a row
  Time next_try{};
  std::string held;       // why it waits, as last journalled
  BudgetBook::Hold hold;  // the same as a value, when it is a budget
  bool planned = false;   // its plan has been journalled

  bool in_flight_with(ActionKind kind) const { return in_flight != 0 && in_flight_kind == kind; }
  // It has been asked or told to leave, and the answer is out.
  bool leaving() const {
    return in_flight_with(ActionKind::kAsk) || in_flight_with(ActionKind::kStop);
  }
  // It is handed over, and that has not begun.
  bool awaits_release() const {
    return !told && plan.mode == Mode::kHandOver && release.step == Release::Step::kNone &&
           !in_flight_with(ActionKind::kRelease);
  }
  // … and it has, but its replacement is not started yet.
  bool awaits_start() const {
    return !told &&
           (release.step == Release::Step::kReleased || in_flight_with(ActionKind::kRelease));
  }
  // It is being put back into its group, or has just been.
  bool returning() const {
    return release.step == Release::Step::kReturning || in_flight_with(ActionKind::kPutBack);
  }
};

}  // namespace spotkeeper::core
