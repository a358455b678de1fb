// SPDX-License-Identifier: Apache-2.0
// A Drain among refusals, weather, races and late arrivals: each of these once left a pod untold,
// or made requests without end, or said something untrue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/desk.h"
#include "core/test_drain.h"
#include "core/verdict.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

const Budget kClosed{.id = BudgetId("ns/b"), .allows = 0};
const Budget kOpen{.id = BudgetId("ns/b"), .allows = 10};

Unit guarded(const std::string& name) {
  return make_unit(name, Seconds(30), {"ns/b"});
}

TEST(DrainFaults, AWebhooksNoAboutOnePodIsAboutOnePod) {
  TestDrain t;
  t.begin({guarded("a"), guarded("b")}, {kClosed});
  t.advance_to(Seconds(87));
  for (const Action& ask : t.take()) t.answer(ask, std::unexpected(refusal()));
  for (const Action& explain : t.take()) t.answer(explain);
  const auto stops = t.take();
  ASSERT_EQ(describe(stops), "stop default/a 30s, stop default/b 30s");
  t.answer(stops[0], std::unexpected(forbidden()));
  t.answer(stops[1]);
  EXPECT_TRUE(t.track("b").told);
}

TEST(DrainFaults, AForbiddenEvictionHoldsNobodyElseBack) {
  TestDrain t;
  t.begin({guarded("a"), guarded("b")}, {kOpen});
  const auto asks = t.take();
  t.answer(asks[0], std::unexpected(forbidden()));
  t.tell(UnitSeen{.unit = guarded("c")});
  EXPECT_EQ(describe(t.take()), "ask default/c");
  EXPECT_EQ(t.track("a").held, "its eviction is forbidden");
}

TEST(DrainFaults, UnauthorizedIsWeather) {
  TestDrain t;
  t.begin({guarded("web")}, {kClosed});
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0), std::unexpected(unauthorized()));  // the last eviction
  t.answer(t.take().at(0), std::unexpected(unauthorized()));  // the explanation
  t.answer(t.take().at(0), std::unexpected(unauthorized()));  // the deletion
  t.advance_to(Seconds(88));
  t.answer(t.take().at(0));
  EXPECT_TRUE(t.track("web").told);
  EXPECT_EQ(t.count(What::kDenied), 0);
}

TEST(DrainFaults, WhatDoesNotComeFromTheApiIsWeather) {
  TestDrain t;
  t.begin({make_unit("web")});
  const Error distrusted{.kind = ErrorKind::kPermanent, .message = "certificate has expired"};
  t.answer(t.take().at(0), std::unexpected(distrusted));  // a CA that is being rotated
  t.advance_to(Seconds(1));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(DrainFaults, AnApiThatIsAwayAtTheLastMomentIsToldWhyWhenItIsBack) {
  TestDrain t;
  t.begin({guarded("web")}, {kClosed});
  t.advance_to(Seconds(87));
  Error away = weather();
  away.status = 0;
  for (int i = 0; i < 3; ++i) t.answer(t.take().at(0), std::unexpected(away));
  t.advance_to(Seconds(88));
  const auto explanation = t.take();
  EXPECT_EQ(describe(explanation), "explain default/web");
  t.answer(explanation.at(0));
  EXPECT_EQ(t.take().at(0).kind, ActionKind::kStop);
}

TEST(DrainFaults, ALongAbsenceOfTheApiIsSaidEverMoreRarely) {
  TestDrain t;
  t.begin({make_unit("web")});
  for (int second = 0; second < 80; second += 2) {
    for (const Action& action : t.take()) t.answer(action, std::unexpected(weather()));
    t.advance_to(Seconds(second));
  }
  EXPECT_GE(t.count(What::kFailed), 4);
  EXPECT_LE(t.count(What::kFailed), 6);
  EXPECT_LE(t.count(What::kAsked), 2);
}

TEST(DrainFaults, AnUnauthorizedMarkIsTriedAgain) {
  TestDrain t;
  t.answer(t.take().at(0), std::unexpected(unauthorized()));
  t.advance_to(Seconds(1));
  EXPECT_EQ(describe(t.take()), "mark");
}

TEST(DrainFaults, NoPauseReachesBeyondTheLastMoment) {
  TestDrain t;
  t.begin({make_unit("a"), make_unit("b")});
  const auto asks = t.take();
  t.answer(asks[0], std::unexpected(busy(300)));
  t.answer(asks[1], std::unexpected(busy(300)));
  t.advance_to(Seconds(80));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(87));
  const auto last = t.take();
  ASSERT_EQ(describe(last), "ask default/a 30s, ask default/b 30s");
  t.answer(last[0], std::unexpected(busy(300)));
  EXPECT_EQ(describe(t.take()), "explain default/a") << "deletion is next, whatever the pause";
}

TEST(DrainFaults, ALongPauseDoesNotUnmarkTheHost) {
  TestDrain t;
  t.answer(t.take().at(0), std::unexpected(busy(300)));
  t.advance_to(Seconds(6));
  EXPECT_EQ(describe(t.take()), "mark");
}

TEST(DrainFaults, BeingLeftAloneCostsNoLastMoment) {
  Policy policy;
  policy.start_before = Seconds(5);
  TestDrain t(policy);
  t.begin({make_unit("web")});
  t.advance_to(Seconds(87));
  EXPECT_EQ(describe(t.take()), "ask default/web 30s");
}

TEST(DrainFaults, NothingThatHangsIsWaitedForLongNearTheEnd) {
  TestDrain t;
  t.begin({guarded("web")}, {kClosed});
  t.advance_to(Seconds(87));
  const auto ask = t.take();
  EXPECT_LE(ask.at(0).patience, Seconds(3));
  t.answer(ask[0], std::unexpected(refusal()));
  EXPECT_LE(t.take().at(0).patience, Seconds(1)) << "the explanation";
}

TEST(DrainFaults, ALateArrivalReopensAFinishedDrain) {
  TestDrain t;
  t.begin({});
  ASSERT_TRUE(t.drain.finished());
  t.advance_to(Seconds(20));
  t.tell(UnitSeen{.unit = make_unit("late")});
  EXPECT_FALSE(t.drain.finished());
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0));
  t.tell(UnitGone{.id = UnitId("uid-late")});
  EXPECT_TRUE(t.drain.finished());
}

TEST(DrainFaults, ARefusalByAnUnknownBudgetIsNotRepeatedAtOnce) {
  TestDrain t;
  t.begin({make_unit("web")});
  t.answer(t.take().at(0), std::unexpected(refusal()));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(19));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(20));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(DrainFaults, ATerminatingNamespaceWithoutTheRightToDeleteIsNoHotLoop) {
  TestDrain t;
  t.begin({make_unit("web")});
  Error terminating = forbidden();
  terminating.reason = "NamespaceTerminating";
  t.answer(t.take().at(0), std::unexpected(terminating));
  t.answer(t.take().at(0), std::unexpected(denied("delete pods")));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(5));
  EXPECT_EQ(describe(t.take()), "stop default/web");
}

TEST(DrainFaults, PodsThatVanishWhileAskedFreeTheirBudget) {
  TestDrain t;
  std::vector<Unit> units;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) units.push_back(guarded(name));
  t.begin(units, {kOpen});
  ASSERT_EQ(t.take().size(), 4U);
  for (const char* name : {"a", "b", "c", "d"}) {
    t.tell(UnitGone{.id = UnitId(std::string("uid-") + name)});
  }
  EXPECT_EQ(describe(t.take()), "ask default/e, ask default/f");
  EXPECT_TRUE(t.track("a").told) << "the watch overtook the answer";
}

// An API that was throttled has evicted nobody, so no word of the budget comes that would open it
// again.
TEST(DrainFaults, AnAskThatFailedTakesNothingOfItsBudget) {
  TestDrain t;
  t.begin({guarded("a"), guarded("b")}, {{.id = kOpen.id, .allows = 1}});
  const auto first = t.take();
  ASSERT_EQ(describe(first), "ask default/a");
  t.answer(first[0], std::unexpected(busy(1)));
  t.advance_to(Seconds(2));
  const auto again = t.take();
  ASSERT_EQ(again.size(), 1U) << describe(again);
  t.answer(again[0]);
  t.advance_to(Seconds(60));
  EXPECT_EQ(describe(t.take()), "") << "what was granted is taken";
}

TEST(DrainFaults, AnAskThatFailedGivesNothingBackToABudgetThatHasSpokenSince) {
  TestDrain t;
  t.begin({guarded("a"), guarded("b")}, {{.id = kOpen.id, .allows = 1}});
  const auto first = t.take();
  t.tell(BudgetSeen{.budget = kClosed});
  t.answer(first.at(0), std::unexpected(weather()));
  t.advance_to(Seconds(60));
  EXPECT_EQ(describe(t.take()), "");
}

TEST(DrainFaults, AChangedSelectorDoesNotLeakAsks) {
  TestDrain t;
  std::vector<Unit> units;
  for (const char* name : {"a", "b", "c", "d", "e"}) units.push_back(guarded(name));
  t.begin(units, {kOpen});
  const auto asks = t.take();
  for (const char* name : {"a", "b", "c", "d"}) t.tell(UnitSeen{.unit = make_unit(name)});
  for (const Action& ask : asks) t.answer(ask);
  EXPECT_EQ(describe(t.take()), "ask default/e");
}

TEST(DrainFaults, ARefusalOlderThanTheOpeningIsNoRefusal) {
  TestDrain t;
  t.begin({guarded("web")}, {{.id = BudgetId("ns/b"), .allows = 1}});
  const auto ask = t.take();
  t.tell(BudgetSeen{.budget = kOpen});
  t.answer(ask.at(0), std::unexpected(refusal()));
  const auto again = t.take();
  ASSERT_EQ(describe(again), "ask default/web");
  t.answer(again[0], std::unexpected(refusal()));
  EXPECT_EQ(describe(t.take()), "") << "twice is once too often";
}

TEST(DrainFaults, WithoutAMarkWhatComesBackIsNotEvictedAgainAndAgain) {
  TestDrain t;
  t.answer(t.take().at(0), std::unexpected(denied("patch nodes")));
  t.tell(BudgetsListed{});
  t.tell(UnitsListed{});
  t.advance_to(Seconds(10));
  t.tell(UnitSeen{.unit = make_unit("again")});
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_EQ(t.track("again").plan.mode, Mode::kLastMoment);
}

TEST(DrainFaults, AHostThatOutlivesItsDeadlineIsLeftInPeace) {
  TestDrain t;
  t.begin({guarded("web")}, {kClosed});
  int requests = 0;
  for (int second = 87; second < 3600; second += 1) {
    t.advance_to(Seconds(second));
    for (const Action& action : t.take()) {
      ++requests;
      t.answer(action, std::unexpected(action.kind == ActionKind::kAsk ? refusal()
                                                                       : denied("delete pods")));
    }
  }
  EXPECT_LT(requests, 60);
  EXPECT_EQ(t.drain.wake(), kNever);
}

TEST(DrainFaults, AnswersToAnEarlierDrainAreNotTakenForThisOnes) {
  Desk desk{Policy{}};
  const HostId host("n1");
  const auto first = desk.hear(host, spot_notice(), kNoon);
  desk.on(host, Tick{}, kNoon + Seconds(300));
  Notice later = spot_notice(Seconds(500));
  later.id = NoticeId("another");
  const auto second = desk.hear(host, later, kNoon + Seconds(300));
  ASSERT_EQ(second.actions.size(), 1U);
  EXPECT_NE(first.actions.at(0).number, second.actions.at(0).number);
}

TEST(DrainFaults, ADryRunThatSeesNothingEndsAllTheSame) {
  TestDrain t({.dry_run = true});
  t.advance_to(Seconds(119));
  EXPECT_FALSE(t.drain.finished());
  t.advance_to(Seconds(120));
  EXPECT_TRUE(t.drain.finished());
  EXPECT_THAT(t.entries.back().text, HasSubstr("never be listed"));
}

TEST(DrainFaults, ADryRunOnlyWaitsForWhatEndsAlready) {
  TestDrain t({.dry_run = true});
  Unit ending = make_unit("web");
  ending.ending = kNoon;
  t.begin({ending});
  EXPECT_THAT(t.entries.back().text, HasSubstr("it ends already"));
  EXPECT_EQ(t.track("web").plan.grace, Seconds(30));
}

TEST(DrainFaults, PodsThatCouldNeverBeListedAreNotCalledMoved) {
  TestDrain t;
  for (const Action& action : t.take()) t.answer(action);
  t.advance_to(Seconds(120));
  EXPECT_TRUE(t.drain.finished());
  EXPECT_FALSE(t.drain.listed());
  EXPECT_THAT(t.entries.back().text, HasSubstr("never be listed"));
}

TEST(DrainFaults, CordonOnlyPlansNothingAndOwnsUpToAFailedCordon) {
  TestDrain t({.mark_only = true});
  t.tell(UnitSeen{.unit = make_unit("web")});
  t.tell(UnitsListed{});
  t.answer(t.take().at(0), std::unexpected(denied("patch nodes")));
  EXPECT_TRUE(t.drain.finished());
  EXPECT_THAT(t.entries.back().text, HasSubstr("not even cordoned"));
  EXPECT_EQ(verdict_of(t.track("web"), t.drain.notice()), Verdict::kStays);
}

TEST(DrainFaults, AnUnguardedPodThatCouldNotBeEvictedOverrulesNobody) {
  TestDrain t;
  t.begin({make_unit("web")});
  for (int i = 0; i < 40 && !t.track("web").told; ++i) {
    for (const Action& action : t.take()) {
      if (action.kind == ActionKind::kAsk) {
        t.answer(action, std::unexpected(weather()));
      } else {
        t.answer(action);
      }
    }
    t.advance_to(std::chrono::ceil<Seconds>(t.now - kNoon) + Seconds(5));
  }
  ASSERT_TRUE(t.track("web").told);
  EXPECT_FALSE(t.track("web").overruled);
  EXPECT_EQ(t.count(What::kOverruled), 0);
}

TEST(DrainFaults, APodWhoseProcessesHaveEndedIsGone) {
  TestDrain t;
  t.begin({make_unit("job")});
  t.answer(t.take().at(0));
  Unit ended = make_unit("job");
  ended.ending = kNoon;
  ended.ended = true;
  ended.exempt = "has finished already";
  t.tell(UnitSeen{.unit = ended});  // a finalizer keeps the object
  EXPECT_TRUE(t.drain.finished());
  EXPECT_EQ(verdict_of(t.track("job"), t.drain.notice()), Verdict::kMoved);
}

TEST(DrainFaults, AnErrorAfterTheWatchSaidToldIsNoFailure) {
  TestDrain t;
  t.begin({make_unit("web")});
  const auto ask = t.take();
  Unit ending = make_unit("web");
  ending.ending = kNoon;
  t.tell(UnitSeen{.unit = ending});
  EXPECT_TRUE(t.track("web").told_by_us);
  t.answer(ask.at(0), std::unexpected(weather()));
  EXPECT_EQ(t.count(What::kFailed), 0);
}

TEST(DrainFaults, OwnGraceOfZeroBecomesOne) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(0))});
  EXPECT_EQ(describe(t.take()), "ask default/web 1s");
}

TEST(DrainFaults, ANearerDeadlineIsWrittenOnTheNodeAsWell) {
  TestDrain t;
  t.begin({});
  t.tell(NoticeHeard{.notice = spot_notice(Seconds(60))});
  const auto mark = t.take();
  ASSERT_EQ(describe(mark), "mark");
  EXPECT_EQ(mark[0].notice.deadline, kNoon + Seconds(60));
}

TEST(Verdict, EachWord) {
  TestDrain t;
  t.begin({make_unit("moved"), make_unit("left"), make_unit("ending"), make_unit("late")});
  const auto asks = t.take();  // by name: ending, late, left, moved
  t.answer(asks.at(0));
  t.answer(asks.at(3));
  t.tell(UnitGone{.id = UnitId("uid-moved")});
  t.answer(asks.at(2), std::unexpected(Error{.kind = ErrorKind::kGone, .message = "404"}));
  t.now = kNoon + Seconds(115);
  t.answer(asks.at(1));
  const Notice& notice = t.drain.notice();
  EXPECT_EQ(verdict_of(t.track("moved"), notice), Verdict::kMoved);
  EXPECT_EQ(verdict_of(t.track("left"), notice), Verdict::kLeft);
  EXPECT_EQ(verdict_of(t.track("ending"), notice), Verdict::kEnding);
  EXPECT_EQ(verdict_of(t.track("late"), notice), Verdict::kUntold);
}

}  // namespace
}  // namespace spotkeeper::core
