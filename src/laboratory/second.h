// SPDX-License-Identifier: Apache-2.0
// A second process in a random history: it hears of all or some of the hosts, sooner or later, and
// shares them with the first by the holder in their records (effects/holders.h). One of the two may
// be killed for good, early enough for the other to take over. Draws from a Random of its own, so
// that histories of one process stay as they are.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "laboratory/driver.h"
#include "world/random.h"
#include "world/world.h"

namespace spotkeeper::laboratory {

class Second {
 public:
  // Whether the history of this seed has a second process.
  static bool joins(uint64_t seed);
  // What the first one needs in order to share its hosts.
  static Setup shared(Setup setup);

  // `first` outlives it.
  Second(world::World& world, Driver& first, Setup setup, uint64_t seed);

  struct Host {
    core::Notice notice;
    std::optional<Time> withdrawn = {};
  };
  // What is going to happen, from `begin` on. `changed`: called when somebody knows, or knows of
  // nothing any more.
  void plan(const std::map<std::string, Host>& hosts, Time begin, std::function<void()> changed);

  Driver& driver() { return driver_; }
  // Whether all who live know that this host goes.
  bool all_know(const std::string& node) const;
  // Whether the host's record names one who was killed: nothing was left to take over, and its mark
  // is a person's to take back.
  bool is_left_by_the_dead(const std::string& node) const;
  // Why it may not do that now: another holds the host. Empty: it may.
  std::string trespass(const Driver& who, const core::Action& action) const;

 private:
  std::string holder_of(const std::string& node) const;
  void plan_death(const std::map<std::string, Host>& hosts, Time begin, Millis notices_after);
  std::string name_of(const Driver& who) const { return &who == &first_ ? "first" : "second"; }

  world::World& world_;
  world::Random random_;
  Driver& first_;
  bool one_machine_;  // the end of the other is noticed at once
  Driver driver_;
  std::function<void()> changed_;
};

}  // namespace spotkeeper::laboratory
