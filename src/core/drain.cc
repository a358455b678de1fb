// SPDX-License-Identifier: Apache-2.0
// The host's side of a Drain: what it hears, the plans, the end. Its mark is in drain_mark.cc, the
// units' side in drain_units.cc.
#include "core/drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "core/verdict.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

// A guard: each pass ends at least one step of a hand-over.
constexpr int kMostPasses = 10;
// Different troubles that are told apart.
constexpr size_t kTroubles = 64;
// A drain without a deadline does not wait for a mark that fails so often.
constexpr int kMarkTries = 5;
// For a notice that names a time that is past or nearly so.
constexpr Seconds kLeastTime{15};
// How long a host that outlives its deadline is still worked on.
constexpr Seconds kOverrun{60};
// For how long volumes are waited for where there is no deadline.
constexpr Seconds kVolumesPatience{60};

std::string describe(const Notice& notice, Time now) {
  std::string text = fmt::format("{}{} from {}: {}", to_string(notice.kind),
                                 notice.detail.empty() ? "" : " (" + notice.detail + ")",
                                 notice.source, describe_end(notice, now));
  if (notice.clock_off != Millis(0)) {
    text += fmt::format("; by AWS's time, which the host's clock is {} {}",
                        format_duration(std::chrono::abs(notice.clock_off)),
                        notice.clock_off > Millis(0) ? "behind" : "ahead of");
  }
  return text;
}

}  // namespace

Drain::Drain(HostId host, Notice notice, Policy policy, Time now, uint64_t first_number,
             Abilities abilities, const Pace* pace)
    : host_(std::move(host)),
      notice_(std::move(notice)),
      policy_(std::move(policy)),
      abilities_(abilities),
      started_(now),
      now_(now),
      shared_pace_(pace),
      next_number_(first_number) {}

Output Drain::on(const Observation& observation, Time now) {
  now_ = std::max(now_, now);
  out_ = {};
  matters_ = true;
  std::visit([this](const auto& heard) { hear(heard); }, observation);
  const bool turn = matters_ || now_ >= wake_;
  if (turn) {
    waits_for_room_ = waits_for_others_ = false;
    advance();
  }
  count_ahead();
  if (turn) {
    open_counted_ = releases_open();
    count_part();
    if (shared_pace_ == nullptr) own_pace_.counted(open_counted_, take_came(), now_);
    wake_ = next_due();
  }
  return std::move(out_);
}

void Drain::hear(const NoticeHeard& heard) {
  if (!announced_) {
    announced_ = true;
    note(Level::kWarning, What::kNotice, nullptr, describe(notice_, now_));
    return;
  }
  if (withdrawn_ && heard.notice.id != notice_.id) return revive(heard.notice);
  const int weight = strength(heard.notice) - strength(notice_);
  const bool nearer = weight == 0 && heard.notice.deadline < notice_.deadline;
  if (weight <= 0 && !nearer && !heard.instead) return;
  take(heard.notice);
  mark_.current = false;
  forget_wanted();
  for (auto& [id, track] : tracks_) {
    track.next_try = now_;     // a pause may reach beyond the new end
    track.forewarned = false;  // what is written on it is not true any more
  }
  note(Level::kWarning, What::kNotice, nullptr, "changed: " + describe(notice_, now_));
}

// The host may bear the mark of those before: one of another life of ours, or whose answer was
// lost.
void Drain::take(const Notice& notice) {
  if (std::ranges::find(earlier_, notice_.id) == earlier_.end()) earlier_.push_back(notice_.id);
  notice_ = notice;
}

// Another notice comes while a withdrawn drain is being ended: the host is drained after all.
void Drain::revive(const Notice& notice) {
  take(notice);
  withdrawn_.reset();
  withdrawn_at_.reset();
  finished_ = false;
  mark_.current = mark_.undone = false;
  mark_.failures = 0;
  mark_.next_try = now_;
  forget_wanted();
  for (auto& [id, track] : tracks_) {
    track.next_try = now_;
    track.forewarned = false;
    if (track.release.step == Release::Step::kGivenUp && !track.unit.released) track.release = {};
  }
  note(Level::kWarning, What::kNotice, nullptr, "drained after all: " + describe(notice_, now_));
}

void Drain::hear(const UnitsListed&) {
  matters_ = !std::exchange(listed_, true);
}

bool Drain::guards_any(const BudgetId& id) const {
  return std::any_of(tracks_.begin(), tracks_.end(), [&id](const auto& entry) {
    const std::vector<BudgetId>& guards = entry.second.unit.budgets;
    return std::find(guards.begin(), guards.end(), id) != guards.end();
  });
}

void Drain::hear(const BudgetSeen& seen) {
  matters_ = guards_any(seen.budget.id);
  const bool flipped = budgets_.seen(seen.budget);
  plans_stale_ = plans_stale_ || (matters_ && flipped);
}

void Drain::hear(const BudgetGone& gone) {
  matters_ = guards_any(gone.id);
  budgets_.gone(gone.id);
}

void Drain::hear(const BudgetsListed& listed) {
  if (!listed.watched && !budgets_.known()) {
    note(Level::kWarning, What::kDenied, nullptr,
         "budgets may not be read: pods are asked to find out, and again every " +
             format_duration(policy_.ask_again));
  }
  budgets_.listed(listed.watched);
  plans_stale_ = true;  // what is planned is told once budgets are known
}

void Drain::hear(const Trouble& trouble) {
  matters_ = false;
  // A no is said once; weather the 1st, 2nd, 4th, 8th … time: several watches may fail in turn, and
  // for long.
  if (troubles_.size() > kTroubles) troubles_.clear();
  const int times = ++troubles_[trouble.error.message];
  const bool denied = trouble.error.kind == ErrorKind::kDenied;
  if (!is_said(times) || (denied && times > 1)) return;
  note(denied ? Level::kError : Level::kWarning, denied ? What::kDenied : What::kFailed, nullptr,
       trouble.error.message);
}

void Drain::hear(const ActionDone& done) {
  if (done.number == mark_.in_flight && mark_.in_flight != 0) {
    mark_.in_flight = 0;
    if (std::exchange(mark_.undoing, false)) {
      undo_answered(done.result);
    } else {
      mark_answered(done.result);
    }
    return;
  }
  for (auto& [id, track] : tracks_) {
    if (track.in_flight == done.number) {
      if (done.sent) track.in_flight_since = *done.sent;
      unit_answered(track, done.result);
      return;
    }
  }
}

void Drain::advance() {
  consider_expiry();
  consider_budgets();
  replan();
  if (policy_.dry_run) {
    rehearse();
    return;
  }
  if (withdrawn_) {
    consider_withdrawal();
    return;
  }
  consider_mark();
  if (may_drain()) {
    // What a hand-over has come to may concern those that were looked at before.
    for (int pass = 0; pass < kMostPasses; ++pass) {
      again_ = false;
      for (Track* track : in_turn()) {
        if (holds() || now_ >= track->plan.force) consider(*track);
      }
      if (!again_) break;
    }
  }
  consider_finish();
  consider_mark();  // what it bears when all is done
}

// Those whose volumes others wait for first, then by their last moment. A budget lets go in this
// order, too.
std::vector<Track*> Drain::in_turn() {
  std::vector<Track*> turn;
  turn.reserve(tracks_.size());
  for (auto& [id, track] : tracks_) {
    const bool stays = !track.unit.exempt.empty() && !is_signalled(track.unit);
    // consider() has nothing to do with the others, nor will it within this pass.
    if (!track.told && track.in_flight == 0 && !stays) turn.push_back(&track);
  }
  std::sort(turn.begin(), turn.end(), [](const Track* a, const Track* b) {
    if (a->unit.volumes != b->unit.volumes) return a->unit.volumes;
    if (a->plan.force != b->plan.force) return a->plan.force < b->plan.force;
    return a->unit.id < b->unit.id;
  });
  return turn;
}

// What was only feared has not come.
void Drain::consider_expiry() {
  const bool feared = notice_.kind == NoticeKind::kRebalanceRecommendation;
  if (!feared || withdrawn_ || now_ < notice_.deadline) return;
  hear(Withdrawn{.undo = true, .why = "its time is over, and no interruption has followed"});
}

// Budgets that do not arrive must not hold up the pods: the server checks them anyway.
void Drain::consider_budgets() {
  if (budgets_.known() || now_ < started_ + policy_.mark_patience) return;
  budgets_.listed(false);
  plans_stale_ = true;
  note(Level::kWarning, What::kFailed, nullptr,
       fmt::format("budgets have not arrived after {}: pods are asked to find out",
                   format_duration(policy_.mark_patience)));
}

bool Drain::may_drain() const {
  if (only_marks() || !listed_ || is_over()) return false;
  if (mark_.held || waits_to_exclude()) return false;
  return mark_.done || mark_.given_up || now_ >= started_ + policy_.mark_patience;
}

// Dry run: every decision is told, nothing is done.
void Drain::rehearse() {
  if (finished_) return;
  if ((!listed_ || !budgets_.known()) && now_ < verdict_due()) return;
  const bool unsure = std::any_of(tracks_.begin(), tracks_.end(), [this](const auto& entry) {
    return entry.second.plan.mode == Mode::kHandOver && waits_for_group(entry.second);
  });
  if (unsure && now_ < rehearsal_due()) return;
  plans_stale_ = plans_stale_ || unsure;
  replan();
  finished_ = true;
  note(Level::kInfo, What::kWould, nullptr,
       only_marks() ? "Node would have been cordoned, but dry-run flag was set"
                    : "Node would have been cordoned and drained, but dry-run flag was set");
  if (!listed_) {
    note(Level::kError, What::kFinished, nullptr, "the host's pods could never be listed");
  }
  for (auto& [id, track] : tracks_) {
    if (track.plan.mode == Mode::kNotOurs) continue;
    if (track.told) {
      note(Level::kInfo, What::kWould, &track, "would only be waited for: it ends already");
      continue;
    }
    const std::string held = obstacle(track);
    note(Level::kInfo, What::kWould, &track,
         fmt::format(
             "would be {} at {}{}{}",
             track.plan.mode == Mode::kHandOver ? "handed over, beginning" : "asked",
             format_time_s(track.plan.start),
             track.plan.force == kNever
                 ? std::string()
                 : ", and told at " + format_time_s(track.plan.force) + " whatever its budget",
             held.empty() ? std::string() : "; " + held));
  }
}

void Drain::consider_finish() {
  const auto left =
      static_cast<int>(std::count_if(tracks_.begin(), tracks_.end(), [](const auto& entry) {
        return entry.second.told || entry.second.plan.mode != Mode::kNotOurs;  // Verdict::kStays
      }));
  if (finished_) {
    // A unit of ours has arrived since, in time to be moved.
    if (left > 0 && now_ < verdict_due()) finished_ = false;
    return;
  }
  const bool mark_settled =
      mark_.done || mark_.given_up || mark_.held || (!hard() && mark_.failures >= kMarkTries);
  const bool waits = waits_for_services(left) || waits_for_volumes(left);
  if (only_marks() && mark_settled) {
    finished_ = true;
    const char* who = policy_.mark_only ? "CORDON_ONLY" : "ENABLE_REBALANCE_MONITORING";
    note(Level::kInfo, What::kFinished, nullptr,
         mark_.done ? fmt::format("cordoned only, as {} asks", who)
                    : fmt::format("not even cordoned, and {} asks for no more", who));
  } else if (!only_marks() && mark_settled && listed_ && left == 0 && !waits &&
             !waits_for_releases()) {
    finished_ = true;
    note(Level::kInfo, What::kFinished, nullptr,
         fmt::format("all pods {}have left, {}",
                     moves_only_slow(policy_, notice_) ? "that need more than two minutes " : "",
                     before_deadline(notice_.deadline, now_)));
  } else if (hard() && now_ >= verdict_due()) {
    finished_ = true;
    const int untold = count_untold();
    const Level level = untold > 0 || !listed_ ? Level::kError : Level::kWarning;
    note(level, What::kFinished, nullptr,
         listed_ || only_marks()
             ? fmt::format("the deadline has passed: {} pods still here, {} untold", left, untold)
             : "the deadline has passed, and the host's pods could never be listed");
  }
}

int Drain::count_untold() const {
  const auto untold = [this](const auto& entry) {
    return verdict_of(entry.second, notice_) == Verdict::kUntold;
  };
  return static_cast<int>(std::count_if(tracks_.begin(), tracks_.end(), untold) +
                          std::count_if(left_.begin(), left_.end(), untold));
}

// Where there is time, the host's volumes are waited for: their next users are.
bool Drain::waits_for_volumes(int left) const {
  if (left > 0 || !listed_ || attached_ == 0) return false;
  return hard() ? now_ < verdict_due() : now_ < *empty_since_ + kVolumesPatience;
}

// Who is out of its group, and stays after all, is put back.
bool Drain::waits_for_releases() const {
  if (hard() && now_ >= verdict_due()) return false;
  return std::any_of(tracks_.begin(), tracks_.end(),
                     [this](const auto& entry) { return returns(entry.second); });
}

// Nothing is asked of a host that has outlived its deadline by so much: AWS has changed its mind.
bool Drain::is_over() const {
  return hard() && now_ >= verdict_due() + kOverrun;
}

// The deadline. A notice that came late, or names a time in the past (AWS failed to end the host),
// leaves some time to work all the same.
Time Drain::verdict_due() const {
  return std::max(notice_.deadline, started_ + kLeastTime);
}

// When a dry run does not wait for groups any more.
Time Drain::rehearsal_due() const {
  Time due = started_ + policy_.mark_patience;
  for (const auto& [id, track] : tracks_) due = std::max(due, group_due(track));
  return due;
}

Time Drain::next_due() const {
  Time earliest = kNever;
  const auto at = [&](Time time) {
    if (time > now_) earliest = std::min(earliest, time);
  };
  if (!finished_) {
    at(verdict_due());
    at(started_ + policy_.mark_patience);
  }
  if (policy_.dry_run) {
    if (!finished_) at(rehearsal_due());
    return earliest;
  }
  Ahead ahead{.released = pace().open() - open_counted_ + released_};
  if (withdrawn_) {
    if (finished_) return earliest;
    at(mark_.next_try);
    at(settle_by());
    for (const auto& [id, track] : tracks_) {
      at(track.next_try);
      at(release_due(track, ahead));
      if (track.awaits_release()) ++ahead.waiting;
    }
    at(budgets_.wake(now_));
    return earliest;
  }
  if (empty_since_ && !finished_) {
    at(*empty_since_ + kServiceWait);
    at(*empty_since_ + kVolumesPatience);
  }
  if (policy_.exclude_from_load_balancers) {
    at(exclude_by());
    at(started_ + policy_.mark_patience);
  }
  if (policy_.no_execute_at_end && hard()) at(no_execute_by());
  if (!hard()) at(notice_.deadline);
  if (mark_due()) at(mark_.next_try);
  at(renewal_due());
  if (policy_.renew_every) at(started_ + 2 * *policy_.renew_every);
  if (only_marks() || is_over()) return earliest;
  at(paused_until_);
  at(budgets_.wake(now_));
  if (!hard()) at(started_ + kTurnPatience);
  if (waits_for_room_ || waits_for_others_) at(now_ + kRoomEvery);
  for (const auto& [id, track] : tracks_) {
    if (track.told || (track.plan.mode == Mode::kNotOurs && !returns(track))) continue;
    at(track.plan.start);
    at(track.plan.ask_by);
    at(track.plan.force);
    at(track.next_try);
    at(release_due(track, ahead));
    if (track.awaits_release()) ++ahead.waiting;
  }
  return earliest;
}

// New, when the unit was not known.
Track& Drain::track_of(const UnitId& id) {
  const auto left = left_.find(id);
  return left != left_.end() ? left->second : tracks_[id];
}

const Track* Drain::find(const UnitId& id) const {
  for (const auto* all : {&tracks_, &left_}) {
    if (const auto found = all->find(id); found != all->end()) return &found->second;
  }
  return nullptr;
}

std::vector<const Track*> Drain::tracks() const {
  std::vector<const Track*> all;
  all.reserve(tracks_.size() + left_.size());
  for (const auto& [id, track] : tracks_) all.push_back(&track);
  for (const auto& [id, track] : left_) all.push_back(&track);
  std::sort(all.begin(), all.end(),
            [](const Track* a, const Track* b) { return a->unit.name < b->unit.name; });
  return all;
}

Action& Drain::act(ActionKind kind, Track* track, std::string reason) {
  Action action;
  action.number = next_number_++;
  action.kind = kind;
  action.host = host_;
  action.notice = notice_;
  action.reason = std::move(reason);
  if (track != nullptr) {
    action.unit = track->unit.id;
    action.unit_name = track->unit.name;
    action.by = track->plan.force;
    if (hard()) action.end = end_of(notice_, track->plan.margin);
    track->in_flight = action.number;
    track->in_flight_since = now_;
    track->in_flight_kind = kind;
    // It is not counted any more among those that serve on here: surplus(), unreplaced().
    again_ = again_ || track->release.out();
  }
  out_.actions.push_back(std::move(action));
  return out_.actions.back();
}

void Drain::note(Level level, What what, const Track* track, std::string text) {
  out_.entries.push_back({.at = now_,
                          .level = level,
                          .what = what,
                          .host = host_,
                          .unit = track != nullptr ? track->unit.name : std::string(),
                          .text = std::move(text)});
}

}  // namespace spotkeeper::core
