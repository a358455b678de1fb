// SPDX-License-Identifier: Apache-2.0
#include "core/drain.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_drain.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

TEST(Drain, MarksFirstAndAsksOnlyThen) {
  TestDrain t;
  const auto mark = t.take();
  EXPECT_EQ(describe(mark), "mark");
  t.tell(BudgetsListed{});
  t.tell(UnitSeen{.unit = make_unit("web")});
  t.tell(UnitsListed{});
  EXPECT_EQ(describe(t.take()), "");
  t.answer(mark[0]);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, AnUnmarkedHostIsDrainedAllTheSame) {
  TestDrain t;
  const auto mark = t.take();
  t.tell(BudgetsListed{});
  t.tell(UnitSeen{.unit = make_unit("web")});
  t.tell(UnitsListed{});
  t.answer(mark[0], std::unexpected(weather()));
  t.advance_to(Seconds(2));
  EXPECT_EQ(describe(t.take()), "mark");  // tried again, still without an answer
  t.advance_to(Seconds(4));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, ADeniedMarkNamesTheRuleAndTheDrainGoesOn) {
  TestDrain t;
  const auto mark = t.take();
  t.tell(BudgetsListed{});
  t.tell(UnitSeen{.unit = make_unit("web")});
  t.tell(UnitsListed{});
  t.answer(mark[0], std::unexpected(denied("patch nodes")));
  EXPECT_EQ(describe(t.take()), "ask default/web");
  EXPECT_EQ(t.count(What::kDenied), 1);
}

TEST(Drain, TheSameNoticeTwiceChangesNothing) {
  TestDrain t;
  t.begin({make_unit("web")});
  t.take();
  const size_t entries = t.entries.size();
  t.tell(NoticeHeard{.notice = spot_notice()});
  t.tell(NoticeHeard{.notice = spot_notice(Seconds(150))});  // its time slides away
  EXPECT_TRUE(t.take().empty());
  EXPECT_EQ(t.entries.size(), entries);
  EXPECT_EQ(t.drain.notice().deadline, kNoon + Seconds(120));
}

TEST(Drain, ANearerDeadlineWins) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  EXPECT_EQ(t.track("web").plan.force, kNoon + Seconds(87) - Millis(30));
  t.tell(NoticeHeard{.notice = spot_notice(Seconds(60))});
  EXPECT_EQ(t.track("web").plan.force, kNoon + Seconds(27) - Millis(30));
}

TEST(Drain, APodThatLeavesEndsTheDrain) {
  TestDrain t;
  t.begin({make_unit("web")});
  t.answer(t.take().at(0));
  EXPECT_FALSE(t.drain.finished());
  t.tell(UnitGone{.id = UnitId("uid-web")});
  EXPECT_TRUE(t.drain.finished());
  EXPECT_EQ(t.track("web").told, kNoon);
  EXPECT_EQ(t.count(What::kFinished), 1);
}

TEST(Drain, AnEmptyHostIsFinishedAtOnce) {
  TestDrain t;
  t.begin({});
  EXPECT_TRUE(t.drain.finished());
}

TEST(Drain, AClosedBudgetIsNotAskedUntilItOpens) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(30));
  EXPECT_EQ(describe(t.take()), "");
  t.tell(BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = 1}});
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, ABudgetThatGoesHoldsNobody) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  t.tell(BudgetGone{.id = BudgetId("ns/b")});
  t.tell(UnitSeen{.unit = make_unit("web")});
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, AUnitThatStopsBeingReadyIsAsked) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  Unit unready = make_unit("web", Seconds(30), {"ns/b"});
  unready.ready = false;
  t.tell(UnitSeen{.unit = unready});
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, AUnitThatIsNotReadyIsNotAskedAtEveryWordOfItsBudget) {
  TestDrain t;
  const auto word = [&t](int allows) {
    t.tell(BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = allows}});
  };
  Unit unready = make_unit("web", Seconds(30), {"ns/b"});
  unready.ready = false;
  t.begin({unready}, {{.id = BudgetId("ns/b"), .allows = 0}});
  const auto first = t.take();
  ASSERT_EQ(describe(first), "ask default/web");
  word(0);  // and the refusal is about what was before
  t.answer(first[0], std::unexpected(refusal()));
  for (int i = 0; i < 10; ++i) word(0);
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(2));
  const auto second = t.take();
  ASSERT_EQ(describe(second), "ask default/web") << "something of it has changed";
  t.answer(second[0], std::unexpected(refusal()));
  t.advance_to(Seconds(5));
  EXPECT_EQ(describe(t.take()), "") << "nothing has";
  word(0);
  const auto third = t.take();
  ASSERT_EQ(describe(third), "ask default/web");
  t.answer(third[0], std::unexpected(refusal()));
  word(1);
  EXPECT_EQ(describe(t.take()), "ask default/web") << "it is open";
}

TEST(Drain, AtForceOneLastEvictionThenDeletion) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(86));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(87));
  const auto last = t.take();
  EXPECT_EQ(describe(last), "ask default/web 30s");
  t.answer(last[0], std::unexpected(refusal()));
  const auto explain = t.take();
  EXPECT_EQ(describe(explain), "explain default/web");
  t.answer(explain[0]);
  const auto stop = t.take();
  EXPECT_EQ(describe(stop), "stop default/web 30s");
  EXPECT_EQ(t.count(What::kOverruled), 1);
  t.answer(stop[0]);
  EXPECT_EQ(t.track("web").told, t.now);
  EXPECT_TRUE(t.track("web").overruled);
}

TEST(Drain, ALongGraceIsCutToWhatFitsAtForce) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(600), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(57));
  EXPECT_EQ(describe(t.take()), "ask default/web 60s");
}

TEST(Drain, ALongGraceWithoutBudgetIsAskedAtOnceWithAllThatIsLeft) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(600))});
  EXPECT_EQ(describe(t.take()), "ask default/web 117s");
}

TEST(Drain, AnEndThatCannotBeExplainedIsNotHeldUp) {
  TestDrain t;
  t.begin({make_unit("job", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0), std::unexpected(refusal()));
  const auto explain = t.take();
  EXPECT_EQ(describe(explain), "explain default/job");
  t.answer(explain[0], std::unexpected(denied("patch pods/status")));
  EXPECT_EQ(describe(t.take()), "stop default/job 30s");
  EXPECT_EQ(t.count(What::kDenied), 1);
}

TEST(Drain, SoftNoticesOverruleNothing) {
  Notice soft = spot_notice();
  soft.kind = NoticeKind::kRebalanceRecommendation;
  TestDrain t({}, soft);
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(119));
  EXPECT_EQ(describe(t.take()), "");
}

TEST(Drain, ASoftNoticeWhoseTimeIsOverIsTakenBack) {
  Notice soft = spot_notice();
  soft.kind = NoticeKind::kRebalanceRecommendation;
  TestDrain t({}, soft);
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(600));
  EXPECT_EQ(describe(t.take()), "undo");
}

TEST(Drain, ARefusedUnitNeverHoldsUpAnother) {
  TestDrain t;
  t.begin({make_unit("a", Seconds(30), {"ns/b"}), make_unit("b")},
          {{.id = BudgetId("ns/b"), .allows = 1}});
  const auto asks = t.take();
  ASSERT_EQ(describe(asks), "ask default/a, ask default/b");
  t.answer(asks[0], std::unexpected(refusal()));
  t.answer(asks[1]);
  EXPECT_EQ(t.track("b").told, kNoon);
  EXPECT_FALSE(t.track("a").told);
  t.advance_to(Seconds(19));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(20));
  EXPECT_EQ(describe(t.take()), "ask default/a") << "the watch may have missed something";
}

TEST(Drain, NoMoreAsksThanTheBudgetAllows) {
  TestDrain t;
  std::vector<Unit> units;
  units.reserve(10);
  for (int i = 0; i < 10; ++i) units.push_back(make_unit(std::to_string(i), Seconds(30), {"ns/b"}));
  t.begin(units, {{.id = BudgetId("ns/b"), .allows = 2}});
  EXPECT_EQ(t.take().size(), 2U);
  t.tell(BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = 10}});
  EXPECT_EQ(t.take().size(), 2U) << "four asks in flight are the most";
}

TEST(Drain, TwoBudgetsOnOnePodWaitForItsLastMoment) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/a", "ns/b"})},
          {{.id = BudgetId("ns/a"), .allows = 1}, {.id = BudgetId("ns/b"), .allows = 1}});
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(88));
  t.answer(t.take().at(0));
  EXPECT_EQ(describe(t.take()), "stop default/web 29s");
}

TEST(Drain, WithoutBudgetWatchRefusedUnitsAreAskedEveryTwentySeconds) {
  TestDrain t;
  for (const Action& action : t.take()) t.answer(action);
  t.tell(BudgetsListed{.watched = false});
  t.tell(UnitSeen{.unit = make_unit("web")});
  t.tell(UnitsListed{});
  t.answer(t.take().at(0), std::unexpected(refusal()));
  t.advance_to(Seconds(19));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(20));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, ATerminatingNamespaceIsAnsweredWithDeletion) {
  TestDrain t;
  t.begin({make_unit("web")});
  Error error = denied("evict");
  error.reason = "NamespaceTerminating";
  t.answer(t.take().at(0), std::unexpected(error));
  EXPECT_EQ(describe(t.take()), "stop default/web");
  EXPECT_EQ(t.count(What::kDenied), 0);
}

TEST(Drain, WithoutTheRightToEvictUnguardedPodsAreDeletedAtOnce) {
  TestDrain t;
  t.begin({make_unit("a"), make_unit("b", Seconds(30), {"ns/b"})},
          {{.id = BudgetId("ns/b"), .allows = 1}});
  for (const Action& ask : t.take()) t.answer(ask, std::unexpected(denied("evict pods/eviction")));
  EXPECT_EQ(describe(t.take()), "stop default/a");
  EXPECT_EQ(t.count(What::kDenied), 1) << "said once";
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0));
  EXPECT_EQ(describe(t.take()), "stop default/b 30s");
}

TEST(Drain, WithoutTheRightToDeleteItIsTriedOnToTheEnd) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0), std::unexpected(refusal()));
  t.answer(t.take().at(0));
  t.answer(t.take().at(0), std::unexpected(denied("delete pods")));
  for (const int at : {88, 93}) {
    t.advance_to(Seconds(at - 1));
    EXPECT_EQ(describe(t.take()), "");
    t.advance_to(Seconds(at));
    const auto again = t.take();
    ASSERT_EQ(describe(again), fmt::format("ask default/web {}s", 117 - at));
    t.answer(again[0], std::unexpected(refusal()));
    const auto stop = t.take();
    EXPECT_EQ(describe(stop), fmt::format("stop default/web {}s", 117 - at))
        << "the no may have been about one moment";
    t.answer(stop.at(0), std::unexpected(denied("delete pods")));
  }
}

TEST(Drain, WeatherBacksOffAndGoesOn) {
  TestDrain t;
  t.begin({make_unit("web")});
  t.answer(t.take().at(0), std::unexpected(weather()));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(1));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, APauseThatTheApiAsksForHoldsForAll) {
  TestDrain t;
  t.begin({make_unit("a"), make_unit("b")});
  const auto asks = t.take();
  Error busy = weather();
  busy.status = 429;
  busy.retry_after_s = 7;
  t.answer(asks[0], std::unexpected(busy));
  t.answer(asks[1], std::unexpected(weather()));
  t.advance_to(Seconds(6));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(7));
  EXPECT_EQ(t.take().size(), 2U);
}

TEST(Drain, APodThatAlreadyEndsIsOnlyWaitedFor) {
  TestDrain t;
  Unit ending = make_unit("web");
  ending.ending = kNoon;
  t.begin({ending});
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_FALSE(t.drain.finished());
  EXPECT_FALSE(t.track("web").told_by_us);
  t.tell(UnitGone{.id = UnitId("uid-web")});
  EXPECT_TRUE(t.drain.finished());
}

TEST(Drain, AUnitThatTurnsUpInSpiteOfTheMarkWaitsForItsLastMoment) {
  TestDrain t;
  t.begin({make_unit("web")});
  t.take();
  t.advance_to(Seconds(10));
  t.tell(UnitSeen{.unit = make_unit("late")});
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_EQ(t.track("late").plan.mode, Mode::kLastMoment);
  t.advance_to(Seconds(87));
  EXPECT_THAT(describe(t.take()), HasSubstr("ask default/late"));
}

TEST(Drain, BudgetsThatNeverArriveHoldNobodyUp) {
  TestDrain t;
  for (const Action& action : t.take()) t.answer(action);
  t.tell(UnitSeen{.unit = make_unit("web")});
  t.tell(UnitsListed{});
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(3));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Drain, CordonOnlyMarksAndIsDone) {
  TestDrain t({.mark_only = true});
  t.begin({make_unit("web")});
  EXPECT_TRUE(t.drain.finished());
  t.advance_to(Seconds(120));
  EXPECT_EQ(describe(t.take()), "");
}

// Asks of others that are not Ready do not hide what holds a Ready one: words that flip with every
// look say nothing, and the same notice heard again would be one.
TEST(Drain, WhatHoldsAUnitIsNotHiddenByTheAsksOfOthers) {
  TestDrain t;
  std::vector<Unit> units{make_unit("a", Seconds(30), {"ns/b"})};
  for (const char* name : {"b", "c", "d", "e"}) {
    units.push_back(make_unit(name, Seconds(30), {"ns/b"}));
    units.back().ready = false;
  }
  t.begin(units, {{.id = BudgetId("ns/b"), .allows = 0}});
  ASSERT_EQ(t.take().size(), 4U);
  EXPECT_THAT(t.track("a").held, HasSubstr("allows no disruption"));
  const size_t said = t.entries.size();
  t.tell(NoticeHeard{.notice = spot_notice()});
  EXPECT_EQ(t.entries.size(), said);
}

TEST(Drain, DryRunDoesNothingAndTellsAll) {
  TestDrain t({.dry_run = true});
  EXPECT_EQ(describe(t.take()), "");
  t.begin({make_unit("web"), make_unit("db", Seconds(30), {"ns/b"})},
          {{.id = BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(130));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_EQ(t.count(What::kWould), 3);
  EXPECT_TRUE(t.drain.finished());
}

TEST(Drain, APastDeadlineTellsEverybodyAtOnceWithSomeGrace) {
  TestDrain t({}, spot_notice(Seconds(-600)));
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, {{.id = BudgetId("ns/b"), .allows = 0}});
  const auto last = t.take();
  ASSERT_EQ(describe(last), "ask default/web 10s");
  t.answer(last[0], std::unexpected(refusal()));
  t.answer(t.take().at(0));
  EXPECT_EQ(describe(t.take()), "stop default/web 10s");
}

TEST(Drain, TheDeadlineEndsItWithAVerdict) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(600))});
  t.answer(t.take().at(0));
  t.advance_to(Seconds(120));
  EXPECT_TRUE(t.drain.finished());
  EXPECT_THAT(t.entries.back().text, HasSubstr("1 pods still here, 0 untold"));
  EXPECT_EQ(t.drain.wake(), kNever);
}

TEST(Drain, TroubleIsSaidOnce) {
  TestDrain t;
  t.tell(Trouble{.error = denied("list pods")});
  t.tell(Trouble{.error = denied("list pods")});
  EXPECT_EQ(t.count(What::kDenied), 1);
}

// Its budget is watched and closed: the refusal would only cost time.
TEST(Drain, OneOfVeryManyHostsStopsAtTheLastMomentWithoutAnotherWord) {
  TestDrain t;
  Unit job = make_unit("job", Seconds(30), {"default/b"});
  job.facts.owner_kind = "Job";
  t.begin({make_unit("web", Seconds(30), {"default/b"}), job},
          {{.id = BudgetId("default/b"), .allows = 0}});
  t.tell(Crowd{.lead = Seconds(10), .brief = true});
  ASSERT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(120 - 3 - 30 - 10));
  const auto last = t.take();
  EXPECT_EQ(describe(last), "explain default/job, stop default/web 30s")
      << "a Job must not count it as a failure";
}

TEST(Drain, OneOfVeryManyHostsStillAsksABudgetThatIsOpenOrNotWatched) {
  TestDrain t;
  for (const Action& action : t.take()) t.answer(action);
  t.tell(BudgetsListed{.watched = false});
  t.tell(UnitSeen{.unit = make_unit("web", Seconds(30), {"default/b"})});
  t.tell(UnitsListed{});
  t.answer(t.take().at(0), std::unexpected(refusal()));
  t.tell(Crowd{.lead = Seconds(10), .brief = true});
  t.advance_to(Seconds(87));
  const auto asked = t.take();
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked.back().kind, ActionKind::kAsk);
}

}  // namespace
}  // namespace spotkeeper::core
