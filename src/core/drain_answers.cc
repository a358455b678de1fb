// SPDX-License-Identifier: Apache-2.0
// What the answers to a Drain's actions mean. docs/design.md, the table of rule 2.
#include <algorithm>

#include "base/backoff.h"
#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

// What was refused for good is tried again this often while there is time: the refusal may have
// been about one moment (a webhook, caches of a starting API server).
constexpr Seconds kBegEvery{5};
constexpr Seconds kBegFirst{1};
// A slow API makes us stop units earlier, but no earlier than this for each request.
constexpr Millis kSlowestCounted{5'000};
constexpr Millis kLongestPause{5'000};
// While its pods come and go a budget is heard of many times a second.
constexpr Seconds kUnreadyRest{2};
constexpr Millis kLongestPauseAtEnd{1'000};

}  // namespace

void Drain::unit_answered(Track& track, const Result<std::string>& result) {
  track.in_flight = 0;
  const Millis slowest_before = slowest_;
  slowest_ =
      std::clamp(now_ - track.in_flight_since, slowest_, std::max(slowest_, kSlowestCounted));
  const ActionKind kind = track.in_flight_kind;
  bool known_budget = false;
  if (kind == ActionKind::kAsk) {
    const bool spoke = result || result.error().budget || result.error().kind == ErrorKind::kGone;
    if (!spoke) budgets_.failed(track.asked_under);
    known_budget = budgets_.answered(track.asked_under, !result && result.error().budget,
                                     now_ + policy_.ask_again, now_ + kUnreadyRest);
    track.asked_under.clear();
  }
  if (slowest_ != slowest_before) plans_stale_ = true;
  if (track.told) return;  // the watch was faster
  if (kind == ActionKind::kRelease || kind == ActionKind::kPutBack) {
    if (!result) track.last_no = result.error().message;
    release_answered(track, kind, result);
    return;
  }
  if (kind == ActionKind::kForewarn) {
    forewarn_answered(track, result);
    return;
  }
  if (!result) track.last_no = result.error().message;
  if (result) {
    track.failures = 0;
    if (kind == ActionKind::kExplain) {
      track.explained = true;
      note(Level::kInfo, What::kExplained, &track, "why it ends is written to its status");
    } else {
      unit_told(track, told_text(kind), true);
    }
    return;
  }
  const Error& error = result.error();
  if (error.kind == ErrorKind::kGone) {
    unit_gone(track, "it had left already");
  } else if (kind == ActionKind::kAsk) {
    ask_failed(track, error, known_budget);
  } else if (kind == ActionKind::kStop) {
    stop_failed(track, error);
  } else {
    track.explained = true;  // tried once: the stop must not wait for it
    if (is_denied(error)) {
      deny(abilities_.explain, &track, error,
           "a Job may count this end as a failure; allow: pods/status patch");
    } else {
      note(track.failures < 2 ? Level::kWarning : Level::kDebug, What::kFailed, &track,
           error.message);
    }
  }
}

// Without a status it was not the API that spoke: no certificate that verifies, no JSON. Weather.
void Drain::ask_failed(Track& track, const Error& error, bool known_budget) {
  const bool last = track.in_flight_last;
  if (last) track.last_ask_failed = true;
  if (error.budget) {
    track.refused = true;
    plans_stale_ = true;  // there may be something to gain from a hand-over now
    note(Level::kInfo, What::kRefused, &track, error.message);
    // Its budget is watched: the next word of it decides. Otherwise it is asked again in a while.
    if (!last && !known_budget) {
      track.next_try = std::min(now_ + policy_.ask_again, std::max(now_, last_moment(track)));
    }
  } else if (error.kind == ErrorKind::kDenied && error.reason == "NamespaceTerminating") {
    track.stop_now = true;
    note(Level::kInfo, What::kRefused, &track, error.message);
  } else if (is_denied(error)) {
    track.cannot_be_asked = error.no_right ? kMayNotEvict : "its eviction is forbidden";
    if (error.no_right) {
      deny(abilities_.ask, &track, error,
           "guarded pods are deleted at their last moment instead; allow: pods/eviction create");
    } else {
      note(Level::kWarning, What::kRefused, &track, error.message);
    }
  } else if (error.kind == ErrorKind::kPermanent && error.status != 0) {
    track.cannot_be_asked = "the API refuses to evict it";
    note(Level::kWarning, What::kRefused, &track, error.message);
  } else if (last) {
    note(Level::kWarning, What::kFailed, &track, error.message);  // deletion is tried at once
  } else {
    back_off(track, error);
  }
}

void Drain::stop_failed(Track& track, const Error& error) {
  if (!is_denied(error)) {
    // Nobody was there: nor was there anybody to write down why the unit ends.
    if (error.status == 0) track.explained = false;
    back_off(track, error);
    return;
  }
  track.next_try = now_ + (track.cannot_be_stopped ? kBegEvery : kBegFirst);
  track.cannot_be_stopped = true;
  track.last_ask_failed = false;
  deny(abilities_.stop, &track, error,
       "a budget can hold a pod until the host ends; allow: pods delete");
}

// Weather: the same request again a little later. A pause that the API asks for holds for all, but
// no pause reaches beyond a unit's last moment.
void Drain::back_off(Track& track, const Error& error) {
  ++track.failures;
  const Time last = last_moment(track);
  const Millis asked_for = now_ >= last ? Millis(0) : Millis(Seconds(error.retry_after_s));
  const Backoff backoff{.attempt = track.failures,
                        .base = Millis(200),
                        .cap = now_ >= last ? kLongestPauseAtEnd : kLongestPause,
                        .retry_after = asked_for,
                        .jitter = 1.0};
  track.next_try = now_ + backoff_delay(backoff);
  if (now_ < last) track.next_try = std::min(track.next_try, last);
  if (error.retry_after_s > 0) paused_until_ = std::max(paused_until_, now_ + asked_for);
  note(is_said(track.failures) ? Level::kWarning : Level::kDebug, What::kFailed, &track,
       error.message + "; tried again in " + format_duration(track.next_try - now_));
}

// Nothing waits for it, and nothing is lost without it but the word itself.
void Drain::forewarn_answered(const Track& track, const Result<std::string>& result) {
  if (result) {
    note(Level::kInfo, What::kForewarned, &track, "that it will go is written on it");
  } else if (is_denied(result.error()) && result.error().no_right) {
    deny(abilities_.forewarn, &track, result.error(),
         "pods cannot be told early; allow: pods patch");
  } else {
    note(Level::kDebug, What::kFailed, &track, result.error().message);
  }
}

// What is lost is said once; that it happened again only to those who look closely.
void Drain::deny(bool& ability, const Track* track, const Error& error, const std::string& loss) {
  const bool first = ability;
  ability = false;
  note(first ? Level::kError : Level::kDebug, What::kDenied, track, error.message + "; " + loss);
}

void Drain::unit_told(Track& track, const std::string& text, bool by_us) {
  if (track.told) return;
  track.told = now_;
  track.told_by_us = by_us;
  track.overruled = by_us && track.overruling;
  plans_stale_ = true;
  note(Level::kInfo, What::kTold, &track, text);
}

void Drain::unit_gone(Track& track, const std::string& text) {
  if (track.gone) return;
  if (track.in_flight != 0) budgets_.answered(track.asked_under, false, now_, now_);
  track.asked_under.clear();
  track.in_flight = 0;
  if (track.release.step == Release::Step::kReleased) step(track, Release::Step::kGivenUp);
  track.gone = now_;
  plans_stale_ = true;
  left_.insert(tracks_.extract(track.unit.id));  // `track` is still where it was
  if (track.plan.mode == Mode::kNotOurs) return;
  const std::string when = before_deadline(notice_.deadline, now_);
  note(Level::kInfo, What::kGone, &track, text.empty() ? when : text + ", " + when);
}

}  // namespace spotkeeper::core
