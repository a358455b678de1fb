// SPDX-License-Identifier: Apache-2.0
// The units' side of a Drain: who is held, asked, stopped, and when. What the answers mean is in
// drain_answers.cc.
#include <fmt/format.h>

#include <algorithm>

#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

// How long an answer is waited for: near the end a request that hangs must not eat the grace.
constexpr Millis kExplainPatience{1'000};
constexpr Millis kLeastPatience{3'000};
constexpr Millis kMostPatience{10'000};

// No last moment: a soft notice.
std::string until_force(const Plan& plan) {
  if (plan.force == kNever) return {};
  return "; that can hold it until " + format_time_s(plan.force);
}

// Whether what a plan is made of has changed.
bool plan_differs(const Unit& before, const Unit& after) {
  return before.grace != after.grace || before.exempt != after.exempt ||
         before.local_data != after.local_data || before.budgets != after.budgets ||
         before.ready != after.ready || before.group != after.group ||
         before.no_hand_over != after.no_hand_over || before.facts != after.facts ||
         before.wish != after.wish || before.critical != after.critical ||
         before.daemon != after.daemon;
}

std::string budget_names(const Unit& unit) {
  if (unit.budgets.empty()) return "no known budget";
  std::string names = "budget";
  for (const BudgetId& id : unit.budgets) names += " " + id.value;
  return names;
}

}  // namespace

void Drain::hear(const UnitSeen& seen) {
  Track& track = track_of(seen.unit.id);
  const bool first = track.seen == Time{};
  if (first) {
    track.seen = now_;
    track.late = listed_ && now_ > marked_at_ + kMarkSettles;
    if (!abilities_.ask && abilities_.stop) track.cannot_be_asked = kMayNotEvict;
    track.explained = !abilities_.explain;
  }
  const bool differs = first || plan_differs(track.unit, seen.unit);
  plans_stale_ = plans_stale_ || differs;
  if (differs) {
    track.wanted.reset();
    track.basis.reset();
  }
  // How a pod fares that stays where it is concerns nobody.
  const bool moves = seen.unit.exempt.empty() || is_signalled(seen.unit);
  matters_ = differs || moves || track.unit.exempt.empty() || track.told;
  const bool was_released = track.unit.released;
  track.unit = seen.unit;
  release_seen(track, was_released);
  if (track.unit.ending && !track.told && moves) {
    const bool ours = track.leaving();
    unit_told(track,
              ours    ? told_text(track.in_flight_kind)
              : first ? "it was ending already when it was first seen"
                      : "it ends: somebody else deleted it",
              ours);
  }
  if (track.told && track.unit.ended) unit_gone(track, "its processes have ended");
}

void Drain::hear(const UnitGone& gone) {
  const auto found = tracks_.find(gone.id);
  matters_ = found != tracks_.end();
  if (!matters_) return;
  Track& track = found->second;
  if (track.leaving()) {
    unit_told(track, told_text(track.in_flight_kind), true);  // the watch overtakes the answer
  }
  unit_gone(track, "");
}

void Drain::consider(Track& track) {
  const bool back = returns(track);
  if (track.told || track.in_flight != 0 || (track.plan.mode == Mode::kNotOurs && !back)) return;
  const bool last_moment = now_ >= track.plan.force;
  // A pause that the API asks for ends at the unit's last moment.
  if (now_ < track.next_try || (!last_moment && now_ < paused_until_)) return;
  // Who is told now, or is not to go at all, is not told that it will go.
  const bool goes = !back && !last_moment && track.plan.start != kNever;
  if (policy_.early_word && !track.forewarned && abilities_.forewarn && goes) {
    forewarn(track);
  } else if (track.stop_now) {
    send_stop(track, "the API asks for deletion instead of eviction");
  } else if (last_moment) {
    force(track);
  } else if (back) {
    take_back(track, "it is to be left alone: " + track.plan.why);
  } else if (now_ >= track.plan.start) {
    if (track.plan.mode == Mode::kHandOver && hand_over(track)) return;
    if (waits_for_turn(track)) return hold(track, "others go before it");
    ask(track);
  }
}

// Units of a lower order go first, as long as that costs nobody its grace.
bool Drain::waits_for_turn(const Track& track) const {
  const Time until = track.plan.ask_by == kNever ? started_ + kTurnPatience : track.plan.ask_by;
  if (now_ >= until) return false;
  return lowest_order_ < track.plan.order;
}

void Drain::forewarn(Track& track) {
  track.forewarned = true;
  act(ActionKind::kForewarn, &track, "it will go, and may prepare").patience = kExplainPatience;
}

// Before `force`: only what its budget allows.
void Drain::ask(Track& track) {
  if (!track.cannot_be_asked.empty()) {
    const bool unguarded = budgets_.watched() && track.unit.budgets.empty();
    const bool may_stop = hard() || notice_.kind == NoticeKind::kManual;
    if (!abilities_.ask && unguarded && may_stop && !track.cannot_be_stopped) {
      send_stop(track, "we may not evict, and no budget guards it");
    } else {
      hold(track, track.cannot_be_asked);
    }
    return;
  }
  if (!budgets_.known()) return;  // a matter of milliseconds, at most of mark_patience
  const int elsewhere = asked_elsewhere(track.unit);
  BudgetBook::Hold held = budgets_.hold(track.unit, policy_, now_, elsewhere);
  if (held) {
    if (held.why == BudgetBook::Hold::Why::kInFlight && elsewhere > 0) waits_for_others_ = true;
    if (!track.held.empty() && held.same_as(track.hold)) return;
    hold(track, BudgetBook::describe(held));
    track.hold = std::move(held);
    return;
  }
  track.hold = {};
  send_ask(track, grace_to_ask(track), false,
           track.release.enough ? "its replacement was Ready first" : track.plan.why);
}

// Its own grace, unless the operator or the deadline says otherwise: what is longer than the host
// lives would let the host end before the kubelet sends SIGTERM (after a long preStop hook, say).
// A grace of 0 would remove the object and leave the process running.
std::optional<Seconds> Drain::grace_to_ask(const Track& track) const {
  if (hard() && now_ + track.plan.grace > end_of(notice_, track.plan.margin)) {
    return last_grace(track.plan, notice_, now_);
  }
  if (policy_.grace_override || track.plan.grace < Seconds(1)) {
    return std::max(Seconds(1), track.plan.grace);
  }
  return std::nullopt;
}

// From `force` on: one last eviction, then deletion. Of many hosts nobody is asked in vain: an
// eviction that is refused costs the API server more than a deletion.
void Drain::force(Track& track) {
  const bool askable = track.cannot_be_asked.empty() && track.unit.budgets.size() <= 1 &&
                       !(crowd_.brief && is_known_closed(track.unit));
  if (askable && !track.last_ask_failed) {
    const Seconds grace = last_grace(track.plan, notice_, now_);
    const bool waited = track.plan.force > track.plan.start;
    send_ask(track, grace, true,
             fmt::format("{}: {} s of grace still fit",
                         waited ? "its last moment" : "at once, there is no time to wait",
                         grace.count()));
  } else if (!track.explained && !goes_unexplained(track.unit)) {
    send_explanation(track);
  } else {
    const bool guarded = track.refused || !track.unit.budgets.empty();
    if (guarded && !track.overruling) {
      track.overruling = true;
      note(Level::kWarning, What::kOverruled, &track,
           budget_names(track.unit) + " has held it to its last moment");
    }
    send_stop(track, guarded ? "its last moment, and its budget does not let it go"
                             : "its last moment, and it could not be evicted");
  }
}

bool Drain::is_known_closed(const Unit& unit) const {
  if (!budgets_.watched()) return false;
  return budgets_.hold(unit, policy_, now_).why == BudgetBook::Hold::Why::kClosed;
}

// Of many hosts only what somebody acts on is explained: a Job may not count it as a failure (its
// podFailurePolicy, by the condition DisruptionTarget).
bool Drain::goes_unexplained(const Unit& unit) const {
  return crowd_.brief && unit.facts.owner_kind != "Job";
}

void Drain::send_ask(Track& track, std::optional<Seconds> grace, bool last, std::string reason) {
  if (!track.asked) track.asked = now_;
  track.held.clear();
  track.in_flight_last = last;
  track.asked_under = budgets_.asked(track.unit);
  note(track.failures < 2 ? Level::kInfo : Level::kDebug, What::kAsked, &track, reason);
  Action& action = act(ActionKind::kAsk, &track, std::move(reason));
  action.grace = grace;
  if (hard()) {
    action.patience = std::clamp<Millis>(track.plan.force - now_, kLeastPatience, kMostPatience);
  }
}

void Drain::send_explanation(Track& track) {
  act(ActionKind::kExplain, &track,
      fmt::format("{} ends the host at {}", to_string(notice_.kind),
                  format_time_s(notice_.deadline)))
      .patience = kExplainPatience;
}

void Drain::send_stop(Track& track, std::string reason) {
  if (!track.asked) track.asked = now_;
  note(track.failures < 2 ? Level::kInfo : Level::kDebug, What::kStopped, &track, reason);
  Action& action = act(ActionKind::kStop, &track, std::move(reason));
  action.grace =
      now_ >= track.plan.force ? last_grace(track.plan, notice_, now_) : grace_to_ask(track);
  action.patience = kLeastPatience;
}

void Drain::hold(Track& track, std::string why) {
  if (why == track.held) return;
  track.held = why;
  note(Level::kInfo, What::kHeld, &track, why + until_force(track.plan));
}

std::string Drain::obstacle(const Track& track) const {
  if (track.told || track.gone || track.plan.mode == Mode::kNotOurs) return {};
  if (!track.cannot_be_asked.empty()) return track.cannot_be_asked;
  return BudgetBook::describe(
      budgets_.hold(track.unit, policy_, now_, asked_elsewhere(track.unit)));
}

}  // namespace spotkeeper::core
