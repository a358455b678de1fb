// SPDX-License-Identifier: Apache-2.0
// Handing over as it goes well, and when it is not tried. What goes wrong with it is in
// drain_release_test.cc. docs/design.md, rule 6.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_hand_over.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// --- Each "no" has its reason --------------------------------------------------------------------

struct No {
  const char* name;
  std::function<void(HandOverDrain&, Unit&)> set;  // before the unit is seen
  const char* why;
  Policy policy = {};
};

class NoHandOver : public testing::TestWithParam<No> {};

TEST_P(NoHandOver, IsSaidWithItsReasonAndTheUnitIsAsked) {
  HandOverDrain t(GetParam().policy);
  Unit unit = replica("web");
  GetParam().set(t, unit);
  t.begin({unit});
  if (t.drain.wake() < kNoon + Seconds(10)) t.advance_to(Seconds(4));
  EXPECT_THAT(describe(t.take()), StartsWith("ask default/web"));
  EXPECT_THAT(t.track("web").plan.why,
              HasSubstr(std::string("not handed over: ") + GetParam().why));
  EXPECT_TRUE(t.said(What::kPlanned, GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, NoHandOver,
    testing::Values(No{"switched_off",
                       [](auto& t, Unit&) { t.group(1, 1, 0); },
                       "switched off",
                       {.hand_over = HandOver::kNever}},
                    No{"not_allowed",
                       [](auto& t, Unit&) {
                         t.tell(AbilitiesFound{.abilities = {.hand_over = false}});
                         t.group(1, 1, 0);
                       },
                       "we may not"},
                    No{"its_own_obstacle",
                       [](auto& t, Unit& unit) {
                         unit.no_hand_over = "it tolerates the cordon";
                         t.group(1, 1, 0);
                       },
                       "it tolerates the cordon"},
                    No{"not_ready",
                       [](auto& t, Unit& unit) {
                         unit.ready = false;
                         t.group(1, 1, 0);
                       },
                       "it is not Ready"},
                    No{"its_group",
                       [](auto& t, Unit&) { t.group(1, 1, 0, "it is being rolled out"); },
                       "it is being rolled out"},
                    No{"groups_unread",
                       [](auto& t, Unit&) { t.tell(GroupsUnread{.why = "no right to list"}); },
                       "no right to list"},
                    No{"a_group_that_never_arrives", [](auto&, Unit&) {},
                       "its Deployment could not be read in time"},
                    No{"a_grace_that_does_not_fit",
                       [](auto& t, Unit& unit) {
                         unit.grace = Seconds(118);
                         unit.budgets = {kBudget};
                         t.tell(BudgetSeen{.budget = kOpen[0]});
                         t.group(1, 1, 0);
                       },
                       "there is no time for it, and its budget lets it go"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(HandOver, AGraceThatDoesNotFitIsAskedWithWhatIsLeft) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({replica("web", Seconds(118))});
  EXPECT_EQ(describe(t.take()), "ask default/web 117s");
}

TEST(HandOver, AGraceThatDoesNotFitIsHandedOverBehindAClosedBudget) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({guarded_replica("web", Seconds(600))}, kClosed);
  EXPECT_EQ(describe(t.take()), "release default/web");
  EXPECT_THAT(t.track("web").plan.why, HasSubstr("its budget is closed"));
}

TEST(HandOver, ABudgetThatClosesWhereThereIsNoTimeIsMetByAHandOver) {
  HandOverDrain t;
  t.group(2, 2, 0);
  t.begin({guarded_replica("a", Seconds(600)), guarded_replica("b", Seconds(600))},
          {{.id = kBudget, .allows = 1}});
  const auto asks = t.take();
  ASSERT_EQ(describe(asks), "ask default/a 117s");
  t.answer(asks[0]);
  t.budget(0);
  EXPECT_EQ(describe(t.take()), "release default/b");
}

TEST(HandOver, APodThatCameAfterTheMarkIsNot) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({});
  t.advance_to(Seconds(10));
  t.see(replica("late"));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_EQ(t.track("late").plan.mode, Mode::kLastMoment);
}

TEST(HandOver, AWishForItThatNobodyCanFulfilIsAnswered) {
  HandOverDrain t;
  Unit bare = make_unit("bare");
  bare.wish.mode = Mode::kHandOver;
  t.begin({bare});
  EXPECT_EQ(describe(t.take()), "ask default/bare");
  EXPECT_THAT(t.track("bare").plan.why, HasSubstr("nobody would start a replacement first"));
}

Notice of_kind(NoticeKind kind) {
  Notice notice = spot_notice(Seconds(600));
  notice.kind = kind;
  return notice;
}

TEST(HandOver, ByDefaultForNoticesThatEndTheHostAndNoOthers) {
  for (const NoticeKind kind : {NoticeKind::kAsgTermination, NoticeKind::kScheduledEvent,
                                NoticeKind::kRebalanceRecommendation}) {
    HandOverDrain t({}, of_kind(kind));
    t.group(1, 1, 0);
    t.begin({replica("web")});
    const bool feared = kind == NoticeKind::kRebalanceRecommendation;
    EXPECT_EQ(describe(t.take()), feared ? "ask default/web" : "release default/web");
  }
}

TEST(HandOver, SoftNoticesDoWherePolicySaysSoAndHaveNoAskBy) {
  HandOverDrain t({.hand_over = HandOver::kAlways}, of_kind(NoticeKind::kRebalanceRecommendation));
  t.replace({replica("web")});
  EXPECT_EQ(t.track("web").plan.ask_by, kNever);
  t.advance_to(Seconds(599));
  EXPECT_EQ(describe(t.take()), "") << "it is never asked before its replacement is Ready";
  t.group(1, 1, 1);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

// --- As it goes well -----------------------------------------------------------------------------

TEST(HandOver, ReleasedConfirmedAndAskedOnlyWhenAnotherIsReady) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({guarded_replica("web")}, kClosed);
  const auto release = t.take();
  ASSERT_EQ(describe(release), "release default/web");
  t.answer(release[0]);
  t.see(let_go(guarded_replica("web")));
  t.group(1, 0, 0);
  EXPECT_EQ(t.track("web").release.step, Release::Step::kReleased) << "no replacement yet";
  t.group(1, 1, 0);
  EXPECT_EQ(t.track("web").release.step, Release::Step::kConfirmed);
  t.advance_to(Seconds(20));
  EXPECT_EQ(describe(t.take()), "");
  t.group(1, 1, 1);
  EXPECT_EQ(describe(t.take()), "") << "its budget has not opened yet";
  t.budget(1);
  EXPECT_EQ(describe(t.take()), "ask default/web");
  EXPECT_EQ(t.count(What::kReplaced), 1);
}

TEST(HandOver, AWatchThatIsFasterThanTheAnswerIsBelieved) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({replica("web")});
  const auto release = t.take();
  t.see(let_go(replica("web")));
  t.group(1, 0, 0);
  t.group(1, 1, 1);
  EXPECT_EQ(describe(t.take()), "") << "the answer is out";
  t.answer(release.at(0));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

// The unit is seen without an owner before its group is counted anew.
TEST(HandOver, ACountThatTrailsIsNoReplacement) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({replica("web")});
  t.answer(t.take().at(0));
  t.see(let_go(replica("web")));  // the group is still believed to own one
  t.group(1, 0, 0);
  t.advance_to(Seconds(3));
  EXPECT_EQ(describe(t.take()), "put back default/web");
  EXPECT_TRUE(t.said(What::kPutBack, "no replacement was started"));
}

TEST(HandOver, OfThreeOnOneHostOnlyAsManyAreAskedAsAreReadyElsewhere) {
  HandOverDrain t;
  t.replace({guarded_replica("a"), guarded_replica("b"), guarded_replica("c")}, kOpen);
  EXPECT_EQ(describe(t.take()), "");
  t.group(3, 3, 1);
  const auto first = t.take();
  EXPECT_EQ(describe(first), "ask default/a") << "who is asked leaves: two and one are three";
  t.answer(first.at(0));
  EXPECT_EQ(describe(t.take()), "");
  t.group(3, 3, 3);
  EXPECT_EQ(describe(t.take()), "ask default/b, ask default/c");
}

TEST(HandOver, ThoseReadyElsewhereBeforeCountAsWell) {
  HandOverDrain t;
  t.group(3, 3, 2);
  t.begin({replica("web")});
  t.answer(t.take().at(0));
  t.see(let_go(replica("web")));
  t.group(3, 3, 2);
  EXPECT_EQ(describe(t.take()), "") << "two and itself are three: none is to spare";
  t.group(3, 3, 3);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(HandOver, AnAskThatIsRefusedGivesItsPlaceBack) {
  HandOverDrain t;
  t.replace({guarded_replica("a"), replica("b")}, kOpen);
  t.group(2, 2, 1);
  const auto ask = t.take();
  ASSERT_EQ(describe(ask), "ask default/a");
  t.answer(ask[0], std::unexpected(refusal()));
  EXPECT_EQ(describe(t.take()), "ask default/b");
}

// b takes the place that a, who may not be asked, was held with: that is told of a at once.
TEST(HandOver, WhatHoldsAUnitIsToldAnewWhenAnotherTakesItsPlace) {
  HandOverDrain t;
  t.replace({replica("a"), replica("b")});
  t.group(2, 2, 1);
  auto asked = t.take();
  ASSERT_EQ(describe(asked), "ask default/a");
  t.answer(asked[0], std::unexpected(forbidden()));
  asked = t.take();
  ASSERT_EQ(describe(asked), "ask default/b");
  EXPECT_THAT(t.track("a").held, HasSubstr("its replacement is to be Ready first"));
  const size_t said = t.entries.size();
  t.tell(NoticeHeard{.notice = spot_notice()});
  EXPECT_EQ(t.entries.size(), said);
}

TEST(HandOver, AUnitThatIsNotReadyWhileReleasedIsAskedAtOnce) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.see(unready(let_go(guarded_replica("web"))));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(HandOver, AUnitThatIsNotReadyBeforeItIsConfirmedIsAskedAtOnce) {
  HandOverDrain t;
  t.release({guarded_replica("web")}, kClosed);
  t.see(unready(let_go(guarded_replica("web"))));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

// --- Replacements that are late ------------------------------------------------------------------

TEST(HandOver, AReplacementReadyAfterAskByFindsItsUnitAskedAlready) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.advance_to(Seconds(86));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(87));
  EXPECT_EQ(describe(t.take()), "ask default/web 30s")
      << "not put back: its replacement is started";
  EXPECT_EQ(t.track("web").plan.force, t.track("web").plan.ask_by);
}

TEST(HandOver, AtAskByABudgetStillCountsAndAtForceItIsOverruled) {
  HandOverDrain t;
  t.replace({guarded_replica("web", Seconds(80))}, kClosed);
  const Plan& plan = t.track("web").plan;
  EXPECT_EQ(plan.ask_by, kNoon + Seconds(37) - Millis(30));
  EXPECT_EQ(plan.force, kNoon + Seconds(57) - Millis(30));
  t.advance_to(Seconds(56));
  EXPECT_EQ(describe(t.take()), "") << "its budget is closed";
  t.advance_to(Seconds(57));
  const auto last = t.take();
  ASSERT_EQ(describe(last), "ask default/web 60s");
  t.answer(last[0], std::unexpected(refusal()));
  t.answer(t.take().at(0));
  const auto stop = t.take();
  ASSERT_EQ(describe(stop), "stop default/web 60s");
  t.answer(stop[0]);
  EXPECT_EQ(t.count(What::kOverruled), 1);
  EXPECT_TRUE(t.track("web").overruled);
}

TEST(HandOver, AfterAskByAReplacementStillOpensTheBudget) {
  HandOverDrain t;
  t.replace({guarded_replica("web", Seconds(80))}, kClosed);
  t.advance_to(Seconds(45));
  t.group(1, 1, 1);
  t.budget(1);
  EXPECT_EQ(describe(t.take()), "ask default/web 72s");
}

// --- As many as fit ------------------------------------------------------------------------------

std::vector<Unit> many(int count, Seconds grace) {
  std::vector<Unit> units;
  for (int i = 0; i < count; ++i) units.push_back(replica(std::to_string(100 + i), grace));
  return units;
}

int count_of(const std::vector<Action>& actions, ActionKind kind) {
  return static_cast<int>(std::count_if(actions.begin(), actions.end(),
                                        [kind](const Action& each) { return each.kind == kind; }));
}

TEST(HandOver, WhoseReplacementWouldComeTooLateIsAskedAtOnce) {
  HandOverDrain t;
  t.group(60, 60, 0);
  // 117 − 108 = 9 s to ask_by, less the stops' lead and what a confirmation takes: at 8 a second
  // some 30 fit.
  t.begin(many(60, Seconds(108)));
  const auto actions = t.take();
  const int asked = count_of(actions, ActionKind::kAsk);
  EXPECT_GE(asked, 20);
  EXPECT_LE(asked, 35);
  EXPECT_EQ(count_of(actions, ActionKind::kRelease), 16) << "the others wait for these";
  EXPECT_THAT(t.track("159").release.why_not, HasSubstr("no time for all"));
}

// Whoever waits for room looks again by itself: other hosts change how fast replacements come, and
// so until when it can wait.
TEST(HandOver, WhoWaitsForRoomLooksAgainWithinASecond) {
  Pace pace;
  Drain drain(HostId("n1"), spot_notice(), {}, kNoon, 1, {}, &pace);
  std::vector<Action> actions;
  const auto tell = [&](const Observation& observation, Time now) {
    for (Action& action : drain.on(observation, now).actions) actions.push_back(std::move(action));
  };
  tell(NoticeHeard{.notice = spot_notice()}, kNoon);
  tell(ActionDone{.number = actions.at(0).number, .result = std::string("marked")}, kNoon);
  pace.counted(16, 0, kNoon);
  for (const Observation& each : std::initializer_list<Observation>{
           BudgetsListed{}, UnitSeen{.unit = replica("web")}, UnitsListed{},
           GroupSeen{.group = {.id = kWeb, .wanted = 1, .owned = 1}}}) {
    tell(each, kNoon);
  }
  ASSERT_TRUE(drain.waits_for_room());
  EXPECT_EQ(actions.size(), 1U);
  pace.counted(0, 16, kNoon);
  ASSERT_LE(drain.wake(), kNoon + Seconds(1));
  tell(Tick{}, drain.wake());
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[1].kind, ActionKind::kRelease);
}

TEST(HandOver, NoMoreAreReleasedThanAreReplacedInTime) {
  HandOverDrain t;
  const std::vector<Unit> units = many(40, Seconds(30));
  t.group(40, 40, 0);
  t.begin(units);
  const auto first = t.take();
  ASSERT_EQ(count_of(first, ActionKind::kRelease), 16);
  ASSERT_EQ(first.size(), 16U);
  for (const Action& release : first) t.answer(release);
  t.group(40, 24, 0);
  for (int i = 0; i < 16; ++i) t.see(let_go(units[static_cast<size_t>(i)]));
  EXPECT_EQ(describe(t.take()), "") << "none is replaced yet";
  t.now += Seconds(1);
  t.group(40, 40, 0);
  EXPECT_GE(count_of(t.take(), ActionKind::kRelease), 16);
  EXPECT_EQ(t.count(What::kPutBack), 0);
}

TEST(HandOver, APlanKeepsWhyItIsNoneWhenItsMomentsMove) {
  HandOverDrain t;
  t.group(1, 1, 0, "its Deployment is being rolled out");
  t.begin({replica("web")});
  const std::string why = t.track("web").plan.no_hand_over;
  EXPECT_EQ(why, "its Deployment is being rolled out");
  t.tell(Crowd{.lead = Millis(1)});
  EXPECT_EQ(t.track("web").plan.no_hand_over, why);
}

}  // namespace
}  // namespace spotkeeper::core
