// SPDX-License-Identifier: Apache-2.0
// The units' side of a Drain: hold, ask, force, and what the answers mean.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/backoff.h"
#include "core/drain.h"

namespace spotkeeper::core {
namespace {

// Where stopping is not allowed, a refused unit is asked this often until the end.
constexpr Seconds kBegEvery{5};
// A slow API makes us stop units earlier, but no earlier than this for each of two requests.
constexpr Millis kSlowestCounted{5'000};

std::string budget_names(const Unit& unit) {
  std::vector<std::string> names;
  for (const BudgetId& id : unit.budgets) names.push_back(id.value);
  return names.empty() ? "no known budget" : fmt::format("budget {}", fmt::join(names, ", "));
}

}  // namespace

void Drain::hear(const UnitSeen& seen) {
  Track& track = tracks_[seen.unit.id];
  if (track.seen == Time{}) track.seen = now_;
  track.unit = seen.unit;
  if (track.unit.ending && !track.told && track.unit.exempt.empty()) {
    if (track.in_flight != 0) {
      unit_told(track, "", true);  // our own request; its answer is on the way
    } else {
      unit_told(track, "it already ends: somebody else deleted it", false);
    }
  }
}

void Drain::hear(const UnitGone& gone) {
  const auto found = tracks_.find(gone.id);
  if (found == tracks_.end() || found->second.gone) return;
  unit_gone(found->second, "");
}

void Drain::consider(Track& track) {
  if (track.plan.mode == Mode::kNotOurs || track.told || track.gone || track.in_flight != 0) return;
  if (now_ < std::max(track.next_try, paused_until_)) return;
  if (track.stop_now && abilities_.stop) {
    send_stop(track, "the API asks for deletion instead of eviction");
  } else if (now_ >= track.plan.force) {
    force(track);
  } else if (now_ >= track.plan.start) {
    ask(track);
  }
}

// Before `force`: only what its budget allows.
void Drain::ask(Track& track) {
  const bool unguarded = budgets_.watched() && track.unit.budgets.empty();
  if (!abilities_.ask && abilities_.stop && unguarded && is_hard(notice_.kind)) {
    send_stop(track, "we may not evict, and no budget guards it");
    return;
  }
  if (!abilities_.ask) {
    hold(track, "we may not evict");
    return;
  }
  if (track.cannot_be_asked) {
    hold(track, "the API refuses to evict it");
    return;
  }
  std::string why = budgets_.holds(track.unit, policy_, now_);
  if (!why.empty()) {
    hold(track, std::move(why));
    return;
  }
  send_ask(track, grace_to_ask(track), false, track.plan.why);
}

// Its own grace, unless the operator or the deadline says otherwise: what is longer than the host
// lives would let the host end before the kubelet sends SIGTERM (after a long preStop hook, say).
std::optional<Seconds> Drain::grace_to_ask(const Track& track) const {
  if (is_hard(notice_.kind) && now_ + track.plan.grace > end()) {
    return last_grace(track.plan, end(), now_);
  }
  return policy_.grace_override;
}

// From `force` on: one last eviction, then deletion.
void Drain::force(Track& track) {
  const bool askable = abilities_.ask && !track.cannot_be_asked && track.unit.budgets.size() <= 1;
  const Seconds grace = last_grace(track.plan, end(), now_);
  if (askable && (!track.last_ask_failed || !abilities_.stop)) {
    send_ask(track, grace, true,
             fmt::format("its last moment: {} s of grace still fit", grace.count()));
    return;
  }
  if (!abilities_.stop) {
    hold(track, "we may not delete pods, so " + budget_names(track.unit) + " holds it to the end");
    return;
  }
  if (!track.explained && abilities_.explain) {
    act(ActionKind::kExplain, &track,
        fmt::format("{} ends the host at {}", to_string(notice_.kind),
                    format_time_s(notice_.deadline)));
    return;
  }
  if (!track.overruled) {
    track.overruled = true;
    note(Level::kWarning, What::kOverruled, &track,
         fmt::format("{}: {} s of grace still fit before the host ends", budget_names(track.unit),
                     grace.count()));
  }
  send_stop(track, "its last moment, and its eviction was refused");
}

void Drain::send_ask(Track& track, std::optional<Seconds> grace, bool last, std::string reason) {
  if (!track.asked) track.asked = now_;
  track.held.clear();
  track.in_flight_last = last;
  budgets_.asked(track.unit);
  note(Level::kInfo, What::kAsked, &track, reason);
  act(ActionKind::kAsk, &track, std::move(reason)).grace = grace;
}

void Drain::send_stop(Track& track, std::string reason) {
  if (!track.asked) track.asked = now_;
  note(Level::kInfo, What::kStopped, &track, reason);
  act(ActionKind::kStop, &track, std::move(reason)).grace =
      now_ >= track.plan.force ? last_grace(track.plan, end(), now_) : grace_to_ask(track);
}

void Drain::hold(Track& track, std::string why) {
  if (why == track.held) return;
  track.held = why;
  note(Level::kInfo, What::kHeld, &track, std::move(why));
}

void Drain::unit_answered(Track& track, const Result<std::string>& result) {
  track.in_flight = 0;
  slowest_ =
      std::clamp(now_ - track.in_flight_since, slowest_, std::max(slowest_, kSlowestCounted));
  const ActionKind kind = track.in_flight_kind;
  const bool budget_refused = !result && result.error().budget;
  if (kind == ActionKind::kAsk) {
    budgets_.answered(track.unit, budget_refused, now_ + policy_.ask_again);
  }
  if (result) {
    track.failures = 0;
    if (kind == ActionKind::kExplain) {
      track.explained = true;
      note(Level::kInfo, What::kExplained, &track, "why it ends is written to its status");
    } else {
      unit_told(track,
                kind == ActionKind::kStop ? "its deletion is written" : "its eviction is accepted",
                true);
    }
    return;
  }
  const Error& error = result.error();
  if (error.kind == ErrorKind::kGone) {
    unit_gone(track, "it had left already");
    return;
  }
  switch (kind) {
    case ActionKind::kAsk:
      ask_failed(track, error, track.in_flight_last);
      break;
    case ActionKind::kStop:
      stop_failed(track, error);
      break;
    case ActionKind::kExplain:
      track.explained = true;  // tried once: the stop must not wait for it
      if (error.kind == ErrorKind::kDenied) {
        deny(abilities_.explain, &track, error,
             "a Job may count this end as a failure; allow: pods/status patch");
      } else {
        note(Level::kWarning, What::kFailed, &track, error.message);
      }
      break;
    case ActionKind::kMark:
      break;
  }
}

void Drain::ask_failed(Track& track, const Error& error, bool last) {
  if (last) track.last_ask_failed = true;
  if (error.budget) {
    note(Level::kInfo, What::kRefused, &track, error.message);
    if (last && !abilities_.stop) {
      track.next_try = now_ + kBegEvery;
    } else if (!last && !budgets_.watched()) {
      track.next_try = std::min(now_ + policy_.ask_again, std::max(now_, track.plan.force));
    }
    return;
  }
  if (error.kind == ErrorKind::kDenied && error.reason == "NamespaceTerminating") {
    track.stop_now = true;
    note(Level::kInfo, What::kRefused, &track, error.message);
    return;
  }
  if (error.kind == ErrorKind::kDenied) {
    deny(abilities_.ask, &track, error,
         "pods are deleted at their last moment instead; allow: pods/eviction create");
    return;
  }
  if (error.kind == ErrorKind::kPermanent) {
    track.cannot_be_asked = true;
    note(Level::kWarning, What::kRefused, &track, error.message);
    return;
  }
  if (last && abilities_.stop && error.retry_after_s == 0) {
    note(Level::kWarning, What::kFailed, &track, error.message);
    return;  // deletion is tried at once
  }
  back_off(track, error);
}

void Drain::stop_failed(Track& track, const Error& error) {
  if (error.kind == ErrorKind::kDenied) {
    deny(abilities_.stop, &track, error,
         "a budget can hold a pod until the host ends; allow: pods delete");
    return;
  }
  back_off(track, error);
}

// Weather: the same request again a little later; a pause that the API asks for holds for all.
void Drain::back_off(Track& track, const Error& error) {
  ++track.failures;
  const bool near_end = now_ >= track.plan.force;
  const Backoff backoff{.attempt = track.failures,
                        .base = Millis(200),
                        .cap = near_end ? Millis(1'000) : Millis(5'000),
                        .retry_after = Seconds(error.retry_after_s),
                        .jitter = 1.0};
  track.next_try = now_ + backoff_delay(backoff);
  if (error.retry_after_s > 0) {
    paused_until_ = std::max(paused_until_, now_ + Seconds(error.retry_after_s));
  }
  note(Level::kWarning, What::kFailed, &track,
       error.message + "; tried again in " + format_duration(track.next_try - now_));
}

void Drain::deny(bool& ability, Track* track, const Error& error, const std::string& loss) {
  if (!ability) return;  // said already
  ability = false;
  note(Level::kError, What::kDenied, track, error.message + "; " + loss);
}

void Drain::unit_told(Track& track, const std::string& text, bool by_us) {
  if (track.told) return;
  track.told = now_;
  track.told_by_us = by_us;
  note(Level::kInfo, What::kTold, &track,
       text.empty() ? std::string("its deletion is written") : text);
}

void Drain::unit_gone(Track& track, const std::string& text) {
  if (track.gone) return;
  track.in_flight = 0;
  track.gone = now_;
  if (track.plan.mode == Mode::kNotOurs) return;
  note(Level::kInfo, What::kGone, &track,
       text.empty()
           ? fmt::format("{} before the deadline", format_duration(notice_.deadline - now_))
           : text);
}

}  // namespace spotkeeper::core
