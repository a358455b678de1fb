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
  deliveries.settle("m", Fate::kDone);
  EXPECT_EQ(deliveries.due(), Time{});
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
