// SPDX-License-Identifier: Apache-2.0
#include "laboratory/explorer.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "world/random.h"

namespace spotkeeper::laboratory {
namespace {

struct Hash {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash&) const = default;
};

// Eight bytes at a time into two halves that begin and mix differently.
Hash hash_of(std::string_view bytes) {
  Hash hash{.high = 0xCBF29CE484222325U ^ bytes.size(), .low = 0x9E3779B97F4A7C15U};
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t taken = std::min(bytes.size(), sizeof(word));
    std::memcpy(&word, bytes.data(), taken);
    bytes.remove_prefix(taken);
    hash.high = (hash.high ^ word) * 0x9FB21C651E98DF25U;
    hash.high ^= hash.high >> 29U;
    hash.low = (hash.low + word) * 0xD6E8FEB86659FD93U;
    hash.low ^= hash.low >> 32U;
  }
  return {.high = world::Random::mix(hash.high), .low = world::Random::mix(hash.low)};
}

// The hashes of the states that were met: 16 bytes each, in a table at most three quarters full.
class Met {
 public:
  // False: it was there.
  bool insert(Hash hash) {
    if (hash == Hash{}) hash.low = 1;  // which stands for an empty place
    if (4 * (count_ + 1) > 3 * places_.size()) grow();
    return put(hash);
  }

 private:
  bool put(const Hash& hash) {
    const size_t mask = places_.size() - 1;
    for (size_t at = hash.low & mask;; at = (at + 1) & mask) {
      if (places_[at] == hash) return false;
      if (places_[at] != Hash{}) continue;
      places_[at] = hash;
      ++count_;
      return true;
    }
  }
  void grow() {
    std::vector<Hash> before(std::max<size_t>(1024, 2 * places_.size()));
    before.swap(places_);
    count_ = 0;
    for (const Hash& hash : before) {
      if (hash != Hash{}) put(hash);
    }
  }

  std::vector<Hash> places_;
  size_t count_ = 0;
};

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
  Met met;
  std::vector<Frame> stack;
  // False: a promise is broken.
  const auto enter = [&](SmallWorld world) {
    if (world.broken().empty() && !met.insert(hash_of(world.fingerprint()))) return true;
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
  };
}

std::vector<SmallSetup> all_setups() {
  std::vector<SmallSetup> all = small_setups();
  const std::vector<SmallSetup> larger = {
      {.name = "one behind minAvailable 1, fault", .deployments = {{.least = 1}}, .faults = 1},
      {.name = "one behind minAvailable 1, crash", .deployments = {{.least = 1}}, .crashes = 1},
      {.name = "one without a budget", .deployments = {{}}, .faults = 1, .crashes = 1, .lag = 2},
      {.name = "one behind minAvailable 1",
       .deployments = {{.least = 1}},
       .faults = 1,
       .crashes = 1,
       .lag = 2},
      {.name = "one, withdrawn, fault",
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
       .crashes = 1,
       .lag = 2},
      {.name = "one with a long grace",
       .deployments = {{.least = 1}},
       .grace = Seconds(600),
       .faults = 1,
       .crashes = 1},
      {.name = "one here, one elsewhere",
       .deployments = {{.elsewhere = 1, .least = 1}},
       .faults = 1,
       .crashes = 1,
       .lag = 2},
  };
  all.insert(all.end(), larger.begin(), larger.end());
  // Each with nothing beside, and with one fault, one crash, one withdrawal. The largest with a
  // cluster that is slower than its words.
  const auto add = [&all](const std::string& name, std::vector<SmallSetup::Deployment> deployments,
                          int lag, int lag_beside) {
    const SmallSetup calm{
        .name = name, .deployments = std::move(deployments), .lag = lag, .prompt = true};
    all.push_back(calm);
    for (const std::string_view beside : {"fault", "crash", "withdrawn"}) {
      SmallSetup setup = calm;
      setup.name += ", " + std::string(beside);
      setup.lag = lag_beside;
      setup.faults = beside == "fault" ? 1 : 0;
      setup.crashes = beside == "crash" ? 1 : 0;
      setup.withdrawals = beside == "withdrawn" ? 1 : 0;
      all.push_back(setup);
    }
  };
  add("two behind minAvailable 2", {{.pods = 2, .least = 2}}, 1, 1);
  add("two Deployments, two budgets", {{.least = 1}, {.least = 1}}, 1, 0);
  add("three behind minAvailable 3", {{.pods = 3, .least = 3}}, 1, 0);
  add("two and one, two budgets", {{.pods = 2, .least = 2}, {.pods = 1, .least = 1}}, 0, 0);
  return all;
}

}  // namespace spotkeeper::laboratory
