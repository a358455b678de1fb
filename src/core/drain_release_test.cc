// SPDX-License-Identifier: Apache-2.0
// Handing over when it goes wrong: no replacement, no owner that lets go, groups that
// change. docs/design.md, rule 6.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_hand_over.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

// --- Not followed through ------------------------------------------------------------------------

TEST(Release, WithoutAReplacementWithinThreeSecondsItIsPutBackAndAskedInTheOrdinaryWay) {
  HandOverDrain t;
  t.release({guarded_replica("web")}, kClosed);
  t.advance_to(Seconds(2));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(3));
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/web");
  t.budget(1);
  t.answer(back[0]);
  EXPECT_EQ(describe(t.take()), "") << "its owner is waited for";
  t.see(guarded_replica("web"));
  EXPECT_EQ(describe(t.take()), "ask default/web");
  EXPECT_THAT(t.track("web").plan.why, HasSubstr("not followed through within 3 s"));
}

TEST(Release, AnOwnerThatDoesNotTakeItBackIsNotWaitedForLong) {
  HandOverDrain t;
  t.release({replica("web")});
  t.advance_to(Seconds(3));
  t.answer(t.take().at(0));
  t.advance_to(Seconds(5));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(6));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Release, AReplicaSetThatDoesNotLetGoIsThawed) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({replica("web")});
  t.answer(t.take().at(0));
  t.see(frozen(replica("web")));
  t.advance_to(Seconds(3));
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/web");
  EXPECT_THAT(back[0].reason, HasSubstr("its ReplicaSet did not let go of it"));
  t.answer(back[0]);
  t.see(replica("web"));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Release, ItsNamespaceIsBarredForTenMinutes) {
  Notice soft = spot_notice(Seconds(3600));
  soft.kind = NoticeKind::kRebalanceRecommendation;
  HandOverDrain t({.hand_over = HandOver::kAlways}, soft);
  t.begin({guarded_replica("a"), unready(guarded_replica("b"))}, kClosed);
  t.group(2, 2, 0);
  for (const Action& action : t.take()) {
    t.answer(action, action.kind == ActionKind::kRelease
                         ? Result<std::string>("done")
                         : Result<std::string>(std::unexpected(refusal())));
  }
  t.see(let_go(guarded_replica("a")));
  t.group(2, 1, 0);
  t.advance_to(Seconds(3));
  ASSERT_EQ(describe(t.take()), "put back default/a");
  t.see(guarded_replica("b"));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_THAT(t.track("b").plan.why, HasSubstr("not followed through lately"));
  t.advance_to(Seconds(604));
  t.see(unready(guarded_replica("b")));
  for (const Action& action : t.take()) t.answer(action, std::unexpected(refusal()));
  t.see(guarded_replica("b"));
  EXPECT_EQ(describe(t.take()), "release default/b");
}

// Who was looked at before, in the same moment, is not left with a plan that does not hold: the
// next word, whatever it is, would change it.
TEST(Release, WhoWaitsForRoomIsPlannedAnewWhenItsNamespaceIsBarred) {
  HandOverDrain t;
  std::vector<Unit> units;
  for (char name = 'a'; name <= 'p'; ++name) units.push_back(replica(std::string(1, name)));
  t.begin(units);
  t.group(17, 17, 0);
  for (const Action& action : t.take()) t.answer(action);
  for (const Unit& unit : units) t.see(frozen(unit));
  t.see(replica("0"));
  ASSERT_THAT(t.track("0").held, HasSubstr("the replacements of others"));
  t.advance_to(Seconds(3));
  EXPECT_THAT(describe(t.take()), HasSubstr("put back default/a"));
  EXPECT_THAT(t.track("0").plan.why, HasSubstr("not followed through lately"));
  const size_t said = t.entries.size();
  t.tell(NoticeHeard{.notice = spot_notice()});
  EXPECT_EQ(t.entries.size(), said);
}

TEST(Release, AnotherNamespaceIsNot) {
  HandOverDrain t;
  Unit other = replica("other");
  other.facts.ns = "bank";
  other.group = GroupId("bank/web");
  other.ready = false;
  t.group(1, 1, 0);
  t.tell(GroupSeen{.group = {.id = other.group, .wanted = 1, .owned = 1}});
  other.budgets = {kBudget};
  t.begin({frozen(replica("web")), other}, kClosed);
  t.answer(t.take().at(0), std::unexpected(refusal()));
  t.advance_to(Seconds(3));
  ASSERT_EQ(describe(t.take()), "put back default/web");
  other.ready = true;
  t.see(other);
  EXPECT_EQ(describe(t.take()), "release default/other");
}

// The quota allows one replacement less than is released: one unit goes back, the others stay.
TEST(Release, OfSeveralWhoseReplacementsTheQuotaCutsOnlyOneIsPutBack) {
  HandOverDrain t;
  t.release({replica("a"), replica("b"), replica("c")});
  t.group(3, 2, 0);
  t.advance_to(Seconds(3));
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/c");
  t.answer(back[0]);
  t.see(replica("c"));
  t.group(3, 3, 0);
  EXPECT_EQ(describe(t.take()), "ask default/c");
  t.advance_to(Seconds(30));
  EXPECT_EQ(describe(t.take()), "") << "the others' replacements are on their way";
  t.group(3, 3, 2);
  EXPECT_EQ(describe(t.take()), "ask default/a") << "c is not counted any more";
}

TEST(Release, AReplacementThatVanishesForThreeSecondsPutsItsUnitBack) {
  HandOverDrain t;
  t.replace({replica("a"), replica("b")});
  t.advance_to(Seconds(10));
  t.group(2, 1, 0);
  t.advance_to(Seconds(12));
  t.group(2, 2, 0);  // another one
  t.advance_to(Seconds(20));
  EXPECT_EQ(describe(t.take()), "");
  t.group(2, 1, 0);
  t.advance_to(Seconds(22));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(23));
  EXPECT_EQ(describe(t.take()), "put back default/a") << "one is missing, one goes back";
}

TEST(Release, WhoWasReplacedIsNeverPutBack) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.group(1, 1, 1);
  t.group(1, 0, 0);
  t.advance_to(Seconds(60));
  EXPECT_EQ(describe(t.take()), "");
  t.group(1, 1, 1);
  t.budget(1);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

// The controllers are busy, not unwilling: others are replaced meanwhile.
TEST(Release, IsWaitedForWhileOthersAreFollowedThrough) {
  HandOverDrain t;
  t.release({replica("a"), replica("b"), replica("c")});
  t.group(3, 0, 0);
  t.advance_to(Seconds(2));
  t.group(3, 1, 0);
  t.advance_to(Seconds(4));
  EXPECT_EQ(describe(t.take()), "") << "one came 2 s ago";
  t.group(3, 2, 0);
  t.advance_to(Seconds(6));
  EXPECT_EQ(describe(t.take()), "") << "and another";
  t.advance_to(Seconds(7));
  EXPECT_EQ(describe(t.take()), "put back default/c") << "nothing for 3 s";
}

TEST(Release, IsNotWaitedForLongerThanTenSeconds) {
  HandOverDrain t;
  std::vector<Unit> units;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) units.push_back(replica(name));
  t.release(units);
  t.group(6, 0, 0);
  for (int second = 2; second <= 8; second += 2) {
    t.advance_to(Seconds(second));
    EXPECT_EQ(describe(t.take()), "") << second;
    t.group(6, second / 2, 0);
  }
  t.advance_to(Seconds(9));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(10));
  EXPECT_EQ(describe(t.take()), "put back default/e, put back default/f");
}

// --- Groups that change meanwhile ----------------------------------------------------------------

TEST(Release, AGroupThatIsScaledToNothingOrGoneLetsItsUnitsGoAtOnce) {
  HandOverDrain t;
  t.replace({replica("a"), replica("b")});
  t.group(0, 0, 0, "its Deployment is gone");
  EXPECT_EQ(describe(t.take()), "ask default/a, ask default/b");
}

TEST(Release, AGroupThatIsScaledDownLetsItsSurplusGo) {
  HandOverDrain t;
  t.replace({replica("a"), replica("b"), replica("c")});
  t.group(2, 2, 0);
  EXPECT_EQ(describe(t.take()), "ask default/a");
}

TEST(Release, AGroupThatIsScaledUpKeepsThemUntilMoreAreReady) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.group(3, 3, 1);
  EXPECT_EQ(describe(t.take()), "") << "one and itself of three";
  t.group(3, 3, 3);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Release, ARolloutEndsNoHandOverThatHasBegun) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.group(1, 2, 0, "its Deployment is being rolled out");
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_EQ(t.track("web").plan.mode, Mode::kHandOver);
  t.group(1, 2, 1, "its Deployment is being rolled out");
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Release, ARuleThatLeavesItAlonePutsItBack) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.tell(PolicyChanged{.rules = {{.name = "rule 1", .treatment = {.mode = Mode::kNotOurs}}}});
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/web");
  EXPECT_FALSE(t.drain.finished()) << "it is not left without an owner";
  t.answer(back[0]);
  t.see(replica("web"));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_TRUE(t.drain.finished());
}

TEST(Release, ARuleThatAsksAtOnceLetsAHandOverThatHasBegunGoOn) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.tell(PolicyChanged{.rules = {{.name = "rule 1", .treatment = {.mode = Mode::kAtOnce}}}});
  EXPECT_EQ(describe(t.take()), "");
  t.group(1, 1, 1);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

}  // namespace
}  // namespace spotkeeper::core
