// SPDX-License-Identifier: Apache-2.0
// The drain of one host, from the notice to the post-mortem: a pure state machine. It is told what
// happens (Observation) and answers with what to do (Action) and why (Entry). It never reads a
// clock and never does anything itself; the same observations at the same times give the same
// actions. docs/design.md, "The plan for one pod".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/abilities.h"
#include "core/action.h"
#include "core/budget_book.h"
#include "core/group_book.h"
#include "core/journal.h"
#include "core/node_map.h"
#include "core/pace.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/track.h"

namespace spotkeeper::core {

struct Output {
  std::vector<Action> actions;
  Journal entries;
};

class Drain {
 public:
  // `first_number`: its actions are numbered from there on. `pace`: shared with other hosts, and
  // outlives it; nullptr: it is alone.
  Drain(HostId host, Notice notice, Policy policy, Time now, uint64_t first_number = 1,
        Abilities abilities = {}, const Pace* pace = nullptr);

  Output on(const Observation& observation, Time now);

  // When on(Tick) is to be called at the latest; kNever when nothing is due.
  Time wake() const { return wake_; }

  const HostId& host() const { return host_; }
  const Notice& notice() const { return notice_; }
  Time started() const { return started_; }
  Time end() const { return end_of(notice_, policy_.margin); }

  // Every unit of ours has left, or the deadline has passed, or the drain was withdrawn and nothing
  // of it is under way: the post-mortem is due. Not for good: a unit may still arrive before the
  // deadline.
  bool finished() const { return finished_; }
  bool listed() const { return listed_; }  // the units could be read at all

  bool withdrawn() const { return withdrawn_.has_value(); }

  // What the last moments of its units may still take.
  struct LastMoments {
    int stops = 0;
    int requests = 0;  // when nothing is left out
    bool operator==(const LastMoments&) const = default;
  };
  const LastMoments& last_moments() const { return ahead_; }

  // For the Pace: its released units whose replacement is not started yet; how many replacements
  // have come since the last call; and whether a unit waits for room.
  int releases_open() const { return finished_ ? 0 : released_; }
  int take_came() { return std::exchange(came_, 0); }
  const Pace::Part& part() const { return part_; }
  bool waits_for_room() const { return waits_for_room_; }
  bool waits_for_others() const { return waits_for_others_; }  // of other hosts, to be answered

  // Ordered by name.
  std::vector<const Track*> tracks() const;
  // nullptr: no such unit was ever here.
  const Track* find(const UnitId& id) const;

  // The Services that were on the host, by name; whether they could be read at all.
  std::vector<Outages::Line> services() const { return outages_.lines(); }
  bool services_listed() const { return services_listed_; }

  // All that decides what it does from here on, and nothing else (not the numbers of its actions,
  // which have no meaning of their own): two drains of the same host and notice with the same
  // fingerprints behave alike. Bytes. For exploring (laboratory/explorer.h). The first is without
  // the units; a unit's is without its id. A unit that has left and is `gone_for_good` is as one
  // that never was.
  std::string fingerprint() const;
  std::string fingerprint_of(const UnitId& id, bool gone_for_good = false) const;

  // What stands in the way of asking the unit now, for people; empty: nothing.
  std::string obstacle(const Track& track) const;

 private:
  struct Mark {
    bool done = false;      // the host bears our mark
    bool current = false;   // with the notice as it is now
    bool given_up = false;  // we may not
    bool held = false;      // another process drains the host; we wait until it does not any more
    bool renewing = false;  // what is in flight says nothing new
    Time answered{};        // last, with success
    Time asked{};           // when the one in flight was decided
    Time renewed{};         // when the last that succeeded was
    Notice sent;            // what the one in flight says
    MarkExtras extras;      // what it bears beside
    MarkExtras sent_extras;
    uint64_t in_flight = 0;
    bool undoing = false;  // what is in flight takes it back
    bool undone = false;   // taken back, or that is given up
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
  void hear(const ServiceSeen& seen);
  void hear(const ServicesListed&) {
    matters_ = !std::exchange(services_listed_, true) && policy_.exclude_from_load_balancers;
  }
  void hear(const GroupSeen& seen);
  void hear(const GroupsUnread& unread);
  void hear(const VolumesSeen& seen);
  void hear(const AbilitiesFound& found);
  void hear(const PolicyChanged& changed);
  void hear(const ActionDone& done);
  void hear(const Trouble& trouble);
  void hear(const Withdrawn& withdrawn);
  void hear(const Crowd& crowd);
  void hear(const Tick&) { matters_ = false; }

  void take(const Notice& notice);
  void revive(const Notice& notice);
  void mark_answered(const Result<std::string>& result);
  void mark_failed(const Error& error);
  void undo_answered(const Result<std::string>& result);
  void outage(Outages::Change change, const ServiceId& id);
  void unit_answered(Track& track, const Result<std::string>& result);
  void ask_failed(Track& track, const Error& error, bool known_budget);
  void stop_failed(Track& track, const Error& error);
  void unit_told(Track& track, const std::string& text, bool by_us);
  void unit_gone(Track& track, const std::string& text);
  void back_off(Track& track, const Error& error);
  void deny(bool& ability, const Track* track, const Error& error, const std::string& loss);

  void advance();
  void replan();
  void count_ahead();
  void forget_wanted();
  void plan(Track& track, const Wanted& asked_for, Millis lead);
  bool plan_holds(const Track& track, const Wanted& wanted, Millis lead) const;
  void make_plan(Track& track, Wanted wanted, Millis lead);
  void consider(Track& track);
  void ask(Track& track);
  void force(Track& track);
  bool is_known_closed(const Unit& unit) const;
  bool goes_unexplained(const Unit& unit) const;
  std::optional<Seconds> grace_to_ask(const Track& track) const;
  void send_ask(Track& track, std::optional<Seconds> grace, bool last, std::string reason);
  void send_stop(Track& track, std::string reason);
  void send_explanation(Track& track);
  void hold(Track& track, std::string why);
  bool hard() const { return is_hard(notice_); }
  bool only_marks() const { return marks_only(policy_, notice_); }
  // When the unit is told whatever holds it: never, once nobody wants it to go any more.
  Time last_moment(const Track& track) const { return withdrawn_ ? kNever : track.plan.force; }
  // Handing over: drain_hand_over.cc, and what is heard of it: drain_release.cc.
  std::string no_hand_over(const Track& track) const;
  bool waits_for_group(const Track& track) const;
  Time group_due(const Track& track) const;
  bool guards_any(const BudgetId& id) const;  // of those that are here
  int surplus(const GroupId& id) const;
  static bool is_bereft(const Track& track);
  void count_part();
  int asked_elsewhere(const Unit& unit) const;
  int unreplaced(const GroupId& id) const;
  bool hand_over(Track& track);
  const Pace& pace() const { return shared_pace_ != nullptr ? *shared_pace_ : own_pace_; }
  struct Ahead {
    int released = 0;  // replacements of others, on any host, that are not started yet
    int waiting = 0;   // others that are released before it
  };
  Ahead ahead_of(const Track& track) const;
  Time release_by(const Track& track, const Ahead& ahead) const;
  Time confirm_by(Time since) const;
  bool release(Track& track);
  bool confirm(Track& track);
  bool await_replacement(Track& track);
  bool put_back(Track& track, const std::string& why);
  void give_up_release(Track& track, std::string why);
  void step(Track& track, Release::Step to);
  void release_seen(Track& track, bool was);
  void release_answered(Track& track, ActionKind kind, const Result<std::string>& result);
  void release_refused(Track& track, bool releases, const Error& error);
  bool returns(const Track& track) const;
  void take_back(Track& track, const std::string& why);
  bool releases_settled();
  bool is_unwanted(const Track& track) const;
  Time settle_by() const;
  Time release_due(const Track& track, const Ahead& ahead) const;

  bool waits_for_turn(const Track& track) const;
  void forewarn(Track& track);
  void forewarn_answered(const Track& track, const Result<std::string>& result);
  void consider_mark();
  MarkExtras extras_due() const;
  Time exclude_by() const;
  Time no_execute_by() const;
  void consider_expiry();
  void consider_withdrawal();
  void consider_budgets();
  bool may_drain() const;
  bool is_over() const;
  Time next_due() const;
  Track& track_of(const UnitId& id);
  int count_untold() const;
  Time verdict_due() const;
  bool is_signalled(const Unit& unit) const;
  std::vector<Track*> in_turn();
  bool mark_due() const;
  void mark_held(const Error& error);
  Time renewal_due() const;
  bool holds() const;
  bool services_known() const;
  bool waits_to_exclude() const;
  bool waits_for_releases() const;
  // A release is followed through within this, or taken back; and so long its owner is waited for
  // when it is.
  static constexpr Seconds kConfirmWithin{3};
  static constexpr Seconds kConfirmAtMost{10};
  // How often putting back is tried that is refused for good, or undone.
  static constexpr int kPutBackTries = 3;
  // Nothing of a namespace is handed over so long after a release there was not followed through.
  static constexpr std::chrono::minutes kBarredFor{10};
  // For how long a unit lets others go first where there is no deadline.
  static constexpr std::chrono::minutes kTurnPatience{5};
  // A unit that turns up so long after the mark was placed here in spite of it.
  static constexpr Seconds kMarkSettles{5};
  // How long the end of a drain is put off to see a Service come back.
  static constexpr Seconds kServiceWait{30};
  // Whether there is room, and time to wait for it, and what a budget still allows, also changes
  // with what other hosts do.
  static constexpr Seconds kRoomEvery{1};
  bool waits_for_services(int left);
  bool waits_for_volumes(int left) const;
  void rehearse();
  Time rehearsal_due() const;
  void consider_finish();

  Action& act(ActionKind kind, Track* track, std::string reason);
  void note(Level level, What what, const Track* track, std::string text);

  HostId host_;
  Notice notice_;
  std::vector<NoticeId> earlier_;  // those before it
  Policy policy_;
  Abilities abilities_;
  BudgetBook budgets_;
  GroupBook groups_;
  std::string groups_unread_;  // why nothing can be handed over
  Outages outages_;
  std::optional<Withdrawn> withdrawn_;
  std::optional<Time> withdrawn_at_;
  std::optional<Time> empty_since_;  // nobody of ours is left
  Time started_;
  Time now_;
  Time marked_at_ = kNever;
  Time paused_until_{};
  Millis slowest_{0};  // answer so far, at most kSlowestCounted
  Crowd crowd_;        // what other hosts take of the request rate
  const Pace* shared_pace_;
  Pace own_pace_;
  int released_ = 0;      // as of the last observation
  LastMoments ahead_;     // likewise
  int lowest_order_ = 0;  // of those that others wait for, as of the last planning
  int open_counted_ = 0;  // of ours, in the Pace
  int came_ = 0;
  Pace::Part part_;                // likewise
  bool waits_for_others_ = false;  // to be answered
  bool waits_for_room_ = false;
  Mark mark_;
  NodeMap<UnitId, Track> tracks_;  // of the units that are here
  NodeMap<UnitId, Track> left_;    // of those that have gone
  int attached_ = 0;               // volumes
  bool announced_ = false;
  bool listed_ = false;
  bool services_listed_ = false;
  bool finished_ = false;
  std::map<std::string, int> troubles_;  // how often each was heard
  bool plans_stale_ = true;              // what plans are made of has changed
  bool again_ = false;                   // plans or hand-overs have changed in this pass
  bool matters_ = true;                  // what was just heard may lead to something
  Time wake_ = kNever;
  uint64_t next_number_;
  Output out_;
};

}  // namespace spotkeeper::core
