// SPDX-License-Identifier: Apache-2.0
#include "core/pace.h"

#include <gtest/gtest.h>

namespace spotkeeper::core {
namespace {

constexpr Time kNoon = Time(Seconds(1'800'000'000));

TEST(Pace, GuessesEightReplacementsASecond) {
  const Pace pace;
  EXPECT_EQ(pace.time_for(1), Millis(125));
  EXPECT_EQ(pace.time_for(40), Seconds(5));
}

TEST(Pace, MeasuresHowFastReplacementsCome) {
  Pace pace;
  pace.counted(10, 0, kNoon);
  for (int i = 1; i <= 7; ++i) pace.counted(10 - i, 1, kNoon + Millis(500 * i));
  EXPECT_EQ(pace.time_for(8), Seconds(1)) << "seven are no measure yet";
  pace.counted(2, 1, kNoon + Seconds(4));
  EXPECT_EQ(pace.time_for(8), Seconds(4));
}

TEST(Pace, TimeInWhichNoneWasWaitedForDoesNotCount) {
  Pace pace;
  pace.counted(8, 0, kNoon);
  pace.counted(0, 8, kNoon + Seconds(1));
  pace.counted(1, 0, kNoon + Seconds(60));
  pace.counted(0, 1, kNoon + Seconds(61));
  EXPECT_EQ(pace.time_for(9), Seconds(2));
}

TEST(Pace, WhatHasNotComeAfterAllIsTakenBack) {
  Pace pace;
  pace.counted(8, 0, kNoon);
  pace.counted(0, 8, kNoon + Seconds(4));
  EXPECT_EQ(pace.time_for(8), Seconds(4));
  pace.counted(1, -1, kNoon + Seconds(4));
  EXPECT_EQ(pace.time_for(8), Seconds(1)) << "the guess";
}

TEST(Pace, HasRoomForAsManyAsComeSoon) {
  Pace pace;
  pace.counted(15, 0, kNoon);
  EXPECT_TRUE(pace.has_room());
  pace.counted(16, 0, kNoon);
  EXPECT_FALSE(pace.has_room());
  for (int i = 0; i < 8; ++i) pace.counted(1, 1, kNoon + Seconds(5 * i));
  EXPECT_FALSE(pace.has_room()) << "two take ten seconds";
  pace.counted(0, 0, kNoon + Seconds(40));
  EXPECT_TRUE(pace.has_room()) << "one may always be tried";
}

}  // namespace
}  // namespace spotkeeper::core
