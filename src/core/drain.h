// SPDX-License-Identifier: Apache-2.0
// The drain of one host, from the notice to the post-mortem: a pure state machine. It is told what
// happens (Observation) and answers with what to do (Action) and why (Entry). It never reads a
// clock and never does anything itself; the same observations at the same times give the same
// actions. docs/design.md, "The plan for one pod".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/abilities.h"
#include "core/action.h"
#include "core/budget_book.h"
#include "core/journal.h"
#include "core/plan.h"
#include "core/policy.h"

namespace spotkeeper::core {

struct Output {
  std::vector<Action> actions;
  Journal entries;
};

// What is known of one unit of the host, and how far its move has come.
struct Track {
  Unit unit;
  Time seen{};
  Plan plan;
  std::optional<Time> asked;  // first request that may make it leave
  std::optional<Time> told;   // its deletion was written
  std::optional<Time> gone;
  bool told_by_us = false;
  bool overruled = false;        // stopped against its budget
  bool stop_now = false;         // asking is pointless, stopping is right
  bool last_ask_failed = false;  // the eviction at `force` was refused or failed
  bool cannot_be_asked = false;  // the API said so for good
  bool explained = false;
  uint64_t in_flight = 0;  // number of the action without an answer
  Time in_flight_since{};
  ActionKind in_flight_kind = ActionKind::kAsk;
  bool in_flight_last = false;
  int failures = 0;  // in a row
  Time next_try{};
  std::string held;  // why it waits, as last journalled
};

class Drain {
 public:
  Drain(HostId host, Notice notice, Policy policy, Time now);

  Output on(const Observation& observation, Time now);

  // When on(Tick) is to be called at the latest; kNever when nothing is due.
  Time wake() const;

  const HostId& host() const { return host_; }
  const Notice& notice() const { return notice_; }
  Time started() const { return started_; }
  Time end() const { return end_of(notice_, policy_); }
  bool marked() const { return mark_.done; }

  // Every unit of ours has left, or the deadline has passed: the post-mortem is due.
  bool finished() const { return finished_; }

  // Ordered by name.
  std::vector<const Track*> tracks() const;

 private:
  struct Mark {
    bool done = false;
    bool given_up = false;
    uint64_t in_flight = 0;
    int failures = 0;
    Time next_try{};
  };

  void hear(const NoticeHeard& heard);
  void hear(const UnitSeen& seen);
  void hear(const UnitGone& gone);
  void hear(const UnitsListed&);
  void hear(const BudgetSeen& seen);
  void hear(const BudgetGone& gone);
  void hear(const BudgetsListed& listed);
  void hear(const ActionDone& done);
  void hear(const Trouble& trouble);
  void hear(const Tick&) {}

  void mark_answered(const Result<std::string>& result);
  void unit_answered(Track& track, const Result<std::string>& result);
  void ask_failed(Track& track, const Error& error, bool last);
  void stop_failed(Track& track, const Error& error);
  void unit_told(Track& track, const std::string& text, bool by_us);
  void unit_gone(Track& track, const std::string& text);
  void back_off(Track& track, const Error& error);
  void deny(bool& ability, Track* track, const Error& error, const std::string& loss);

  void advance();
  void replan();
  void consider(Track& track);
  void ask(Track& track);
  void force(Track& track);
  std::optional<Seconds> grace_to_ask(const Track& track) const;
  void send_ask(Track& track, std::optional<Seconds> grace, bool last, std::string reason);
  void send_stop(Track& track, std::string reason);
  void hold(Track& track, std::string why);
  void consider_mark();
  void consider_budgets();
  bool may_drain() const;
  Time verdict_due() const;
  void rehearse();
  void consider_finish();

  Action& act(ActionKind kind, Track* track, std::string reason);
  void note(Level level, What what, const Track* track, std::string text);

  HostId host_;
  Notice notice_;
  Policy policy_;
  Abilities abilities_;
  BudgetBook budgets_;
  Time started_;
  Time now_;
  Time marked_at_ = kNever;
  Time paused_until_{};
  Millis slowest_{0};  // answer so far, at most kSlowestCounted
  Mark mark_;
  std::map<UnitId, Track> tracks_;
  bool announced_ = false;
  bool listed_ = false;
  bool rehearsed_ = false;
  bool finished_ = false;
  std::string trouble_;  // the last one journalled
  uint64_t last_number_ = 0;
  Output out_;
};

}  // namespace spotkeeper::core
