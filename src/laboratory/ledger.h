// SPDX-License-Identifier: Apache-2.0
// What the server knew, moment by moment, of the Deployments whose pods are handed over: so that a
// pod that was asked to leave can be judged by what could be seen when that was decided. Reads the
// world's objects and nothing of the core or of effects/.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "world/world.h"

namespace spotkeeper::laboratory {

class Ledger {
 public:
  Ledger(const world::World& world, std::function<bool(const std::string& node)> doomed)
      : world_(world), doomed_(std::move(doomed)) {}

  // From now on. `group`: the Deployment.
  void follow(const world::Key& group);
  void on(const world::Event& event);
  // Another node goes.
  void recount();

  // Ready others + Ready released - wanted, at its most by what a watcher may have seen since then.
  int most_surplus(const world::Key& group, Time since) const;

 private:
  struct Sample {
    Time at{};
    // Ready, owned, on hosts that stay; by ReplicaSet, for the watches of two of them may be at
    // different moments.
    std::map<world::Uid, int> elsewhere = {};
    int out = 0;  // Ready and released
    int wanted = 0;
  };
  struct State {
    std::string node;
    std::optional<world::Uid> owner = {};
    bool released = false;
  };
  struct Line {
    std::map<world::Uid, State> ready;  // active and Ready pods
    std::vector<Sample> samples;
  };
  // As Keys are ordered; looks up what is in somebody else's strings.
  struct Before {
    using is_transparent = void;
    bool operator()(const world::KeyView& a, const world::KeyView& b) const {
      return a.ns != b.ns ? a.ns < b.ns : a.name < b.name;
    }
  };
  void put(Line& line, const world::Pod& pod, bool gone);
  void sample(const world::Key& group, Line& line);

  const world::World& world_;
  std::function<bool(const std::string& node)> doomed_;
  std::map<world::Key, Line, Before> lines_;
};

}  // namespace spotkeeper::laboratory
