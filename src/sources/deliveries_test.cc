// SPDX-License-Identifier: Apache-2.0
#include "sources/deliveries.h"

#include <gtest/gtest.h>

namespace spotkeeper::sources {
namespace {

using Receipts = std::vector<std::string>;

const Time kStart(Seconds(1'000'000));

TEST(Deliveries, AMessageThatIsDoneIsDeletedOnce) {
  Deliveries deliveries(Seconds(20));
  EXPECT_TRUE(deliveries.received("m", "r1", 1, kStart));
  EXPECT_EQ(deliveries.due(), kStart + Seconds(10));
  EXPECT_FALSE(deliveries.has_news());
  deliveries.settle("m", Fate::kDone);
  EXPECT_TRUE(deliveries.has_news());
  EXPECT_EQ(deliveries.take_done(), Receipts{"r1"});
  EXPECT_EQ(deliveries.take_done(), Receipts{});
  EXPECT_EQ(deliveries.in_hand(), 0U);
  EXPECT_EQ(deliveries.due(), kNever);
}

TEST(Deliveries, WhatIsDeliveredTwiceIsOneMessageWithTheNewerReceipt) {
  Deliveries deliveries(Seconds(20));
  EXPECT_TRUE(deliveries.received("m", "r1", 1, kStart));
  EXPECT_FALSE(deliveries.received("m", "r2", 2, kStart + Seconds(5)));
  deliveries.settle("m", Fate::kDone);
  EXPECT_EQ(deliveries.take_done(), Receipts{"r2"});
  EXPECT_TRUE(deliveries.received("m", "r3", 3, kStart)) << "it is done with, and came again";
}

TEST(Deliveries, AMessageIsKeptFromOthersUntilItIsSettled) {
  Deliveries deliveries(Seconds(20));
  deliveries.received("m", "r", 1, kStart);
  EXPECT_EQ(deliveries.take_due(kStart + Seconds(9)), Receipts{});
  EXPECT_EQ(deliveries.take_due(kStart + Seconds(10)), Receipts{"r"});
  EXPECT_EQ(deliveries.take_due(kStart + Seconds(11)), Receipts{});
  EXPECT_EQ(deliveries.due(), kStart + Seconds(20));
}

// When a message that is received at 0 is asked to be extended, while that fails until a moment.
TEST(Deliveries, AnExtensionThatFailsIsAskedForAgainBeforeOthersSeeTheMessage) {
  struct Row {
    int visibility;
    int heals_ms;
    std::vector<int> asked_ms;
  };
  const Row rows[] = {
      {20, 0, {10'000, 20'000, 30'000}},
      {20, 10'001, {10'000, 10'500, 20'500, 30'500}},
      {20, 15'000, {10'000, 10'500, 11'500, 13'500, 16'000, 26'000, 36'000}},
      {20,
       25'000,
       {10'000, 10'500, 11'500, 13'500, 16'000, 18'500, 21'000, 23'500, 26'000, 36'000}},
      {1, 900, {500, 625, 750, 875, 1'000, 1'500}},
  };
  for (const Row& row : rows) {
    Deliveries deliveries((Seconds(row.visibility)));
    deliveries.received("m", "r", 1, kStart);
    for (const int at : row.asked_ms) {
      const Time now = kStart + Millis(at);
      ASSERT_EQ(deliveries.due(), now);
      EXPECT_EQ(deliveries.take_due(now), Receipts{"r"});
      if (at < row.heals_ms) deliveries.not_extended({"r"}, now);
    }
  }
}

TEST(Deliveries, AfterOneThatWorkedTheNextFailureIsTheFirst) {
  Deliveries deliveries(Seconds(20));
  deliveries.received("m", "r", 1, kStart);
  Time now = kStart + Seconds(10);
  for (const int pause_ms : {500, 1'000, 2'000}) {
    deliveries.take_due(now);
    deliveries.not_extended({"r"}, now);
    EXPECT_EQ(deliveries.due(), now + Millis(pause_ms));
    now = deliveries.due();
  }
  deliveries.take_due(now);  // works
  now = deliveries.due();
  deliveries.take_due(now);
  deliveries.not_extended({"r"}, now);
  EXPECT_EQ(deliveries.due(), now + Millis(500));
}

TEST(Deliveries, WhatWasRefusedAndIsNotThatDeliveryAnyMoreIsLeftAlone) {
  Deliveries deliveries(Seconds(20));
  deliveries.received("a", "ra", 1, kStart);
  deliveries.received("b", "rb", 1, kStart);
  const Time now = kStart + Seconds(10);
  deliveries.take_due(now);
  deliveries.received("a", "again", 2, now);
  deliveries.settle("b", Fate::kDone);
  deliveries.not_extended({"ra", "rb"}, now);
  EXPECT_EQ(deliveries.due(), now + Seconds(10));
  EXPECT_EQ(deliveries.take_done(), Receipts{"rb"});
}

TEST(Deliveries, OfSeveralThingsThatAMessageSaysTheWorstCounts) {
  struct Row {
    Fate first;
    Fate second;
    size_t done;
    size_t left;
  };
  for (const Row& row :
       {Row{Fate::kDone, Fate::kDone, 1, 0}, Row{Fate::kLeft, Fate::kDone, 0, 1},
        Row{Fate::kDone, Fate::kLeft, 0, 1}, Row{Fate::kDone, Fate::kPoison, 0, 0}}) {
    Deliveries deliveries(Seconds(20));
    deliveries.received("m", "r", 1, kStart);
    deliveries.holds("m", 2);
    deliveries.settle("m", row.first);
    EXPECT_EQ(deliveries.in_hand(), 1U);
    deliveries.settle("m", row.second);
    EXPECT_EQ(deliveries.in_hand(), 0U);
    EXPECT_EQ(deliveries.take_done().size(), row.done);
    EXPECT_EQ(deliveries.take_left().size(), row.left);
  }
}

TEST(Deliveries, WhatIsNotOursIsSeenAgainSoonAndThenLessOften) {
  for (const auto& [receives, pause] : {std::pair{0, 1},
                                        {1, 1},
                                        {3, 1},
                                        {4, 2},
                                        {7, 4},
                                        {10, 8},
                                        {13, 16},
                                        {16, 20},
                                        {1'000, 20}}) {
    Deliveries deliveries(Seconds(20));
    deliveries.received("m", "r", receives, kStart);
    deliveries.settle("m", Fate::kLeft);
    const auto left = deliveries.take_left();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left.front().second, Seconds(pause)) << receives;
  }
}

TEST(Deliveries, AtTheEndEverythingInHandIsGivenBack) {
  Deliveries deliveries(Seconds(20));
  deliveries.received("a", "ra", 1, kStart);
  deliveries.received("b", "rb", 1, kStart);
  EXPECT_EQ(deliveries.give_up(), (Receipts{"ra", "rb"}));
  EXPECT_EQ(deliveries.in_hand(), 0U);
  deliveries.settle("a", Fate::kDone);  // too late
  EXPECT_EQ(deliveries.take_done(), Receipts{});
}

}  // namespace
}  // namespace spotkeeper::sources
