// SPDX-License-Identifier: Apache-2.0
#include "core/waves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace spotkeeper::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Waves waves_of(const std::string& states, size_t at_once) {
  std::vector<Waves::Host> hosts;
  for (const char state : states) {
    hosts.push_back({.name = "n" + std::to_string(hosts.size()), .unavailable = state == 'u'});
  }
  return Waves(std::move(hosts), at_once);
}

TEST(MaxUnavailable, NumbersAndPercentagesOfTheHosts) {
  struct Case {
    MaxUnavailable limit;
    size_t hosts;
    size_t at_once;
  };
  const std::vector<Case> cases{
      {.limit = {.value = 2}, .hosts = 6, .at_once = 2},
      {.limit = {.value = 9}, .hosts = 6, .at_once = 6},
      {.limit = {.value = 50, .percent = true}, .hosts = 6, .at_once = 3},
      {.limit = {.value = 34, .percent = true}, .hosts = 6, .at_once = 2},
      {.limit = {.value = 33, .percent = true}, .hosts = 6, .at_once = 1},  // 1.98
      {.limit = {.value = 10, .percent = true}, .hosts = 6, .at_once = 1},  // 0.6: at least 1
      {.limit = {.value = 1, .percent = true}, .hosts = 1000, .at_once = 10},
      {.limit = {.value = 100, .percent = true}, .hosts = 7, .at_once = 7},
      {.limit = {.value = 100, .percent = true}, .hosts = 0, .at_once = 1},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(one.limit.of(one.hosts), one.at_once)
        << one.limit.value << (one.limit.percent ? "%" : "") << " of " << one.hosts;
  }
}

TEST(Waves, TheNextBeginsWhenOneIsDone) {
  Waves waves = waves_of("aaaa", 2);
  EXPECT_THAT(waves.next(), ElementsAre(0, 1));
  EXPECT_THAT(waves.next(), IsEmpty());
  waves.done(1, true);
  EXPECT_THAT(waves.next(), ElementsAre(2));
  waves.done(0, true);
  waves.done(2, true);
  EXPECT_FALSE(waves.over());
  EXPECT_THAT(waves.next(), ElementsAre(3));
  waves.done(3, true);
  EXPECT_TRUE(waves.over());
  EXPECT_EQ(waves.finished(), 4U);
}

TEST(Waves, HostsThatAreUnavailableCountAndGoFirst) {
  struct Case {
    std::string states;  // 'u': unavailable from the first
    size_t at_once;
    std::vector<size_t> first;
  };
  const std::vector<Case> cases{
      {.states = "aaua", .at_once = 1, .first = {2}},
      {.states = "aaua", .at_once = 2, .first = {2, 0}},
      {.states = "uaua", .at_once = 2, .first = {0, 2}},
      {.states = "uuua", .at_once = 2, .first = {0, 1}},
      {.states = "aauu", .at_once = 3, .first = {2, 3, 0}},
      {.states = "uuuu", .at_once = 9, .first = {0, 1, 2, 3}},
      {.states = "", .at_once = 1, .first = {}},
  };
  for (const Case& one : cases) {
    Waves waves = waves_of(one.states, one.at_once);
    EXPECT_EQ(waves.next(), one.first) << one.states << " " << one.at_once;
  }
  // The third of "uuu" still counts when the first two are done with.
  Waves waves = waves_of("uuua", 2);
  waves.next();
  waves.done(0, true);
  EXPECT_THAT(waves.next(), ElementsAre(2)) << "not the one that is available, too";
  waves.done(1, true);
  EXPECT_THAT(waves.next(), ElementsAre(3));
}

TEST(Waves, AHostThatDoesNotEndWellStopsTheRestButNotThoseThatDrain) {
  Waves waves = waves_of("aaaa", 2);
  waves.next();
  waves.done(0, false);
  EXPECT_THAT(waves.next(), IsEmpty());
  EXPECT_TRUE(waves.stopped());
  EXPECT_FALSE(waves.over()) << "the second is draining";
  EXPECT_THAT(waves.waiting(), ElementsAre("n2", "n3"));
  waves.done(1, true);
  EXPECT_TRUE(waves.over());
}

TEST(Waves, WhatIsSaidTwiceOrBeforeItsTurnChangesNothing) {
  Waves waves = waves_of("aaa", 1);
  waves.next();
  waves.done(2, false);
  EXPECT_FALSE(waves.stopped());
  waves.done(0, true);
  waves.done(0, false);
  EXPECT_FALSE(waves.stopped());
  EXPECT_THAT(waves.next(), ElementsAre(1));
}

// Whatever the order in which they end: never too many, and everybody's turn comes.
TEST(Waves, RandomEnds) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  for (int round = 0; round < 500; ++round) {
    const size_t hosts = 1 + random() % 20;
    const size_t at_once = 1 + random() % 6;
    std::string states;
    for (size_t i = 0; i < hosts; ++i) states += random() % 4 == 0 ? 'u' : 'a';
    Waves waves = waves_of(states, at_once);
    std::vector<size_t> draining;
    std::vector<bool> done(hosts, false);
    while (!waves.over()) {
      for (const size_t host : waves.next()) draining.push_back(host);
      ASSERT_FALSE(draining.empty()) << "somebody's turn it is";
      ASSERT_LE(draining.size(), at_once);
      size_t unavailable = 0;
      for (size_t i = 0; i < hosts; ++i) {
        const bool drains = std::ranges::find(draining, i) != draining.end();
        unavailable += drains || (states[i] == 'u' && !done[i]) ? 1 : 0;
      }
      const auto by_themselves = static_cast<size_t>(std::ranges::count(states, 'u'));
      ASSERT_LE(unavailable, std::max(at_once, by_themselves));
      const size_t ends = random() % draining.size();
      done[draining[ends]] = true;
      waves.done(draining[ends], true);
      draining.erase(draining.begin() + static_cast<std::ptrdiff_t>(ends));
    }
    ASSERT_EQ(waves.finished(), hosts);
  }
}

}  // namespace
}  // namespace spotkeeper::core
