// SPDX-License-Identifier: Apache-2.0
#include "effects/request_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spotkeeper::effects {
namespace {

using core::ActionKind;

constexpr Time kNow = Time(Seconds(1'800'000'000));

core::Action action(ActionKind kind, const std::string& name, Time by = kNever) {
  core::Action action;
  action.kind = kind;
  action.unit_name = name;
  action.by = by;
  return action;
}

std::vector<std::string> all(RequestQueue& queue, Time now) {
  std::vector<std::string> names;
  while (const auto next = queue.pop(now)) {
    names.push_back(next->unit_name);
    queue.answered(now);
  }
  return names;
}

TEST(RequestQueue, MarksGoFirstThenLastMomentsThenTheRestByTheirLastMoment) {
  RequestQueue queue({});
  queue.push(action(ActionKind::kUndo, "undo"), kNow);
  queue.push(action(ActionKind::kAsk, "late", kNow + Seconds(60)), kNow);
  queue.push(action(ActionKind::kRelease, "early", kNow + Seconds(30)), kNow);
  queue.push(action(ActionKind::kAsk, "now", kNow), kNow);
  queue.push(action(ActionKind::kStop, "stop", kNow - Seconds(1)), kNow);
  queue.push(action(ActionKind::kMark, "mark"), kNow);
  EXPECT_EQ(all(queue, kNow),
            (std::vector<std::string>{"mark", "stop", "now", "early", "late", "undo"}));
}

TEST(RequestQueue, WhatWasPushedFirstGoesFirst) {
  RequestQueue queue({});
  for (const char* name : {"a", "b", "c"}) queue.push(action(ActionKind::kAsk, name), kNow);
  EXPECT_EQ(all(queue, kNow), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(RequestQueue, AnAskWhoseLastMomentComesWhileItWaitsOvertakesLaterOnes) {
  RequestQueue queue({.per_s = 1, .burst = 1});
  queue.push(action(ActionKind::kAsk, "ask", kNow + Seconds(2)), kNow);
  queue.push(action(ActionKind::kStop, "first", kNow), kNow);
  queue.push(action(ActionKind::kStop, "second", kNow + Seconds(3)), kNow);
  EXPECT_EQ(queue.pop(kNow)->unit_name, "first");
  EXPECT_EQ(queue.pop(kNow + Seconds(4))->unit_name, "ask");
  EXPECT_EQ(queue.pop(kNow + Seconds(5))->unit_name, "second");
}

TEST(RequestQueue, TheBucketBoundsTheRate) {
  RequestQueue queue({.per_s = 100, .burst = 20});
  for (int i = 0; i < 200; ++i) queue.push(action(ActionKind::kMark, "m"), kNow);
  EXPECT_EQ(all(queue, kNow).size(), 20U);
  EXPECT_EQ(queue.due(kNow), kNow + Millis(10));
  EXPECT_EQ(all(queue, kNow + Millis(9)).size(), 0U);
  EXPECT_EQ(all(queue, kNow + Millis(100)).size(), 10U);
  EXPECT_EQ(all(queue, kNow + Seconds(100)).size(), 20U) << "no more than the burst at once";
}

TEST(RequestQueue, RequestsBesideCountToo) {
  RequestQueue queue({.per_s = 10, .burst = 10});
  queue.charge(15, kNow);
  queue.push(action(ActionKind::kAsk, "a"), kNow);
  EXPECT_FALSE(queue.pop(kNow));
  EXPECT_EQ(queue.due(kNow), kNow + Millis(600));
  EXPECT_TRUE(queue.pop(kNow + Millis(600)));
}

TEST(RequestQueue, APauseHoldsNeitherMarksNorLastMoments) {
  RequestQueue queue({});
  queue.pause(kNow + Seconds(30));
  queue.push(action(ActionKind::kAsk, "ask", kNow + Seconds(10)), kNow);
  queue.push(action(ActionKind::kAsk, "last ask", kNow), kNow);
  queue.push(action(ActionKind::kMark, "mark"), kNow);
  EXPECT_EQ(all(queue, kNow), (std::vector<std::string>{"mark", "last ask"}));
  EXPECT_EQ(queue.due(kNow), kNow + Seconds(10)) << "its own last moment ends the pause for it";
  EXPECT_EQ(all(queue, kNow + Seconds(10)), (std::vector<std::string>{"ask"}));
  EXPECT_EQ(queue.due(kNow), kNever);
}

TEST(RequestQueue, AShorterPauseDoesNotEndALongerOne) {
  RequestQueue queue({});
  queue.pause(kNow + Seconds(30));
  queue.pause(kNow + Seconds(5));
  queue.push(action(ActionKind::kAsk, "ask"), kNow);
  EXPECT_FALSE(queue.pop(kNow + Seconds(29)));
  EXPECT_TRUE(queue.pop(kNow + Seconds(30)));
}

TEST(RequestQueue, MoreThanThereAreConnectionsWaitAMomentAndNoLonger) {
  RequestQueue queue({.connections = 2});
  for (const char* name : {"a", "b", "c", "d"}) queue.push(action(ActionKind::kMark, name), kNow);
  EXPECT_TRUE(queue.pop(kNow));
  EXPECT_TRUE(queue.pop(kNow));
  EXPECT_FALSE(queue.pop(kNow));
  EXPECT_EQ(queue.due(kNow), kNow + Millis(100));
  queue.answered(kNow + Millis(50));
  EXPECT_EQ(queue.due(kNow + Millis(50)), kNow + Millis(50));
  EXPECT_EQ(queue.pop(kNow + Millis(50))->unit_name, "c");
  EXPECT_FALSE(queue.pop(kNow + Millis(149)));
  EXPECT_EQ(queue.pop(kNow + Millis(150))->unit_name, "d") << "nobody has answered since";
}

TEST(RequestQueue, WhileAnswersComeOneWaitsForAConnectionASecondAtMost) {
  RequestQueue queue({.connections = 1});
  for (int i = 0; i < 20; ++i) queue.push(action(ActionKind::kMark, "n" + std::to_string(i)), kNow);
  EXPECT_TRUE(queue.pop(kNow));
  for (int ms = 90; ms < 1'000; ms += 90) {
    const Time now = kNow + Millis(ms);
    EXPECT_FALSE(queue.pop(now)) << ms;
    queue.answered(now);
    EXPECT_TRUE(queue.pop(now)) << ms;
  }
  EXPECT_FALSE(queue.pop(kNow + Millis(999)));
  EXPECT_TRUE(queue.pop(kNow + Seconds(1)));
  EXPECT_FALSE(queue.pop(kNow + Seconds(5))) << "twice as many are the most";
  EXPECT_LE(queue.due(kNow + Seconds(5)), kNow + Seconds(6));
  queue.answered(kNow + Seconds(5));
  EXPECT_TRUE(queue.pop(kNow + Seconds(6)));
}

TEST(RequestQueue, ARenewalIsAnOrdinaryRequestUntilItIsDue) {
  RequestQueue queue({});
  core::Action renewal = action(ActionKind::kMark, "renewal", kNow + Seconds(10));
  renewal.renews = true;
  queue.push(renewal, kNow);
  queue.push(action(ActionKind::kStop, "stop", kNow), kNow);
  queue.push(action(ActionKind::kAsk, "early", kNow + Seconds(5)), kNow);
  queue.push(action(ActionKind::kAsk, "late", kNow + Seconds(60)), kNow);
  queue.push(action(ActionKind::kMark, "mark"), kNow);
  EXPECT_EQ(all(queue, kNow),
            (std::vector<std::string>{"mark", "stop", "early", "renewal", "late"}));
  queue.push(renewal, kNow + Seconds(10));
  queue.push(action(ActionKind::kStop, "stop", kNow + Seconds(11)), kNow + Seconds(11));
  EXPECT_EQ(all(queue, kNow + Seconds(11)), (std::vector<std::string>{"renewal", "stop"}));
}

}  // namespace
}  // namespace spotkeeper::effects
