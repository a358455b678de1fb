// SPDX-License-Identifier: Apache-2.0
// The plans of a Drain's units, made anew when the facts change.
#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

// With only the lead changed, its words are the same: they name whole seconds.
bool reads_alike(const Plan& before, const Plan& now) {
  const auto second = [](Time time) { return std::chrono::floor<Seconds>(time); };
  return second(before.force) == second(now.force) && second(before.ask_by) == second(now.ask_by) &&
         (before.ask_by <= before.start) == (now.ask_by <= now.start) &&
         before.start == now.start && before.fits == now.fits;
}

}  // namespace

void Drain::hear(const PolicyChanged& changed) {
  if (policy_.rules == changed.rules) {
    matters_ = false;
    return;
  }
  policy_.rules = changed.rules;
  forget_wanted();
  note(Level::kInfo, What::kPlanned, nullptr, "the policy has changed: every pod is planned anew");
}

void Drain::hear(const Crowd& crowd) {
  plans_stale_ = plans_stale_ || crowd.lead != crowd_.lead || crowd.brief != crowd_.brief;
  crowd_ = crowd;
}

void Drain::count_ahead() {
  const bool ends = hard() && !finished_ && !withdrawn_ && !only_marks() && !policy_.dry_run;
  released_ = 0;
  ahead_ = {};
  for (const auto& [id, track] : tracks_) {
    if (track.awaits_start()) ++released_;
    if (!ends || track.told || track.plan.mode == Mode::kNotOurs) continue;
    ++ahead_.stops;
    ahead_.requests += track.unit.budgets.empty() ? 1 : kMostRequestsPerStop;
  }
}

// What is wanted of the units is to be found out anew.
void Drain::forget_wanted() {
  plans_stale_ = true;
  for (auto& [id, track] : tracks_) track.wanted.reset();
}

// A unit of the host itself that is told in its last seconds, though it is exempt.
bool Drain::is_signalled(const Unit& unit) const {
  return unit.daemon && !unit.exempt.empty() && policy_.signal_daemons && hard();
}

// Plans follow the facts. The moments at which units are forced are laid out backwards through the
// request rate: a unit that is due late shares it with all that are due no later.
void Drain::replan() {
  if (!std::exchange(plans_stale_, false)) return;
  again_ = true;
  struct Due {
    Track& track;
    Seconds needs;
  };
  std::vector<Due> due;
  std::vector<Seconds> needs;
  due.reserve(tracks_.size());
  lowest_order_ = INT_MAX;
  const auto count_order = [this](const Plan& plan) {
    const bool in_turn = plan.mode == Mode::kAtOnce || plan.mode == Mode::kHandOver;
    if (in_turn) lowest_order_ = std::min(lowest_order_, plan.order);
  };
  for (auto& [id, track] : tracks_) {
    if (track.told && !track.plan.why.empty()) {
      count_order(track.plan);
      continue;
    }
    if (!track.wanted) track.wanted = wanted_for(track.unit, notice_, policy_);
    const Seconds needed = needed_grace(track.unit, *track.wanted, policy_) + track.wanted->margin;
    const bool stays = !track.unit.exempt.empty() && !is_signalled(track.unit);
    if (!stays && !track.told) needs.push_back(needed);
    due.push_back({track, needed});
  }
  std::sort(needs.begin(), needs.end());
  for (const Due& each : due) {
    const auto no_later = needs.end() - std::lower_bound(needs.begin(), needs.end(), each.needs);
    plan(each.track, *each.track.wanted,
         crowd_.lead + stop_lead(static_cast<int>(no_later),
                                 requests_per_stop(budgets_.watched(), crowd_.brief), slowest_,
                                 policy_));
    count_order(each.track.plan);
  }
}

// Most plans are as they were when something of another unit has changed.
bool Drain::plan_holds(const Track& track, const Wanted& wanted, Millis lead) const {
  if (!track.basis) return false;
  const Basis& basis = *track.basis;
  return basis.lead == lead && basis.kind == notice_.kind && basis.deadline == notice_.deadline &&
         basis.marked == mark_.done && basis.wanted == wanted &&
         (!basis.may_hand_over || basis.no_hand_over == no_hand_over(track));
}

void Drain::plan(Track& track, const Wanted& asked_for, Millis lead) {
  const Mode before = track.plan.mode;
  // What has begun is not left half done.
  const bool under_way = track.release.open();
  if (under_way && asked_for.mode == Mode::kAtOnce) {
    Wanted wanted = asked_for;
    wanted.mode = Mode::kHandOver;
    if (!plan_holds(track, wanted, lead)) make_plan(track, std::move(wanted), lead);
  } else if (!plan_holds(track, asked_for, lead)) {
    make_plan(track, asked_for, lead);
  }
  if (track.plan.mode != before) track.planned = false;
  // What budgets guard it is part of the reason: not told before they are known, and neither is a
  // hand-over before its group is.
  if (track.planned || track.told || policy_.dry_run || !budgets_.known()) return;
  if (track.plan.mode == Mode::kHandOver && waits_for_group(track)) return;
  track.planned = true;
  note(track.plan.mode == Mode::kNotOurs ? Level::kDebug : Level::kInfo, What::kPlanned, &track,
       fmt::format("{}: {}", to_string(track.plan.mode), track.plan.why));
}

void Drain::make_plan(Track& track, Wanted wanted, Millis lead) {
  Plan before = std::exchange(track.plan,
                              plan_moments(track.unit, wanted, notice_, policy_, lead, track.seen));
  const bool may_hand_over = track.plan.mode == Mode::kHandOver;
  std::string why_not = may_hand_over ? no_hand_over(track) : std::string();
  const bool only_lead = track.basis && !track.late && track.basis->kind == notice_.kind &&
                         track.basis->deadline == notice_.deadline &&
                         track.basis->wanted == wanted && track.basis->no_hand_over == why_not;
  if (only_lead && reads_alike(before, track.plan)) {
    track.plan.mode = before.mode;
    track.plan.why = std::move(before.why);
    track.plan.no_hand_over = std::move(before.no_hand_over);
  } else {
    track.plan = plan_unit(track.unit, wanted, why_not, notice_, policy_, lead, track.seen);
  }
  if (track.plan.mode == Mode::kAtOnce && track.late) {
    // Without a last moment it is left alone: the drain would never end.
    track.plan.mode = hard() ? Mode::kLastMoment : Mode::kNotOurs;
    track.plan.start = track.plan.force;
    track.plan.why = mark_.done ? "placed here in spite of the mark: asked now it would come back"
                                : "placed here because the host could not be marked";
  }
  if (track.late && is_signalled(track.unit)) {
    track.plan.mode = Mode::kNotOurs;
    track.plan.start = track.plan.ask_by = track.plan.force = kNever;
    track.plan.why = "a DaemonSet pod that came after the mark: told now it would come back";
  }
  track.basis = {.wanted = std::move(wanted),
                 .lead = lead,
                 .kind = notice_.kind,
                 .deadline = notice_.deadline,
                 .marked = mark_.done,
                 .may_hand_over = may_hand_over,
                 .no_hand_over = std::move(why_not)};
}

}  // namespace spotkeeper::core
