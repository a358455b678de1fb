// SPDX-License-Identifier: Apache-2.0
// What concerns the host beside its units: Services that go dark, rights that are found, and the
// end of a drain that nobody wants any more.
#include <fmt/format.h>

#include <algorithm>

#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

// How often the mark of a withdrawn drain is tried to be taken back: by the pauses between, for a
// minute. An API server that restarts must not leave a host cordoned for good.
constexpr int kUndoTries = 16;

}  // namespace

void Drain::hear(const ServiceSeen& seen) {
  const Outages::Change change = outages_.seen(seen.service, now_);
  matters_ = change != Outages::Change::kNone || policy_.exclude_from_load_balancers;
  outage(change, seen.service.id);
}

void Drain::outage(Outages::Change change, const ServiceId& id) {
  if (change == Outages::Change::kDark) {
    note(Level::kWarning, What::kDark, nullptr,
         "Service " + id.value + " has no Ready endpoint any more");
  } else if (change == Outages::Change::kBright) {
    note(Level::kInfo, What::kBright, nullptr,
         fmt::format("Service {} has a Ready endpoint again; it had none for {} in all", id.value,
                     format_duration(outages_.find(id)->dark)));
  }
}

// A right that came back lets what was given up be tried again; one that is missing is not stumbled
// over by every unit.
void Drain::hear(const AbilitiesFound& found) {
  const Abilities before = abilities_;
  abilities_ = found.abilities;
  plans_stale_ = true;
  if (abilities_.mark && !before.mark) mark_.given_up = false;
  for (auto& [id, track] : tracks_) {
    if (!track.told && !abilities_.ask && abilities_.stop && track.cannot_be_asked.empty()) {
      track.cannot_be_asked = kMayNotEvict;
    }
    if (abilities_.ask && !before.ask && track.cannot_be_asked == kMayNotEvict) {
      track.cannot_be_asked.clear();
    }
    if (abilities_.stop && !before.stop && track.cannot_be_stopped) {
      track.cannot_be_stopped = false;
      track.next_try = now_;
    }
    if (!abilities_.explain) track.explained = true;
  }
}

void Drain::hear(const Withdrawn& withdrawn) {
  if (withdrawn_) return;
  if (finished_ && !(withdrawn.undo && mark_.done)) {
    // What arrives on another's host when its mark is taken back is no matter of ours.
    if (mark_.held) withdrawn_ = withdrawn;
    return;
  }
  finished_ = false;  // there is the mark to take back
  withdrawn_ = withdrawn;
  withdrawn_at_ = now_;
  mark_.failures = 0;
  mark_.next_try = {};
  // Who was left out of its group because its end was near stays now, and is put back after all.
  for (auto& [id, track] : tracks_) {
    const bool left_out = track.release.step == Release::Step::kGivenUp && track.unit.released;
    if (left_out && !track.told) step(track, Release::Step::kReleased);
  }
  note(Level::kWarning, What::kNotice, nullptr, "withdrawn: " + withdrawn.why);
}

// What is under way is waited for, so that nothing is left half done; then the mark is taken back.
// Where another process drains the host both are its own.
void Drain::consider_withdrawal() {
  if (finished_ || mark_.in_flight != 0) return;
  if (mark_.held) {
    finished_ = true;
    note(Level::kInfo, What::kFinished, nullptr, "withdrawn; another process drains the host");
    return;
  }
  const bool busy = std::any_of(tracks_.begin(), tracks_.end(),
                                [](const auto& entry) { return entry.second.in_flight != 0; });
  // Until it bears our name nothing that is released on it was released by us.
  const bool was_ours = !policy_.renew_every || mark_.done || mark_.given_up;
  if (busy || (was_ours && !releases_settled())) return;
  if (withdrawn_->undo && !mark_.undone) {
    if (now_ < mark_.next_try) return;
    mark_.undoing = true;
    Action& action = act(ActionKind::kUndo, nullptr, "the drain was withdrawn");
    action.takers = earlier_;  // the last may not have been written
    action.takers.push_back(notice_.id);
    mark_.in_flight = action.number;
    return;
  }
  finished_ = true;
  const auto by_us = [](const auto& entry) { return entry.second.told_by_us; };
  const auto told = std::count_if(tracks_.begin(), tracks_.end(), by_us) +
                    std::count_if(left_.begin(), left_.end(), by_us);
  note(Level::kInfo, What::kFinished, nullptr,
       fmt::format("withdrawn; {} pods had been told to end before", told));
}

void Drain::undo_answered(const Result<std::string>& result) {
  if (result) {
    mark_.undone = true;
    mark_.done = mark_.current = false;
    mark_.extras = {};
    note(Level::kInfo, What::kUndone, nullptr, *result);
    return;
  }
  const Error& error = result.error();
  if (error.kind == ErrorKind::kGone) {
    mark_.undone = true;
    note(Level::kInfo, What::kUndone, nullptr, "the host itself is gone");
  } else if ((is_denied(error) && error.no_right) || mark_.failures + 1 >= kUndoTries) {
    mark_.undone = true;
    note(Level::kError, What::kFailed, nullptr,
         error.message + "; the mark stays: take it back by 'spotkeeper drain --undo'");
  } else {
    mark_failed(error);
  }
}

// Where several processes may drain the host: whether nobody can have taken over from us. Two
// renewals that failed leave that open; who has never succeeded waits as long, and then drains a
// host that cannot be marked. At its last moment a unit is told all the same.
bool Drain::holds() const {
  if (!policy_.renew_every || mark_.given_up) return true;
  const Seconds lapses = 2 * *policy_.renew_every;
  return mark_.renewed == Time{} ? now_ >= started_ + lapses : now_ < mark_.renewed + lapses;
}

// The end of a drain is put off a little while a Service of the host is dark, so that it can be
// told for how long.
bool Drain::waits_for_services(int left) {
  if (left > 0 || !listed_) {
    empty_since_.reset();
    return false;
  }
  if (!empty_since_) empty_since_ = now_;
  return outages_.any_dark() && now_ < *empty_since_ + kServiceWait && now_ < verdict_due();
}

}  // namespace spotkeeper::core
