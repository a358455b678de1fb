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

// Plans follow the facts. The moments at which units are forced are laid out backwards through the
// request rate: a unit that is due late shares it with all that are due no later.
void Drain::replan() {
  if (!std::exchange(plans_stale_, false)) return;
  std::vector<Seconds> needs;
  guards_.clear();
  groups_here_.clear();
  for (const auto& [id, track] : tracks_) {
    guards_.insert(track.unit.budgets.begin(), track.unit.budgets.end());
    if (!track.unit.group.value.empty()) groups_here_.insert(track.unit.group);
    if (!track.unit.exempt.empty() || track.told) continue;
    needs.push_back(needed_grace(track.unit, wanted_for(track.unit, notice_, policy_), policy_));
  }
  std::sort(needs.begin(), needs.end());
  for (auto& [id, track] : tracks_) {
    if (!track.plan.why.empty() && track.told) continue;
    const Wanted wanted = wanted_for(track.unit, notice_, policy_);
    const auto no_later = needs.end() - std::lower_bound(needs.begin(), needs.end(),
                                                         needed_grace(track.unit, wanted, policy_));
    const Millis lead = stop_lead(static_cast<int>(no_later), slowest_, policy_);
    plan(track, wanted, lead);
  }
}

void Drain::plan(Track& track, const Wanted& wanted, Millis lead) {
  const Mode before = track.plan.mode;
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
