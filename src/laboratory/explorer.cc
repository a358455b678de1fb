// SPDX-License-Identifier: Apache-2.0
#include "laboratory/explorer.h"

#include <string_view>
#include <unordered_set>
#include <utility>

#include "world/random.h"

namespace spotkeeper::laboratory {
namespace {

struct Hash {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash&) const = default;
};

struct HashOfHash {
  size_t operator()(const Hash& hash) const { return hash.low; }
};

// Two runs of an FNV-like mix from different beginnings.
Hash hash_of(std::string_view text) {
  constexpr uint64_t kPrime = 0x100000001B3U;
  Hash hash{.high = 0xCBF29CE484222325U, .low = 0x9E3779B97F4A7C15U};
  for (const char c : text) {
    const auto byte = static_cast<uint64_t>(static_cast<unsigned char>(c));
    hash.high = (hash.high ^ byte) * kPrime;
    hash.low = (hash.low + byte + 1) * 0xD6E8FEB86659FD93U;
    hash.low ^= hash.low >> 32U;
  }
  return {.high = world::Random::mix(hash.high), .low = world::Random::mix(hash.low)};
}

struct Frame {
  SmallWorld world;
  std::vector<SmallWorld::Step> steps;
  size_t next = 0;
};

void keep_history(const std::vector<Frame>& stack, Explored& result) {
  for (const Frame& frame : stack) {
    if (frame.next == 0) continue;
    result.history.push_back(frame.world.describe(frame.steps[frame.next - 1]));
  }
}

}  // namespace

Explored explore(const SmallSetup& setup, int64_t most) {
  Explored result;
  std::unordered_set<Hash, HashOfHash> visited;
  std::vector<Frame> stack;
  // False: a promise is broken.
  const auto enter = [&](SmallWorld world) {
    if (world.broken().empty() && !visited.insert(hash_of(world.fingerprint())).second) return true;
    ++result.states;
    std::vector<SmallWorld::Step> steps = world.steps();
    if (steps.empty()) {
      ++result.ends;
      world.check_end();
    }
    if (!world.broken().empty()) {
      result.broken = setup.name + ": " + world.broken();
      keep_history(stack, result);
      return false;
    }
    if (!steps.empty()) stack.push_back({std::move(world), std::move(steps)});
    return true;
  };
  if (!enter(SmallWorld(setup))) return result;
  while (!stack.empty()) {
    if (result.states >= most) {
      result.whole = false;
      return result;
    }
    Frame& top = stack.back();
    if (top.next == top.steps.size()) {
      stack.pop_back();
      continue;
    }
    SmallWorld world = top.world;
    world.take(top.steps[top.next++]);
    ++result.transitions;
    if (!enter(std::move(world))) return result;
  }
  return result;
}

std::vector<SmallSetup> small_setups() {
  return {
      {.name = "one behind minAvailable 1",
       .deployments = {{.least = 1}},
       .faults = 1,
       .crashes = 1},
      {.name = "one without a budget", .deployments = {{}}, .faults = 1, .crashes = 1},
      {.name = "one, never replaced",
       .deployments = {{.least = 1, .replaced = false}},
       .faults = 1,
       .crashes = 1},
      {.name = "one whose owner stays",
       .deployments = {{.least = 1, .owner_stays = true}},
       .faults = 1,
       .crashes = 1},
      {.name = "one, withdrawn", .deployments = {{.least = 1}}, .withdrawals = 1},
      {.name = "one, softly", .deployments = {{.least = 1}}, .soft = true},
      {.name = "two behind minAvailable 2", .deployments = {{.pods = 2, .least = 2}}},
  };
}

std::vector<SmallSetup> all_setups() {
  std::vector<SmallSetup> all = small_setups();
  const std::vector<SmallSetup> larger = {
      {.name = "one, withdrawn, faults",
       .deployments = {{.least = 1}},
       .faults = 1,
       .withdrawals = 1},
      {.name = "one whose owner stays, withdrawn",
       .deployments = {{.least = 1, .owner_stays = true}},
       .faults = 1,
       .withdrawals = 1},
      {.name = "one, softly, faults",
       .deployments = {{.least = 1}},
       .soft = true,
       .faults = 1,
       .crashes = 1},
      {.name = "one with a long grace",
       .deployments = {{.least = 1}},
       .grace = Seconds(600),
       .faults = 1,
       .crashes = 1},
      {.name = "two behind minAvailable 2, faults",
       .deployments = {{.pods = 2, .least = 2}},
       .faults = 1},
      {.name = "two behind minAvailable 2, crash",
       .deployments = {{.pods = 2, .least = 2}},
       .crashes = 1},
      {.name = "one here, one elsewhere",
       .deployments = {{.elsewhere = 1, .least = 1}},
       .faults = 1,
       .crashes = 1},
      {.name = "two Deployments, two budgets", .deployments = {{.least = 1}, {.least = 1}}},
      {.name = "two Deployments, withdrawn", .deployments = {{.least = 1}, {}}, .withdrawals = 1},
      {.name = "three behind minAvailable 3", .deployments = {{.pods = 3, .least = 3}}},
      {.name = "two and one, two budgets",
       .deployments = {{.pods = 2, .least = 2}, {.pods = 1, .least = 1}}},
  };
  all.insert(all.end(), larger.begin(), larger.end());
  return all;
}

}  // namespace spotkeeper::laboratory
