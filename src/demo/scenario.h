// SPDX-License-Identifier: Apache-2.0
// What the demo's cluster runs: host n1, which will be taken back, with pods of every temper, and
// two hosts with room. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "world/workloads.h"
#include "world/world.h"

namespace spotkeeper::demo {

inline constexpr const char* kDoomed = "n1";
inline constexpr const char* kNamespace = "shop";
inline constexpr const char* kInstance = "i-0a1b2c3d4e5f60718";

struct App {
  std::string name;
  world::Kind kind = world::Kind::kDeployment;
  int replicas = 1;
  std::string what;  // its line in the list of pods
  Seconds grace{30};
  Millis ready_after{0};  // a new pod, from its start
  Millis ends_after{1'000};
  std::optional<world::IntOrPercent> min_available = {};
  std::optional<world::IntOrPercent> max_unavailable = {};
  bool service = false;

  bool moves() const { return kind != world::Kind::kDaemonSet; }
};

struct Scenario {
  std::string name;
  std::string summary;
  Seconds notice{120};   // from the notice to the host's end
  bool weather = false;  // the API server and the metadata service answer badly for a while
  std::vector<App> apps;

  int moving() const;  // pods
  const App* find(const std::string& app) const;
};

inline constexpr int kLeastNotice = 20;  // seconds: below, the default cast cannot end in time

// The names, in the order of --list-scenarios.
std::vector<std::string> scenario_names();

// nullopt when there is none of that name. `notice`: instead of its own.
std::optional<Scenario> make_scenario(const std::string& name, std::optional<Seconds> notice = {});

// A world in which all of it runs and is Ready: every pod on n1, n2 and n3 empty but for
// DaemonSets.
void build(world::World& world, const Scenario& scenario);

// The world's options and seed in the demo: the same for every run, so that runs can be compared.
world::Options world_options();
inline constexpr uint64_t kSeed = 1;

}  // namespace spotkeeper::demo
