// SPDX-License-Identifier: Apache-2.0
// All drains. Each notice ends up at exactly one Drain: the same one heard again changes nothing,
// a stronger or nearer one changes the Drain that runs.
#pragma once

#include <map>
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

  // The earliest moment at which some drain wants a Tick, kNever if none.
  Time wake() const;

  // nullptr when the host has none.
  const Drain* find(const HostId& host) const;

 private:
  Policy policy_;
  Abilities abilities_;
  std::map<HostId, Drain> drains_;
  uint64_t next_number_ = 1;
};

}  // namespace spotkeeper::core
