// SPDX-License-Identifier: Apache-2.0
// Who goes before whom, by which rule; DaemonSet units; what the mark bears; volumes; the early
// word; soft notices that expire. docs/design.md, rules 5, 7 and 8.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_hand_over.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

Unit wishing(const std::string& name, Treatment wish, Seconds grace = Seconds(30)) {
  Unit unit = make_unit(name, grace);
  unit.wish = wish;
  return unit;
}

Notice rebalance(Seconds in = Seconds(600)) {
  Notice notice = spot_notice(in);
  notice.kind = NoticeKind::kRebalanceRecommendation;
  return notice;
}

// --- Order ---------------------------------------------------------------------------------------

TEST(Order, CriticalUnitsGoWhenTheOthersHaveLeft) {
  HandOverDrain t;
  Unit dns = make_unit("dns");
  dns.critical = true;
  t.begin({dns, make_unit("web")});
  const auto ask = t.take();
  ASSERT_EQ(describe(ask), "ask default/web");
  t.answer(ask[0]);
  EXPECT_EQ(describe(t.take()), "") << "it still ends, and may need it";
  t.tell(UnitGone{.id = UnitId("uid-web")});
  EXPECT_EQ(describe(t.take()), "ask default/dns");
}

TEST(Order, WaitingCostsNobodyItsGrace) {
  HandOverDrain t;
  Unit dns = make_unit("dns");
  dns.critical = true;
  t.begin({dns, make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.advance_to(Seconds(86));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(87));
  EXPECT_THAT(describe(t.take()), HasSubstr("ask default/dns 30s"));
}

TEST(Order, ACriticalUnitWhoseGraceDoesNotFitGoesAtOnce) {
  HandOverDrain t;
  Unit dns = make_unit("dns", Seconds(600));
  dns.critical = true;
  t.begin({dns, make_unit("web")});
  EXPECT_EQ(describe(t.take()), "ask default/dns 117s, ask default/web");
}

TEST(Order, WithoutADeadlineItIsWaitedForFiveMinutes) {
  HandOverDrain t({}, rebalance(Seconds(3600)));
  Unit dns = make_unit("dns");
  dns.critical = true;
  t.begin({dns, make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.advance_to(Seconds(299));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(300));
  EXPECT_EQ(describe(t.take()), "ask default/dns");
}

TEST(Order, NumbersOfRulesAreObeyedAndThoseLeftAloneAreNotWaitedFor) {
  HandOverDrain t;
  t.begin({wishing("a", {.order = 2}), wishing("b", {.order = 1}),
           wishing("c", {.mode = Mode::kLastMoment, .order = 0}),
           wishing("d", {.mode = Mode::kNotOurs, .order = 0})});
  EXPECT_EQ(describe(t.take()), "ask default/b");
  t.tell(UnitGone{.id = UnitId("uid-b")});
  EXPECT_EQ(describe(t.take()), "ask default/a");
}

TEST(Order, WhoWaitsForItsTurnIsHandedOverMeanwhile) {
  HandOverDrain t;
  t.group(1, 1, 0);
  Unit last = replica("last");
  last.critical = true;
  t.begin({last, make_unit("web")});
  EXPECT_EQ(describe(t.take()), "release default/last, ask default/web");
}

TEST(Order, VolumesFirstThenWhoseLastMomentComesFirst) {
  HandOverDrain t;
  Unit with_volumes = make_unit("z");
  with_volumes.volumes = true;
  t.begin({make_unit("a", Seconds(10)), make_unit("b", Seconds(60)), with_volumes});
  EXPECT_EQ(describe(t.take()), "ask default/z, ask default/b, ask default/a");
}

// --- Modes ---------------------------------------------------------------------------------------

TEST(Modes, ByAnnotation) {
  HandOverDrain t;
  t.group(1, 1, 0);
  Unit at_once = replica("now");
  at_once.wish.mode = Mode::kAtOnce;
  t.begin({at_once, wishing("never", {.mode = Mode::kNotOurs}),
           wishing("late", {.mode = Mode::kLastMoment})});
  EXPECT_EQ(describe(t.take()), "ask default/now");
  EXPECT_THAT(t.track("now").plan.why, HasSubstr("(its annotation)"));
  EXPECT_THAT(t.track("never").plan.why, HasSubstr("never moved, by its annotation"));
  t.advance_to(Seconds(87));
  EXPECT_EQ(describe(t.take()), "ask default/late 30s");
}

TEST(Modes, ByRuleAndAnewWhenTheRulesChange) {
  HandOverDrain t({.rules = {{.name = "rule batch", .treatment = {.mode = Mode::kLastMoment}}}});
  t.begin({make_unit("job")});
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_THAT(t.track("job").plan.why, HasSubstr("(rule batch)"));
  t.tell(PolicyChanged{});
  EXPECT_EQ(describe(t.take()), "ask default/job");
  const size_t said = t.entries.size();
  t.tell(PolicyChanged{});
  EXPECT_EQ(t.entries.size(), said) << "the same rules again change nothing";
}

TEST(Modes, AMarginOfItsOwnAndAllOfItsGrace) {
  HandOverDrain t;
  Unit job = wishing("job", {.enough_grace = kFullGrace, .margin = Seconds(10)}, Seconds(80));
  job.budgets = {kBudget};
  t.begin({job}, kClosed);
  EXPECT_EQ(t.track("job").plan.force, kNoon + Seconds(30) - Millis(30));
  t.advance_to(Seconds(30));
  EXPECT_EQ(describe(t.take()), "ask default/job 80s");
}

TEST(Modes, SoftNoticesLeaveTheLastMomentAlone) {
  HandOverDrain t({.early_word = true}, rebalance());
  t.begin({wishing("job", {.mode = Mode::kLastMoment})});
  t.advance_to(Seconds(599));
  EXPECT_EQ(describe(t.take()), "") << "nor is it told that it will go";
}

// --- DaemonSet units -----------------------------------------------------------------------------

Unit daemon_unit(const std::string& name) {
  Unit unit = make_unit(name);
  unit.daemon = true;
  unit.exempt = "a DaemonSet pod";
  return unit;
}

TEST(Daemons, StayUnlessTheyAreSignalled) {
  HandOverDrain t;
  t.begin({daemon_unit("logs")});
  EXPECT_TRUE(t.drain.finished());
}

TEST(Daemons, AreToldInTheLastSecondsAndNotWaitedFor) {
  HandOverDrain t({.signal_daemons = true});
  Unit dns = make_unit("dns");
  dns.critical = true;
  t.begin({daemon_unit("logs"), dns});
  EXPECT_EQ(describe(t.take()), "ask default/dns");
  t.advance_to(Seconds(105));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(107));
  EXPECT_EQ(describe(t.take()), "ask default/logs 10s");
}

TEST(Daemons, ThatCameBackAreNotToldAgain) {
  HandOverDrain t({.signal_daemons = true});
  t.begin({daemon_unit("logs")});
  t.advance_to(Seconds(107));
  t.answer(t.take().at(0));
  t.tell(UnitGone{.id = UnitId("uid-logs")});
  t.see(daemon_unit("again"));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_TRUE(t.drain.finished());
}

TEST(Daemons, ThatEndByThemselvesAreNotTold) {
  HandOverDrain t({.signal_daemons = true});
  t.begin({daemon_unit("logs")});
  Unit ending = daemon_unit("logs");
  ending.ending = kNoon;
  t.see(ending);
  t.advance_to(Seconds(110));
  EXPECT_EQ(describe(t.take()), "");
}

// --- The early word ------------------------------------------------------------------------------

TEST(EarlyWord, ComesFirstAndOnce) {
  HandOverDrain t({.early_word = true});
  t.begin({make_unit("web", Seconds(30), {"ns/b"}), daemon_unit("logs")}, kClosed);
  const auto word = t.take();
  ASSERT_EQ(describe(word), "forewarn default/web");
  t.answer(word[0]);
  t.budget(1);
  EXPECT_EQ(describe(t.take()), "ask default/web");
  EXPECT_EQ(t.count(What::kForewarned), 1);
}

TEST(EarlyWord, ThatFailsIsHarmless) {
  for (const Error& error : {weather(), forbidden(), denied("patch pods")}) {
    HandOverDrain t({.early_word = true});
    t.begin({make_unit("a")});
    t.answer(t.take().at(0), std::unexpected(error));
    EXPECT_EQ(describe(t.take()), "ask default/a");
    t.see(make_unit("b"));
    EXPECT_EQ(describe(t.take()), error.no_right ? "ask default/b" : "forewarn default/b");
  }
}

TEST(EarlyWord, DoesNotHoldUpTheLastMoment) {
  HandOverDrain t({.early_word = true}, spot_notice(Seconds(10)));
  t.begin({make_unit("web")});
  EXPECT_EQ(describe(t.take()), "ask default/web 7s");
}

TEST(EarlyWord, IsSaidAgainWhenItIsNotTrueAnyMore) {
  HandOverDrain t({.early_word = true}, rebalance());
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.answer(t.take().at(0));
  t.tell(NoticeHeard{.notice = spot_notice()});
  const auto actions = t.take();
  EXPECT_EQ(describe(actions), "mark, forewarn default/web");
  EXPECT_EQ(actions.at(1).notice.kind, NoticeKind::kSpotInterruption);
}

}  // namespace
}  // namespace spotkeeper::core
