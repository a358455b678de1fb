// SPDX-License-Identifier: Apache-2.0
#include "sources/clock_check.h"

#include <gtest/gtest.h>

namespace spotkeeper::sources {
namespace {

constexpr Time kNow = Time(Seconds(1'800'000'000));

// AWS's clock is so far ahead of ours; the answer took no time. Its Date lacks `cut` of a second.
aws::ServerTime ahead_by(Millis ahead, Millis took = Millis(0), Time ours = kNow) {
  return {.date = std::chrono::floor<Seconds>(ours + ahead), .sent = ours - took, .received = ours};
}

TEST(ClockCheck, NearEnoughIsRight) {
  ClockCheck check;
  for (const int ms : {-1'900, -900, 0, 400, 999, 1'900}) {
    EXPECT_EQ(check.heard(ahead_by(Millis(ms)), std::nullopt), Millis(0)) << ms;
  }
}

TEST(ClockCheck, AClockThatIsOffIsCorrectedToHalfASecond) {
  ClockCheck check;
  for (const int ms : {-90'000, -89'300, -3'100, 3'100, 60'000, 90'900}) {
    const auto behind = check.heard(ahead_by(Millis(ms)), std::nullopt);
    ASSERT_TRUE(behind) << ms;
    EXPECT_LE(std::chrono::abs(*behind - Millis(ms)), Millis(500)) << ms;
  }
}

TEST(ClockCheck, WhatWasCorrectedIsNearEnoughAfterwards) {
  for (int ms = 2'600; ms < 4'000; ms += 100) {
    ClockCheck check;
    const auto behind = check.heard(ahead_by(Millis(ms)), std::nullopt);
    ASSERT_TRUE(behind);
    for (int phase = 0; phase < 1'000; phase += 100) {
      const Time ours = kNow + *behind + Millis(phase);
      EXPECT_EQ(check.heard(ahead_by(Millis(ms) - *behind, Millis(20), ours), std::nullopt),
                Millis(0))
          << ms << " at " << phase;
    }
  }
}

TEST(ClockCheck, ASlowAnswerIsReadWithDoubt) {
  ClockCheck check;
  // Made 1.9 s ago, when our clock was right: it says less than our clock does now.
  const aws::ServerTime slow{
      .date = kNow - Seconds(2), .sent = kNow - Millis(1'900), .received = kNow};
  EXPECT_EQ(check.heard(slow, std::nullopt), Millis(0));
}

TEST(ClockCheck, ADateBeforeThisProgramIsNotBelieved) {
  ClockCheck check;
  for (int i = 0; i < 5; ++i) {
    const aws::ServerTime old{.date = Time(Seconds(1'000)), .sent = kNow, .received = kNow};
    EXPECT_EQ(check.heard(old, std::nullopt), std::nullopt);
  }
}

TEST(ClockCheck, AFarDateIsBelievedTheThirdTime) {
  ClockCheck check;
  const aws::ServerTime far = ahead_by(std::chrono::hours(1));
  EXPECT_EQ(check.heard(far, std::nullopt), std::nullopt);
  EXPECT_EQ(check.heard(far, std::nullopt), std::nullopt);
  const auto behind = check.heard(far, std::nullopt);
  ASSERT_TRUE(behind);
  EXPECT_LE(std::chrono::abs(*behind - std::chrono::hours(1)), Millis(500));
}

TEST(ClockCheck, OneStrayBetweenGoodDatesIsForgotten) {
  ClockCheck check;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(check.heard(ahead_by(std::chrono::hours(1)), std::nullopt), std::nullopt);
    EXPECT_EQ(check.heard(ahead_by(std::chrono::hours(1)), std::nullopt), std::nullopt);
    EXPECT_EQ(check.heard(ahead_by(Millis(0)), std::nullopt), Millis(0));
  }
}

TEST(ClockCheck, FarDatesThatDisagreeAreNotBelieved) {
  ClockCheck check;
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(check.heard(ahead_by(std::chrono::hours(i)), std::nullopt), std::nullopt);
  }
}

TEST(ClockCheck, AHostThatWakesIn1970IsCorrectedAtOnce) {
  ClockCheck check;
  const Time boot = Time(Seconds(30));
  const auto behind = check.heard(ahead_by(kNow - boot, Millis(0), boot), std::nullopt);
  ASSERT_TRUE(behind);
  EXPECT_LE(std::chrono::abs(boot + *behind - kNow), Millis(500));
}

TEST(ClockCheck, ANoticeThatFitsTheDateIsASecondWitness) {
  const aws::ServerTime hour_off = ahead_by(std::chrono::hours(1));
  const auto fits = ClockCheck().heard(hour_off, hour_off.date + Seconds(118));
  ASSERT_TRUE(fits);
  EXPECT_LE(std::chrono::abs(*fits - std::chrono::hours(1)), Millis(500));
  EXPECT_EQ(ClockCheck().heard(hour_off, kNow + Seconds(118)), std::nullopt)
      << "a notice that fits our own clock is not";
}

TEST(ClockCheck, WhoHasTakenOurSignatureIsBelieved) {
  struct Row {
    Millis ahead;
    Millis took;
    Millis behind;
    Millis doubt;
  };
  using std::chrono::hours;
  const Row rows[] = {
      {Millis(1'900), Millis(50), Millis(0), Millis(0)},
      {Seconds(-45), Millis(50), Seconds(-45), Millis(600)},
      {Seconds(300), Millis(1'500), Seconds(300), Millis(1'300)},
      {hours(30), Millis(50), hours(30), Millis(600)},
      // A long poll: a Date that may be anywhere in it says nothing; one that cannot says all.
      {Seconds(0), Seconds(20), Millis(0), Millis(0)},
      {Seconds(-15), Seconds(20), Millis(0), Millis(0)},
      {Seconds(11), Seconds(20), Seconds(11), Millis(600)},
      {Seconds(40), Seconds(20), Seconds(40), Millis(600)},
      {Seconds(-40), Seconds(20), Seconds(-40), Millis(600)},
  };
  for (const Row& row : rows) {
    ClockCheck check;
    const auto behind = check.answered(ahead_by(row.ahead, row.took));
    ASSERT_TRUE(behind);
    EXPECT_LE(std::chrono::abs(*behind - row.behind), row.doubt)
        << row.ahead.count() << " in " << row.took.count();
  }
  ClockCheck check;
  const aws::ServerTime old{.date = Time(Seconds(1'000)), .sent = kNow, .received = kNow};
  EXPECT_EQ(check.answered(old), std::nullopt);
}

}  // namespace
}  // namespace spotkeeper::sources
