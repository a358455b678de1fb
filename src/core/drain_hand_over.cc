// SPDX-License-Identifier: Apache-2.0
// Handing over: a unit is taken out of its group, which starts a replacement at once; the unit
// serves on and is asked to leave when enough others are Ready. What the answers and the unit's
// labels say of it is in drain_release.cc. docs/design.md, rule 6.
#include <fmt/format.h>

#include <algorithm>

#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
// Why the unit cannot be handed over, or not any more; empty: it can. Where its group is not known
// yet it is waited for.
std::string Drain::no_hand_over(const Track& track) const {
  if (track.release.step == Release::Step::kGivenUp) return track.release.why_not;
  if (track.release.step != Release::Step::kNone) return {};  // under way
  const bool interruption = hard() || moves_only_slow(policy_, notice_);
  if (policy_.hand_over == HandOver::kNever) return "switched off";
  if (policy_.hand_over == HandOver::kInterruptions && !interruption) {
    return "not for a notice that may come to nothing";
  }
  if (!abilities_.hand_over) return "we may not (see the missing rights)";
  if (!hard() && !track.cannot_be_asked.empty()) {
    return "it could not be asked afterwards: " + track.cannot_be_asked;
  }
  if (track.unit.group.value.empty()) return "nobody would start a replacement first";
  if (!track.unit.no_hand_over.empty()) return track.unit.no_hand_over;
  if (track.late) return "it came after the mark, and so may its replacement";
  if (!track.unit.ready) return "it is not Ready, so that nothing is lost";
  if (std::string why = groups_.barred(track.unit.facts.ns, now_); !why.empty()) return why;
  const Group* group = groups_.find(track.unit.group);
  if (group != nullptr && !group->no_hand_over.empty()) return group->no_hand_over;
  if (track.plan.ask_by <= now_ && budgets_.known()) {
    using Why = BudgetBook::Hold::Why;
    const BudgetBook::Hold held =
        budgets_.hold(track.unit, policy_, now_, asked_elsewhere(track.unit));
    if (held.why == Why::kNothing || held.why == Why::kInFlight) {
      return "there is no time for it, and its budget lets it go";
    }
  }
  if (group != nullptr) return {};
  if (!groups_unread_.empty()) return groups_unread_;
  return now_ < group_due(track) ? "" : "its Deployment could not be read in time";
}

bool Drain::waits_for_group(const Track& track) const {
  return track.release.step == Release::Step::kNone && groups_.find(track.unit.group) == nullptr;
}

// Groups are looked for when the first of their units is seen.
Time Drain::group_due(const Track& track) const {
  return track.seen + policy_.mark_patience;
}

// How many of the group's units may go: those Ready elsewhere, and those that are out of it and
// serve on here, beyond what it wants.
int Drain::surplus(const GroupId& id) const {
  const Group* group = groups_.find(id);
  if (group == nullptr) return 0;
  int out = 0;
  for (const auto& [unit, track] : tracks_) {
    if (!track.release.out() || !track.unit.ready || track.told) continue;
    if (!track.leaving() && !track.returning() && track.unit.group == id) ++out;
  }
  return group->ready + out - group->wanted;
}

// It is out of its group, and no replacement is known to be started.
bool Drain::is_bereft(const Track& track) {
  const bool replaced = track.release.step == Release::Step::kConfirmed && !track.returning();
  return track.unit.orphan && !replaced;
}

void Drain::count_part() {
  part_ = {};
  if (finished_ || shared_pace_ == nullptr) return;
  for (const auto& [id, track] : tracks_) {
    if (is_bereft(track)) ++part_.bereft[track.unit.group];
    for (const BudgetBook::Asked& asked : track.asked_under) {
      if (track.in_flight_with(ActionKind::kAsk) && asked.ready) ++part_.asked[asked.id];
    }
  }
}

// Under its budget, without an answer yet.
int Drain::asked_elsewhere(const Unit& unit) const {
  if (shared_pace_ == nullptr || unit.budgets.empty()) return 0;
  return shared_pace_->asked_elsewhere(unit.budgets.front(), part_);
}

// How many replacements the group is short of, beyond those of its units, on any host, that are out
// of it and not known to be replaced. Negative: of some of these the replacement was started.
// Positive: that of some unit which had been replaced has gone.
int Drain::unreplaced(const GroupId& id) const {
  const Group* group = groups_.find(id);
  if (group == nullptr) return 0;
  auto open = std::count_if(tracks_.begin(), tracks_.end(), [&id](const auto& entry) {
    return is_bereft(entry.second) && entry.second.unit.group == id;
  });
  if (shared_pace_ != nullptr) open += shared_pace_->bereft_elsewhere(id, part_);
  return std::max(0, group->wanted - group->owned) - static_cast<int>(open);
}

// True while the hand-over holds the unit back, or has just done something for it.
bool Drain::hand_over(Track& track) {
  switch (track.release.step) {
    case Release::Step::kNone:
      return release(track);
    case Release::Step::kReleased:
      return confirm(track);
    case Release::Step::kConfirmed:
      return await_replacement(track);
    case Release::Step::kReturning:
      if (track.unit.released || track.unit.orphan) {
        if (now_ < track.release.since + kConfirmWithin) return true;
      }
      // A release that was slow may have come after it. Only who stays must not be left so.
      if (withdrawn_ && track.unit.released && ++track.release.refusals < kPutBackTries) {
        return put_back(track, track.release.why_not);
      }
      give_up_release(track, track.release.why_not);
      return false;
    case Release::Step::kGivenUp:
      return false;
  }
  return false;
}

// A release or a replacement that is not followed through within kConfirmWithin is given up; where
// others are meanwhile, the controllers are busy, and it has so much longer.
Time Drain::confirm_by(Time since) const {
  const Time going_on = std::max(since, pace().last_came());
  return std::min(going_on + kConfirmWithin, since + kConfirmAtMost);
}

// How many replacements are to be started up to the unit's own: of those released already, and
// with those that are released before it.
Drain::Ahead Drain::ahead_of(const Track& track) const {
  Ahead ahead{.released = pace().open() - open_counted_};
  bool before = true;
  for (const auto& [id, other] : tracks_) {
    before = before && &other != &track;
    if (other.awaits_start()) ++ahead.released;
    if (before && other.awaits_release()) ++ahead.waiting;
  }
  return ahead;
}

// When a hand-over that has not begun is too late to begin, so many being ahead of it.
Time Drain::release_by(const Track& track, const Ahead& ahead) const {
  const Time by = track.plan.ask_by > now_ ? track.plan.ask_by : track.plan.force;
  if (by == kNever) return kNever;
  return by - kConfirmWithin - pace().time_for(ahead.released + ahead.waiting + 1);
}

bool Drain::release(Track& track) {
  if (!no_hand_over(track).empty()) {  // it is only looked at when plans are made
    plans_stale_ = true;
    replan();
    return false;
  }
  if (waits_for_group(track) || !budgets_.known()) return true;
  const Ahead ahead = ahead_of(track);
  if (now_ > release_by(track, ahead)) {
    give_up_release(track, fmt::format("{} replacements are to come before its own, and by what "
                                       "was seen there is no time for all",
                                       ahead.released + ahead.waiting));
    return false;
  }
  // A busy controller must not be taken for one that refuses.
  if (!pace().has_room_beside(ahead.released)) {
    waits_for_room_ = true;
    hold(track, "the replacements of others are to be started first");
    return true;
  }
  note(track.failures < 2 ? Level::kInfo : Level::kDebug, What::kReleased, &track,
       "taken out of its Deployment, which starts its replacement");
  act(ActionKind::kRelease, &track, track.plan.why).patience = kConfirmWithin;
  return true;
}

bool Drain::confirm(Track& track) {
  if (track.unit.orphan && unreplaced(track.unit.group) < 0) {
    step(track, Release::Step::kConfirmed);
    return await_replacement(track);
  }
  // What is not Ready serves nobody; but its group must not stay frozen.
  if (now_ < confirm_by(track.release.since)) return track.unit.ready;
  if (track.unit.orphan && groups_.find(track.unit.group) == nullptr) {
    // Found after a restart: its replacement may be Ready, and would be lost.
    if (!groups_unread_.empty() || !track.unit.ready || now_ >= track.plan.ask_by) return false;
    hold(track, "it was taken out of its Deployment, which is not known yet");
    return true;
  }
  const auto waited = std::chrono::duration_cast<Seconds>(now_ - track.release.since);
  const std::string why = fmt::format(
      "its release was not followed through within {} s ({})", waited.count(),
      track.unit.orphan ? "no replacement was started" : "its ReplicaSet did not let go of it");
  groups_.bar(track.unit.facts.ns, now_ + kBarredFor,
              "a release in this namespace was not followed through lately");
  plans_stale_ = true;  // those of others in the namespace
  replan();
  return put_back(track, why);
}

bool Drain::await_replacement(Track& track) {
  // What is not Ready serves nobody, and its place is taken.
  if (!track.unit.ready) return false;
  if (surplus(track.unit.group) > 0) {
    if (!track.release.enough) {
      track.release.enough = now_;
      note(Level::kInfo, What::kReplaced, &track, "enough others are Ready");
    }
    return false;
  }
  if (unreplaced(track.unit.group) <= 0 || track.release.enough) {
    track.release.missing.reset();
  } else if (now_ < track.release.since + kConfirmWithin) {
    // The group was counted before the unit had left it.
    step(track, Release::Step::kReleased);
    return true;
  } else if (!track.release.missing) {
    track.release.missing = now_;
  } else if (now_ >= confirm_by(*track.release.missing)) {
    return put_back(track, "its replacement has gone, and no other was started");
  }
  if (now_ >= track.plan.ask_by) return false;
  hold(track, "its replacement is to be Ready first");
  return true;
}

// True when it is under way. Shortly before its last moment the unit is left where it is: it is
// told then, which ends the matter as well.
bool Drain::put_back(Track& track, const std::string& why) {
  if (!withdrawn_ && track.plan.force != kNever && now_ + kConfirmWithin >= track.plan.force) {
    give_up_release(track, why);
    return false;
  }
  track.release.why_not = why;
  const bool again = track.failures > 0 || track.release.refusals > 0;
  note(again ? Level::kDebug : Level::kWarning, What::kPutBack, &track,
       "put back into its Deployment: " + why);
  act(ActionKind::kPutBack, &track, why).patience = kConfirmWithin;
  return true;
}

void Drain::give_up_release(Track& track, std::string why) {
  step(track, Release::Step::kGivenUp);
  track.release.why_not = std::move(why);
  plans_stale_ = true;
  replan();
}

void Drain::step(Track& track, Release::Step to) {
  const Release::Step from = track.release.step;
  again_ = true;
  if (from == Release::Step::kReleased && to != from) {
    if (to == Release::Step::kConfirmed) ++came_;
  } else if (to == Release::Step::kReleased && from == Release::Step::kConfirmed) {
    --came_;  // it was counted too early
  }
  track.release.step = to;
  track.release.since = now_;
  track.release.missing.reset();
}

// When a step of the hand-over is over, whatever is heard. `ahead` of it, where it has not begun.
Time Drain::release_due(const Track& track, const Ahead& ahead) const {
  switch (track.release.step) {
    case Release::Step::kNone: {
      if (track.plan.mode != Mode::kHandOver) return kNever;
      if (now_ < group_due(track) && waits_for_group(track)) return group_due(track);
      const Time by = release_by(track, ahead);
      return by == kNever ? kNever : by + Millis(1);
    }
    case Release::Step::kReleased:
      return confirm_by(track.release.since);
    case Release::Step::kReturning:
      return track.release.since + kConfirmWithin;
    case Release::Step::kConfirmed:
      return track.release.missing ? confirm_by(*track.release.missing) : kNever;
    case Release::Step::kGivenUp:
      return kNever;
  }
  return kNever;
}

}  // namespace spotkeeper::core
