// SPDX-License-Identifier: Apache-2.0
// All drains. Each notice ends up at exactly one Drain: the same one heard again changes nothing,
// a stronger or nearer one changes the Drain that runs.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/drain.h"

namespace spotkeeper::core {

class Desk {
 public:
  explicit Desk(Policy policy) : policy_(std::move(policy)) {}

  // A notice about a host that is known here.
  Output hear(const HostId& host, const Notice& notice, Time now);

  // What we may do, from now on: for the drains to come. Those that run are told by on().
  void able(const Abilities& abilities) { abilities_ = abilities; }

  // The operator's rules, from now on: likewise.
  void rules(std::vector<Rule> rules) { policy_.rules = std::move(rules); }

  // Anything else about a host; ignored when it has no drain.
  Output on(const HostId& host, const Observation& observation, Time now);

  // Nothing is kept of the host's drain, which is finished.
  void forget(const HostId& host, Time now);

  // The earliest moment at which some drain wants a Tick, or news() may have some; kNever if none.
  Time wake() const;

  // Those that want a Tick by now.
  std::vector<HostId> due(Time now) const;

  // What hosts are to be told of each other; to be asked for after every turn and at wake(). Who
  // waits for the replacements of other hosts' units is told when there is room again. And all
  // share one request rate: their last moments are laid out backwards through it, so that who ends
  // first is not behind a queue of others.
  std::vector<std::pair<HostId, Observation>> news(Time now);
  Time news_due() const { return shares_stale_ ? shares_due_ : kNever; }

  // nullptr when the host has none.
  const Drain* find(const HostId& host) const;

 private:
  struct Share {
    Drain::LastMoments ahead;
    int open = 0;  // of its releases
    Pace::Part part;
    bool waits = false;  // for room for another
    Crowd crowd;         // as it was told
    Time wake = kNever;  // as it is in wakes_
  };
  struct Seat {
    Drain drain;
    Share share = {};
  };
  using Seats = std::map<HostId, Seat>;
  struct Moment {  // of a host
    Time at;
    const HostId* host;
    auto operator<=>(const Moment& other) const {
      const auto order = at <=> other.at;
      return order != 0 ? order : host->value <=> other.host->value;
    }
  };
  Output turn(Seats::value_type& seat, const Observation& observation, Time now);
  void drop(Seats::iterator seat, Time now);
  void count(Share& share, const Drain::LastMoments& ahead);
  void count(Seats::value_type& seat, Time now);
  void wake_at(const HostId& host, Share& share, Time at);
  const HostId* first_that_waits() const;
  double rate_for(size_t hosts) const;

  Policy policy_;
  Abilities abilities_;
  Seats seats_;
  std::set<Moment> wakes_;  // of drains that want one
  Pace pace_;
  int waiting_ = 0;           // hosts that wait for room
  Drain::LastMoments ahead_;  // of all
  bool brief_ = false;        // these are (Crowd)
  bool shares_stale_ = false;
  Time shares_due_{};  // not laid out again before
  uint64_t next_number_ = 1;
};

}  // namespace spotkeeper::core
