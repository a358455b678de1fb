// SPDX-License-Identifier: Apache-2.0
// Handing over: what is heard of it. The groups, the answers to a release and to its taking back,
// what the unit's own labels say, and the end of a hand-over that nobody wants any more.
#include <fmt/format.h>

#include <algorithm>

#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

// A withdrawn drain waits so long for a budget to let go who was replaced.
constexpr Seconds kWithdrawnPatience{30};

}  // namespace

void Drain::hear(const GroupSeen& seen) {
  matters_ = std::any_of(tracks_.begin(), tracks_.end(), [&seen](const auto& entry) {
    return entry.second.unit.group == seen.group.id;
  });
  const Group* before = groups_.find(seen.group.id);
  // Plans are told and made by whether units can be handed over, not by how many there are.
  const bool differs = before == nullptr || before->no_hand_over != seen.group.no_hand_over;
  plans_stale_ = plans_stale_ || (matters_ && differs);
  groups_.seen(seen.group);
}

void Drain::hear(const GroupsUnread& unread) {
  groups_unread_ = unread.why;
  plans_stale_ = true;
}

void Drain::hear(const VolumesSeen& seen) {
  matters_ = attached_ != seen.attached;
  attached_ = seen.attached;
}

// What the unit's labels say: after a restart, when an answer was lost, or when somebody else
// changed them. `was`: whether it was released when it was seen before.
void Drain::release_seen(Track& track, bool was) {
  if (track.told || track.gone) return;
  track.release.seen = track.release.seen || track.unit.released;
  const Release::Step at = track.release.step;
  const bool unknown =
      at == Release::Step::kNone || (at == Release::Step::kGivenUp && !was && track.unit.ready);
  if (track.unit.released && unknown && !track.in_flight_with(ActionKind::kRelease)) {
    step(track, Release::Step::kReleased);
    plans_stale_ = true;
    finished_ = finished_ && !withdrawn_;
    note(Level::kInfo, What::kReleased, &track, "it was taken out of its Deployment before");
  } else if (was && !track.unit.released && track.release.out() && !track.returning()) {
    step(track, Release::Step::kReturning);
    if (track.release.why_not.empty()) track.release.why_not = "somebody has put it back";
  }
}

void Drain::release_answered(Track& track, ActionKind kind, const Result<std::string>& result) {
  const bool releases = kind == ActionKind::kRelease;
  if (result) {
    track.failures = 0;
    step(track, releases ? Release::Step::kReleased : Release::Step::kReturning);
    return;
  }
  const Error& error = result.error();
  if (error.kind == ErrorKind::kGone) {
    unit_gone(track, "it had left already");
    return;
  }
  const bool refused =
      is_denied(error) || (error.kind == ErrorKind::kPermanent && error.status != 0);
  if (refused) {
    release_refused(track, releases, error);
  } else {
    back_off(track, error);
  }
  // It may have taken effect all the same: the watch was faster than the answer, or will be.
  if (releases && track.unit.released) {
    release_seen(track, false);
  } else if (releases && !refused && withdrawn_) {
    step(track, Release::Step::kReleased);
  } else if (!releases && track.release.seen && !track.unit.released && track.release.out()) {
    step(track, Release::Step::kReturning);
  }
}

void Drain::release_refused(Track& track, bool releases, const Error& error) {
  if (is_denied(error) && error.no_right) {
    deny(abilities_.hand_over, &track, error,
         "no pod is handed over: its Service may have a gap; allow: pods patch");
  } else {
    note(Level::kWarning, What::kRefused, &track, error.message);
    groups_.bar(track.unit.facts.ns, now_ + kBarredFor, "a release in this namespace was refused");
  }
  plans_stale_ = true;
  if (releases) {
    give_up_release(track, "its release was refused");
  } else if (++track.release.refusals < kPutBackTries) {
    // It must not stay without an owner. Its last moment does not wait for that.
    track.next_try = std::min(now_ + kConfirmWithin, std::max(now_, last_moment(track)));
  } else {
    note(
        Level::kError, What::kFailed, &track,
        "it cannot be put back into its Deployment, and stays without an owner: delete it, or give "
        "it its pod-template-hash again, which is in its annotation");
    give_up_release(track, track.release.why_not + "; and it cannot be put back");
  }
}

// A unit that is out of its group, and is now to be left alone, is put back.
bool Drain::returns(const Track& track) const {
  const bool wanted = track.plan.mode == Mode::kHandOver || track.plan.mode == Mode::kAtOnce;
  return track.release.open() && !wanted && !track.told && track.unit.exempt.empty();
}

void Drain::take_back(Track& track, const std::string& why) {
  if (track.release.step == Release::Step::kReturning) {
    hand_over(track);
  } else {
    put_back(track, why);
  }
}

// A drain that nobody wants any more leaves nobody without an owner: who is out of its group goes
// where enough others are Ready and its budget allows, and else back. True when all of that is
// done.
bool Drain::releases_settled() {
  bool settled = true;
  for (auto& [id, track] : tracks_) {
    if (!track.release.open() || track.told) continue;
    const bool waits = track.in_flight != 0 || now_ < track.next_try;
    const bool replaced = track.release.out() && track.unit.ready &&
                          (surplus(track.unit.group) > 0 || track.leaving()) &&
                          track.cannot_be_asked.empty() &&
                          now_ < *withdrawn_at_ + kWithdrawnPatience;
    if (waits) {
      settled = false;
      continue;
    }
    if (replaced) {
      ask(track);
    } else if (is_unwanted(track)) {
      // Its owner would have removed it without asking its budget, and now nobody will.
      track.stop_now = true;
      send_stop(track, "its Deployment is gone or scaled to 0: nobody wants it any more");
    } else {
      take_back(track, "the drain was withdrawn");
    }
    settled = settled && !track.release.open();
  }
  return settled;
}

// Its group is gone or scaled to nothing, and it is out of it; or was put back, and nobody was
// there any more to take it.
bool Drain::is_unwanted(const Track& track) const {
  const Group* group = groups_.find(track.unit.group);
  if (group == nullptr || group->wanted != 0) return false;
  return track.release.out() || (track.unit.orphan && now_ >= track.release.since + kConfirmWithin);
}

// When a withdrawn drain puts back whom no budget lets go.
Time Drain::settle_by() const {
  return *withdrawn_at_ + kWithdrawnPatience;
}

}  // namespace spotkeeper::core
