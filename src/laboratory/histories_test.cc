// SPDX-License-Identifier: Apache-2.0
// The core's promises in random clusters. A failure prints the seed; SEED=n runs that one history
// alone (and its journal; UNIT=ns/name: of that pod), SEEDS=n the first n. world_bench runs
// thousands.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "laboratory/history.h"

namespace spotkeeper::laboratory {
namespace {

constexpr int kSeeds = 5;

int from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

void print_journal(const History& history, const std::string& only) {
  for (const core::Entry& entry : history.journal()) {
    if (!only.empty() && !entry.unit.empty() && entry.unit != only) continue;
    fmt::print("{} {} {} {}: {}\n", format_time(entry.at), entry.host.value, entry.unit,
               core::to_string(entry.what), entry.text);
  }
}

Tally run(int seed, bool explain, Size size = {}) {
  SCOPED_TRACE("SEED=" + std::to_string(seed));
  History history(static_cast<uint64_t>(seed), size);
  history.run();
  for (const std::string& broken : history.broken()) ADD_FAILURE() << broken;
  const char* unit = std::getenv("UNIT");
  if (explain) print_journal(history, unit != nullptr ? unit : "");
  return history.tally();
}

TEST(Histories, PromisesAreKept) {
  if (const int only = from_environment("SEED", 0); only != 0) {
    run(only, true);
    return;
  }
  const int last = from_environment("SEEDS", kSeeds);
  Tally all;
  for (int seed = 1; seed <= last; ++seed) {
    const Tally one = run(seed, false);
    all.moved += one.moved;
    all.overruled += one.overruled;
    all.released += one.released;
    all.replaced += one.replaced;
  }
  // It was no idle world in which promises are easily kept.
  EXPECT_GT(all.moved, 20 * last);
  EXPECT_GT(all.overruled, last);
  EXPECT_GT(all.released, 5 * last);
  EXPECT_GT(all.replaced, 2 * last);
}

// One webhook's no was the end of marking.
TEST(Histories, OneRefusalOfTheMarkIsNotTheLast) {
  run(63, false);
}

// A Retry-After of minutes, taken under a soft notice, reached beyond the end that a hard one set.
TEST(Histories, APauseDoesNotOutliveTheNoticeItWasTakenUnder) {
  run(192, false);
}

TEST(Histories, TwoProcessesShareTheHosts) {
  Tally all;
  for (int seed = 1; all.shared < 40; ++seed) {
    if (!Second::joins(static_cast<uint64_t>(seed))) continue;
    const Tally one = run(seed, false, {.nodes = 6, .pods_per_node = 8});
    all.shared += one.shared;
    all.taken_over += one.taken_over;
  }
  EXPECT_GT(all.taken_over, 2);
}

TEST(Histories, TheSameSeedGivesTheSameHistory) {
  const auto told = [](uint64_t seed) {
    History history(seed, {.nodes = 5, .pods_per_node = 10});
    history.run();
    std::string text;
    for (const core::Entry& entry : history.driver().journal()) {
      text += format_time(entry.at) + entry.unit + entry.text + "\n";
    }
    return text;
  };
  EXPECT_EQ(told(5), told(5));
  EXPECT_NE(told(5), told(6));
}

}  // namespace
}  // namespace spotkeeper::laboratory
