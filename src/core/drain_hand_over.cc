// SPDX-License-Identifier: Apache-2.0
// Handing over: a unit is taken out of its group, which starts a replacement at once; the unit
// serves on and is asked to leave when enough others are Ready. docs/design.md, rule 6.
#include <fmt/format.h>

#include <algorithm>

#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

// A release is followed through within this, or taken back; and so long its owner is waited for
// when it is.
constexpr Seconds kConfirmWithin{3};
// Nothing of a namespace is handed over so long after a release there was not followed through.
constexpr std::chrono::minutes kBarredFor{10};

}  // namespace

void Drain::hear(const GroupSeen& seen) {
  matters_ = groups_here_.contains(seen.group.id);
  const Group* before = groups_.find(seen.group.id);
  // Plans are told and made by whether units can be handed over, not by how many there are.
  if (before == nullptr || before->no_hand_over != seen.group.no_hand_over) plans_stale_ = true;
  groups_.seen(seen.group, now_);
}

void Drain::hear(const GroupsUnread& unread) {
  groups_unread_ = unread.why;
  plans_stale_ = true;
}

void Drain::hear(const VolumesSeen& seen) {
  matters_ = attached_ != seen.attached;
  attached_ = seen.attached;
}

// Why the unit cannot be handed over, or not any more; empty: it can. Where its group is not known
// yet it is waited for.
std::string Drain::no_hand_over(const Track& track) const {
  if (track.release.step == Release::Step::kGivenUp) return track.release.why_not;
  if (track.release.step != Release::Step::kNone) return {};  // under way
  const bool interruption = hard() && (notice_.kind == NoticeKind::kSpotInterruption ||
                                       notice_.kind == NoticeKind::kManual);
  if (policy_.hand_over == HandOver::kNever) return "switched off";
  if (policy_.hand_over == HandOver::kInterruptions && !interruption) {
    return hard() ? "not for this kind of notice" : "not for a notice that may come to nothing";
  }
  if (!abilities_.hand_over) return "we may not (see the missing rights)";
  if (track.unit.group.value.empty()) return "nobody would start a replacement first";
  if (!track.unit.no_hand_over.empty()) return track.unit.no_hand_over;
  if (track.late) return "it came after the mark, and so may its replacement";
  if (!track.unit.ready) return "it is not Ready, so that nothing is lost";
  if (std::string why = groups_.barred(track.unit.facts.ns, now_); !why.empty()) return why;
  const Group* group = groups_.find(track.unit.group);
  if (group == nullptr) return groups_unread_;
  if (!group->no_hand_over.empty()) return group->no_hand_over;
  if (track.plan.ask_by <= now_ && budgets_.known() && !budgets_.hold(track.unit, policy_, now_)) {
    return "there is no time for it, and its budget lets it go";
  }
  return {};
}

bool Drain::waits_for_group(const Track& track) const {
  return track.release.step == Release::Step::kNone && groups_.find(track.unit.group) == nullptr;
}

// How many of the group's units may go: those Ready elsewhere, and those that are out of it and
// serve on here, beyond what it wants.
int Drain::surplus(const GroupId& id) const {
  const Group* group = groups_.find(id);
  if (group == nullptr) return 0;
  int out = 0;
  for (const auto& [unit, track] : tracks_) {
    const bool leaves =
        track.told || (track.in_flight_kind == ActionKind::kAsk && track.in_flight != 0);
    if (track.unit.group == id && track.release.out() && track.unit.ready && !leaves) ++out;
  }
  return group->ready + out - group->wanted;
}

// How many of the group's released units wait for their replacement to be started, beyond those
// for which it is missing.
int Drain::replacements_started(const GroupId& id) const {
  const Group* group = groups_.find(id);
  if (group == nullptr) return 0;
  const auto waiting = std::count_if(tracks_.begin(), tracks_.end(), [&id](const auto& entry) {
    return entry.second.unit.group == id && entry.second.release.step == Release::Step::kReleased;
  });
  return static_cast<int>(waiting) - std::max(0, group->wanted - group->owned);
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
      give_up_release(track, track.release.why_not);
      return false;
    case Release::Step::kGivenUp:
      return false;
  }
  return false;
}

bool Drain::release(Track& track) {
  if (waits_for_group(track)) {
    if (now_ < started_ + policy_.mark_patience) return true;
    give_up_release(track, "its Deployment could not be read in time");
    return false;
  }
  if (!budgets_.known()) return true;
  const auto before = std::count_if(tracks_.begin(), tracks_.end(), [](const auto& entry) {
    return entry.second.release.out() && !entry.second.release.enough && !entry.second.told;
  });
  const Time by = track.plan.ask_by > now_ ? track.plan.ask_by : track.plan.force;
  if (now_ + groups_.time_for(static_cast<int>(before) + 1, now_) > by) {
    give_up_release(track, fmt::format("{} replacements are to come before its own, and by what "
                                       "was seen there is no time for all",
                                       before));
    return false;
  }
  groups_.released(now_);
  note(Level::kInfo, What::kReleased, &track,
       "taken out of its Deployment, which starts its replacement");
  act(ActionKind::kRelease, &track, track.plan.why).patience = kConfirmWithin;
  return true;
}

bool Drain::confirm(Track& track) {
  if (track.unit.orphan && replacements_started(track.unit.group) > 0) {
    track.release.step = Release::Step::kConfirmed;
    track.release.since = now_;
    groups_.replaced();
    return await_replacement(track);
  }
  if (now_ < track.release.since + kConfirmWithin) return true;
  const std::string why = fmt::format(
      "its release was not followed through within {} s ({})", kConfirmWithin.count(),
      track.unit.orphan ? "no replacement was started" : "its ReplicaSet did not let go of it");
  groups_.bar(track.unit.facts.ns, now_ + kBarredFor,
              "a release in this namespace was not followed through lately");
  put_back(track, why);
  return true;
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
  const Group* group = groups_.find(track.unit.group);
  if (groups_.short_for(track.unit.group, now_) >= kConfirmWithin && !track.release.enough) {
    put_back(track, "its replacement has gone, and no other was started");
    return true;
  }
  if (now_ >= track.plan.ask_by) return false;
  hold(track,
       fmt::format("its replacement is to be Ready first: {} of {} are, elsewhere",
                   group == nullptr ? 0 : group->ready, group == nullptr ? 0 : group->wanted));
  return true;
}

void Drain::put_back(Track& track, const std::string& why) {
  track.release.why_not = why;
  note(Level::kWarning, What::kPutBack, &track, "put back into its Deployment: " + why);
  act(ActionKind::kPutBack, &track, why).patience = kConfirmWithin;
}

void Drain::give_up_release(Track& track, std::string why) {
  track.release.step = Release::Step::kGivenUp;
  track.release.since = now_;
  track.release.why_not = std::move(why);
  plans_stale_ = true;
  replan();
}

// What the unit's labels say: after a restart, or when an answer was lost.
void Drain::release_seen(Track& track) {
  const Release::Step step = track.release.step;
  if (track.unit.released && step == Release::Step::kNone && track.in_flight == 0) {
    track.release = Release{.step = Release::Step::kReleased, .since = now_};
    plans_stale_ = true;
    if (withdrawn_) finished_ = false;  // it goes back first
    note(Level::kInfo, What::kReleased, &track, "it was taken out of its Deployment before");
  }
}

void Drain::release_answered(Track& track, ActionKind kind, const Result<std::string>& result) {
  if (result) {
    track.failures = 0;
    track.release.step =
        kind == ActionKind::kRelease ? Release::Step::kReleased : Release::Step::kReturning;
    track.release.since = now_;
    plans_stale_ = true;  // what would have kept it from being handed over keeps it no more
    return;
  }
  const Error& error = result.error();
  if (error.kind == ErrorKind::kGone) {
    unit_gone(track, "it had left already");
  } else if (is_denied(error) || (error.kind == ErrorKind::kPermanent && error.status != 0)) {
    if (is_denied(error) && error.no_right) {
      deny(abilities_.hand_over, &track, error,
           "no pod is handed over: its Service may have a gap; allow: pods patch");
    } else {
      note(Level::kWarning, What::kRefused, &track, error.message);
      groups_.bar(track.unit.facts.ns, now_ + kBarredFor,
                  "a release in this namespace was refused");
    }
    if (kind == ActionKind::kPutBack) {
      track.next_try = now_ + kConfirmWithin;  // it must not stay without an owner
    } else {
      give_up_release(track, "its release was refused");
    }
  } else {
    back_off(track, error);
    // The answer may be lost, and not what it answered.
    release_seen(track);
    if (kind == ActionKind::kPutBack && !track.unit.released) {
      track.release.step = Release::Step::kReturning;
      track.release.since = now_;
    }
  }
}

// A drain that nobody wants any more leaves nobody without an owner: who is out of its group goes
// where enough others are Ready, and else back. True when all of that is done.
bool Drain::releases_settled() {
  bool settled = true;
  for (auto& [id, track] : tracks_) {
    const Release::Step step = track.release.step;
    const bool open = track.release.out() || step == Release::Step::kReturning;
    if (!open || track.told) continue;
    if (step == Release::Step::kReturning && track.in_flight == 0 && !hand_over(track)) continue;
    settled = false;
    if (track.in_flight != 0 || now_ < track.next_try) continue;
    if (step == Release::Step::kReturning) continue;
    const Group* group = groups_.find(track.unit.group);
    if (group != nullptr && group->wanted == 0) {
      // Its owner would have removed it without asking its budget, and now nobody will.
      track.stop_now = true;
      send_stop(track, "its Deployment is gone or scaled to 0: nobody wants it any more");
    } else if (surplus(track.unit.group) > 0 && track.unit.ready && obstacle(track).empty()) {
      ask(track);
    } else {
      put_back(track, "the drain was withdrawn");
    }
  }
  return settled;
}

// When a step of the hand-over is over, whatever is heard.
Time Drain::release_due(const Track& track) const {
  switch (track.release.step) {
    case Release::Step::kNone:
      return track.plan.mode == Mode::kHandOver ? started_ + policy_.mark_patience : kNever;
    case Release::Step::kReleased:
    case Release::Step::kReturning:
      return track.release.since + kConfirmWithin;
    case Release::Step::kConfirmed: {
      const Millis missing = groups_.short_for(track.unit.group, now_);
      return missing == Millis(0) ? kNever : now_ - missing + kConfirmWithin;
    }
    case Release::Step::kGivenUp:
      return kNever;
  }
  return kNever;
}

}  // namespace spotkeeper::core
