// SPDX-License-Identifier: Apache-2.0
// Drain::fingerprint(), fingerprint_of(): a new member that decides anything belongs here, too.
// What is only told to people (held, last_no, planned, overruling, told_by_us, words of a plan) is
// left out.
//
// A moment that is past is written as 0 where it is only compared with the present: `now < t`,
// `now >= t`, and next_due()'s `t > now` have the same answer for every t that is past, now and
// later. Each such place says where it is compared. Bytes, not text: made for each of many million
// states.
#include <algorithm>
#include <cstring>

#include "core/drain.h"

namespace spotkeeper::core {
namespace {

using Text = std::string;

// At most these pauses between tries: drain_answers.cc, drain.cc (both caps are 5 s, from 200 ms on
// doubled: reached at the sixth).
constexpr int kFailuresTold = 6;
// slowest_ is never more: drain_answers.cc, kSlowestCounted.
constexpr Seconds kSlowest{5};
// No change of slowest_ moves a unit's last moment by more: kMostRequestsPerStop answers.
constexpr Seconds kMostLead = kMostRequestsPerStop * kSlowest;
// Below so many the rate of replacements is a guess; half of kEnoughSeen of group_book.cc.
constexpr int kFewReplaced = 4;

void put(Text& text, int64_t value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  // Small numbers are most: one byte, told from the long ones by the first.
  if (value >= 0 && value < 0xFF) {
    text.push_back(static_cast<char>(value));
  } else {
    text.push_back(static_cast<char>(0xFF));
    text.append(bytes, sizeof(value));
  }
}

void put(Text& text, const std::string& value) {
  put(text, static_cast<int64_t>(value.size()));
  text += value;
}

void put(Text& text, Time time) {
  put(text, static_cast<int64_t>(time.time_since_epoch().count()));
}

template <class... T>
void add(Text& text, const T&... values) {
  const auto one = [&text](const auto& value) {
    if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) {
      put(text, static_cast<int64_t>(value));
    } else {
      put(text, value);
    }
  };
  (one(values), ...);
}

// Past: 0.
Time ahead(Time time, Time now) {
  return time > now ? time : Time{};
}

// Of `ending` only that it is set is read (drain_units.cc).
void add(Text& text, const Unit& unit) {
  add(text, unit.grace.count(), unit.ready, unit.exempt, unit.ending.has_value(), unit.ended,
      unit.local_data, unit.volumes, unit.daemon, unit.critical, unit.group.value,
      unit.no_hand_over, unit.released, unit.orphan, unit.facts.ns, unit.facts.owner_kind,
      static_cast<int64_t>(unit.budgets.size()), static_cast<int64_t>(unit.facts.labels.size()));
  for (const BudgetId& id : unit.budgets) add(text, id.value);
  for (const auto& [key, value] : unit.facts.labels) add(text, key, value);
  const Treatment& wish = unit.wish;
  add(text, wish.mode ? static_cast<int>(*wish.mode) : -1,
      wish.enough_grace.value_or(Seconds(-1)).count(), wish.margin.value_or(Seconds(-1)).count(),
      wish.order.value_or(0), wish.order.has_value());
}

// `start` and `ask_by` are compared with the present only (`ask_by <= start`, `fits` and `force >
// start` choose words); `force` orders units as well (in_turn()), and so stays.
void add(Text& text, const Plan& plan, Time now) {
  add(text, plan.mode, ahead(plan.start, now), ahead(plan.ask_by, now), plan.force,
      plan.grace.count(), plan.order, plan.margin.count(), !plan.why.empty());
}

// `seen` is what group_due() counts from, and no plan begins or is forced before it
// (plan_moments()); which makes no difference where its last moment, even moved, is later.
Time seen_of(const Track& track, Time now, Seconds patience) {
  const bool old = track.seen + patience <= now && track.seen + kMostLead <= track.plan.force;
  return old ? Time(Millis(1)) : track.seen;
}

// How long an answer took counts up to kSlowest: what is older is as old.
void add_in_flight(Text& text, const Track& track, const std::string& asked_under, Time now) {
  add(text, track.in_flight != 0);
  if (track.in_flight == 0) return;
  add(text, std::max(track.in_flight_since, now - kSlowest), track.in_flight_kind,
      track.in_flight_last, asked_under);
}

// Told, it only waits to be gone. What is read of it until then: `unit` when it is seen again; the
// plan's mode and order by consider_finish() and waits_for_turn(); whether it was replaced by
// unreplaced() and, when it has gone, by step(); its answer, for the budget and for slowest_.
void add_told(Text& text, const Track& track) {
  add(text, track.plan.mode, track.plan.order, !track.plan.why.empty(), track.release.step,
      track.late);
}

void add_open(Text& text, const Track& track, Time now, Seconds patience, Seconds confirm_within,
              Seconds confirm_at_most) {
  const Release& release = track.release;
  // Read while a hand-over is open, each as `now < since + confirm_within` (drain_hand_over.cc), or
  // up to confirm_at_most where others come (confirm_by()).
  const bool open = release.out() || release.step == Release::Step::kReturning;
  const Seconds at_most =
      release.step == Release::Step::kReleased ? confirm_at_most : confirm_within;
  add(text, track.plan, now);
  add(text, seen_of(track, now, patience), track.late, release.step,
      open ? ahead(release.since + at_most, now) : Time{}, release.enough.has_value(),
      release.missing.has_value(),
      release.missing ? ahead(*release.missing + confirm_at_most, now) : Time{}, release.refusals,
      release.seen, !release.why_not.empty(), track.forewarned, track.stop_now,
      track.last_ask_failed, track.refused, track.cannot_be_stopped, track.cannot_be_asked,
      track.explained, std::min(track.failures, kFailuresTold), ahead(track.next_try, now));
}

void add(Text& text, const MarkExtras& extras) {
  add(text, extras.exclude_from_load_balancers, extras.no_execute, extras.out_of_service,
      extras.soft);
}

void add(Text& text, const Notice& notice) {
  add(text, notice.id.value, notice.kind, notice.deadline);
}

}  // namespace

// How many a budget allowed when it was heard of last is in its credit. A refusal that is over is
// told from none (hold()), and from others that are over by nothing.
std::string BudgetBook::fingerprint(Time now) const {
  const auto again = [now](Time time) {
    return time == Time{} || time > now ? time : Time(Millis(1));
  };
  Text text;
  add(text, known_, watched_, static_cast<int64_t>(lines_.size()));
  for (const auto& [id, line] : lines_) {
    add(text, id.value, line.credit, line.in_flight, again(line.ready_again),
        again(line.unready_again), again(line.unready_rest));
  }
  return text;
}

std::string BudgetBook::fingerprint(const std::vector<Asked>& asked) const {
  Text text;
  for (const Asked& one : asked) {
    const auto found = lines_.find(one.id);
    add(text, one.id.value, one.ready, found != lines_.end() && found->second.heard > one.heard);
  }
  return text;
}

// Why a namespace is barred is words; a bar that is over is none (barred()).
std::string GroupBook::fingerprint(Time now) const {
  Text text;
  add(text, static_cast<int64_t>(groups_.size()));
  for (const auto& [id, group] : groups_) {
    add(text, id.value, group.wanted, group.owned, group.ready, group.no_hand_over);
  }
  for (const auto& [ns, bar] : bars_) {
    if (bar.until > now) add(text, ns, bar.until);
  }
  return text;
}

// `started_` is where other moments begin: those are here. `now_` is set anew before it is read.
// `again_` and `matters_` live within one on().
std::string Drain::fingerprint() const {
  Text text;
  text.reserve(1024);
  add(text, notice_);
  add(text, now_, verdict_due(), ahead(started_ + policy_.mark_patience, now_), wake_,
      ahead(paused_until_, now_), slowest_.count(), crowd_.lead.count(), crowd_.brief, announced_,
      listed_, services_listed_, finished_, plans_stale_, attached_, outages_.any_dark(),
      outages_.needs_host(), withdrawn_.has_value(), withdrawn_ && withdrawn_->undo,
      groups_unread_);
  // Late is who comes after this (`now > marked_at + kMarkSettles`).
  add(text, marked_at_ < now_ - kMarkSettles ? Time{} : marked_at_);
  if (!hard()) add(text, ahead(started_ + kTurnPatience, now_));
  if (policy_.exclude_from_load_balancers) add(text, ahead(exclude_by(), now_));
  add(text, empty_since_.value_or(Time{}));
  if (withdrawn_) add(text, ahead(settle_by(), now_));
  add(text, abilities_.mark, abilities_.ask, abilities_.stop, abilities_.explain,
      abilities_.hand_over, abilities_.forewarn);
  add(text, mark_.done, mark_.current, mark_.given_up, mark_.held, mark_.renewing, renewal_due(),
      holds(), mark_.in_flight != 0, mark_.undoing, mark_.undone, mark_.failures,
      ahead(mark_.next_try, now_));
  add(text, mark_.extras);
  add(text, mark_.sent_extras);
  add(text, mark_.sent);
  add(text, static_cast<int64_t>(earlier_.size()));
  for (const NoticeId& id : earlier_) add(text, id.value);
  // What was counted of replacements is first read when enough have come (Pace::time_for): until
  // half as many have it is left out. Small worlds have fewer units than that.
  if (const Pace::State at = pace().state(); at.came >= kFewReplaced) {
    add(text, at.came, at.waited.count(), at.counted);
  }
  add(text, ahead(pace().last_came() + kConfirmWithin, now_));
  add(text, budgets_.fingerprint(now_), groups_.fingerprint(now_));
  return text;
}

// Nothing walks over those that have left to decide; when one is seen again its unit is compared,
// and it may be told (drain_units.cc).
std::string Drain::fingerprint_of(const UnitId& id, bool gone_for_good) const {
  Text text;
  text.reserve(256);
  const auto here = tracks_.find(id);
  const auto left = left_.find(id);
  const bool is_left = left != left_.end() && !gone_for_good;
  add(text, here != tracks_.end(), is_left);
  if (here != tracks_.end()) {
    const Track& track = here->second;
    add(text, track.unit);
    add(text, track.told.has_value());
    if (track.told) {
      add_told(text, track);
    } else {
      add_open(text, track, now_, policy_.mark_patience, kConfirmWithin, kConfirmAtMost);
    }
    add_in_flight(text, track, budgets_.fingerprint(track.asked_under), now_);
  }
  if (is_left) {
    add(text, left->second.unit);
    add(text, left->second.told.has_value());
  }
  return text;
}

}  // namespace spotkeeper::core
