// SPDX-License-Identifier: Apache-2.0
#include "core/group_book.h"

#include <gtest/gtest.h>

namespace spotkeeper::core {
namespace {

constexpr Time kNoon = Time(Seconds(1'800'000'000));

TEST(GroupBook, KnowsWhatItWasToldLast) {
  GroupBook book;
  EXPECT_EQ(book.find(GroupId("shop/web")), nullptr);
  book.seen({.id = GroupId("shop/web"), .wanted = 3});
  book.seen({.id = GroupId("shop/web"), .wanted = 5});
  ASSERT_NE(book.find(GroupId("shop/web")), nullptr);
  EXPECT_EQ(book.find(GroupId("shop/web"))->wanted, 5);
}

TEST(GroupBook, ABarHoldsForItsNamespaceAndItsTime) {
  GroupBook book;
  book.bar("shop", kNoon + Seconds(600), "refused");
  EXPECT_EQ(book.barred("shop", kNoon + Millis(599'999)), "refused");
  EXPECT_EQ(book.barred("shop", kNoon + Seconds(600)), "");
  EXPECT_EQ(book.barred("bank", kNoon), "");
}

TEST(GroupBook, GuessesEightReplacementsASecond) {
  const GroupBook book;
  EXPECT_EQ(book.time_for(1), Millis(125));
  EXPECT_EQ(book.time_for(40), Seconds(5));
}

TEST(GroupBook, MeasuresHowFastReplacementsCome) {
  GroupBook book;
  for (int i = 0; i < 10; ++i) book.released(kNoon);
  for (int i = 1; i <= 7; ++i) book.settled(true, kNoon + Millis(500 * i));
  EXPECT_EQ(book.time_for(8), Seconds(1)) << "seven are no measure yet";
  book.settled(true, kNoon + Seconds(4));
  EXPECT_EQ(book.time_for(8), Seconds(4));
}

TEST(GroupBook, TimeInWhichNoneWasWaitedForDoesNotCount) {
  GroupBook book;
  for (int i = 0; i < 8; ++i) book.released(kNoon);
  for (int i = 0; i < 8; ++i) book.settled(true, kNoon + Seconds(1));
  book.released(kNoon + Seconds(60));
  book.settled(true, kNoon + Seconds(61));
  EXPECT_EQ(book.time_for(9), Seconds(2));
}

TEST(GroupBook, WhoIsNotReplacedIsNoReplacement) {
  GroupBook book;
  for (int i = 0; i < 8; ++i) book.released(kNoon);
  for (int i = 0; i < 7; ++i) book.settled(true, kNoon + Seconds(1));
  book.settled(false, kNoon + Seconds(1));
  EXPECT_EQ(book.time_for(8), Seconds(1)) << "the guess";
  book.released(kNoon + Seconds(1));
  book.settled(true, kNoon + Seconds(4));
  EXPECT_EQ(book.time_for(8), Seconds(4));
  book.reopened(kNoon + Seconds(4));
  EXPECT_EQ(book.time_for(8), Seconds(1)) << "it was counted too early";
}

}  // namespace
}  // namespace spotkeeper::core
