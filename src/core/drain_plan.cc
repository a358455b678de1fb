// SPDX-License-Identifier: Apache-2.0
// The plans of a Drain's units, made anew when the facts change.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {

void Drain::hear(const PolicyChanged& changed) {
  if (policy_.rules == changed.rules) {
    matters_ = false;
    return;
  }
  policy_.rules = changed.rules;
  plans_stale_ = true;
  note(Level::kInfo, What::kPlanned, nullptr, "the policy has changed: every pod is planned anew");
}

void Drain::hear(const Crowd& crowd) {
  plans_stale_ = plans_stale_ || crowd.lead != crowd_;
  crowd_ = crowd.lead;
}

int Drain::requests_ahead() const {
  if (finished_ || withdrawn_ || !hard() || policy_.mark_only || policy_.dry_run) return 0;
  int requests = 0;
  for (const auto& [id, track] : tracks_) {
    if (track.told || track.plan.mode == Mode::kNotOurs) continue;
    requests += track.unit.budgets.empty() ? 1 : kRequestsPerStop;
  }
  return requests;
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
  std::vector<Seconds> needs;
  guards_.clear();
  groups_here_.clear();
  const auto needed = [this](const Unit& unit) {
    const Wanted wanted = wanted_for(unit, notice_, policy_);
    return needed_grace(unit, wanted, policy_) + wanted.margin;
  };
  for (const auto& [id, track] : tracks_) {
    guards_.insert(track.unit.budgets.begin(), track.unit.budgets.end());
    if (!track.unit.group.value.empty()) groups_here_.insert(track.unit.group);
    if ((!track.unit.exempt.empty() && !is_signalled(track.unit)) || track.told) continue;
    needs.push_back(needed(track.unit));
  }
  std::sort(needs.begin(), needs.end());
  for (auto& [id, track] : tracks_) {
    if (!track.plan.why.empty() && track.told) continue;
    const Wanted wanted = wanted_for(track.unit, notice_, policy_);
    const auto no_later =
        needs.end() - std::lower_bound(needs.begin(), needs.end(), needed(track.unit));
    const Millis lead = crowd_ + stop_lead(static_cast<int>(no_later), slowest_, policy_);
    plan(track, wanted, lead);
  }
}

void Drain::plan(Track& track, const Wanted& asked_for, Millis lead) {
  const Mode before = track.plan.mode;
  // What has begun is not left half done.
  Wanted wanted = asked_for;
  const bool under_way = track.release.out() || track.release.step == Release::Step::kReturning;
  if (under_way && wanted.mode == Mode::kAtOnce) wanted.mode = Mode::kHandOver;
  const auto planned = [&](const std::string& no_hand_over) {
    return plan_unit(track.unit, wanted, no_hand_over, notice_, policy_, lead, track.seen);
  };
  track.plan = planned("");
  if (track.plan.mode == Mode::kHandOver) {
    const std::string why_not = no_hand_over(track);
    if (!why_not.empty()) track.plan = planned(why_not);
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
  if (track.plan.mode != before) track.planned = false;
  // What budgets guard it is part of the reason: not told before they are known, and neither is a
  // hand-over before its group is.
  if (track.planned || track.told || policy_.dry_run || !budgets_.known()) return;
  if (track.plan.mode == Mode::kHandOver && waits_for_group(track)) return;
  track.planned = true;
  note(track.plan.mode == Mode::kNotOurs ? Level::kDebug : Level::kInfo, What::kPlanned, &track,
       fmt::format("{}: {}", to_string(track.plan.mode), track.plan.why));
}

}  // namespace spotkeeper::core
