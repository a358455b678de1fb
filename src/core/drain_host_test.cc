// SPDX-License-Identifier: Apache-2.0
// Drains by hand, withdrawals, and rights that are known beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/desk.h"
#include "core/test_drain.h"
#include "core/verdict.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

Notice manual(std::optional<Seconds> in = std::nullopt) {
  Notice notice = spot_notice(in.value_or(Seconds(0)));
  notice.kind = NoticeKind::kManual;
  notice.source = "manual";
  if (!in) notice.deadline = kNever;
  return notice;
}

const std::vector<Budget> kClosed{{.id = BudgetId("ns/b"), .allows = 0}};

TEST(ManualDrain, WithADeadlineOverrulesAtTheLastMoment) {
  TestDrain t({}, manual(Seconds(120)));
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.advance_to(Seconds(87));
  EXPECT_EQ(describe(t.take()), "ask default/web 30s");
}

TEST(ManualDrain, WithoutADeadlineRespectsBudgetsForEver) {
  TestDrain t({}, manual());
  EXPECT_THAT(t.entries.at(0).text, HasSubstr("no deadline"));
  t.begin({make_unit("web", Seconds(30), {"ns/b"}), make_unit("long", Seconds(3600))}, kClosed);
  EXPECT_EQ(describe(t.take()), "ask default/long") << "with its own grace";
  t.advance_to(Seconds(100'000));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_FALSE(t.drain.finished());
  EXPECT_THAT(t.drain.obstacle(t.track("web")), HasSubstr("ns/b"));
}

TEST(Withdrawal, TakesTheMarkBackAndAsksNobodyAnyMore) {
  TestDrain t({}, manual(Seconds(120)));
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.tell(Withdrawn{.why = "interrupted"});
  const auto undo = t.take();
  ASSERT_EQ(describe(undo), "undo");
  t.tell(BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = 1}});
  EXPECT_TRUE(t.take().empty());
  EXPECT_FALSE(t.drain.finished());
  t.answer(undo[0]);
  EXPECT_TRUE(t.drain.finished());
  EXPECT_EQ(t.count(What::kUndone), 1);
  t.advance_to(Seconds(130));
  EXPECT_TRUE(t.take().empty());
}

// Which of them the host bears is not known: an earlier life, or a request whose answer was lost,
// may have written it.
TEST(Withdrawal, TakesBackTheMarkOfEveryNoticeThatWasHeard) {
  Notice soft = spot_notice();
  soft.kind = NoticeKind::kRebalanceRecommendation;
  soft.id = NoticeId("rebalance-1");
  TestDrain t({}, soft);
  t.tell(NoticeHeard{.notice = spot_notice()});
  t.answer(t.take().at(0), std::unexpected(weather()));
  t.tell(Withdrawn{.why = "interrupted"});
  const auto undo = t.take();
  ASSERT_EQ(describe(undo), "undo");
  EXPECT_EQ(undo[0].takers, (std::vector{soft.id, spot_notice().id}));
}

TEST(ManualDrain, PodsWhoseFirstListIsLateWereHereBeforeTheMark) {
  TestDrain t({}, manual());
  for (const Action& action : t.take()) t.answer(action);
  t.now += Seconds(30);
  t.tell(BudgetsListed{});
  t.tell(UnitSeen{.unit = make_unit("web")});
  t.tell(UnitsListed{});
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(ManualDrain, APodThatLandsInSpiteOfTheMarkDoesNotKeepItGoingForEver) {
  TestDrain t({}, manual());
  t.begin({make_unit("web")});
  for (const Action& action : t.take()) t.answer(action);
  t.now += Seconds(30);
  t.tell(UnitSeen{.unit = make_unit("stubborn")});
  EXPECT_TRUE(t.take().empty());
  t.tell(UnitGone{.id = UnitId("uid-web")});
  EXPECT_TRUE(t.drain.finished());
}

TEST(ManualDrain, AMarkThatFailsForEverDoesNotKeepItGoingForEver) {
  TestDrain t({}, manual());
  t.tell(BudgetsListed{});
  t.tell(UnitsListed{});
  for (Seconds at(1); !t.drain.finished() && at < Seconds(60); at += Seconds(1)) {
    for (const Action& action : t.take()) t.answer(action, std::unexpected(weather()));
    t.advance_to(at);
  }
  EXPECT_TRUE(t.drain.finished());
}

TEST(ManualDrain, WithoutTheRightToEvictUnguardedPodsAreDeleted) {
  TestDrain t({}, manual());
  t.tell(AbilitiesFound{.abilities = {.ask = false}});
  t.begin({make_unit("web"), make_unit("shy", Seconds(30), {"ns/b"})}, kClosed);
  EXPECT_EQ(describe(t.take()), "stop default/web");
}

TEST(Withdrawal, TakesBackTheMarkOfAHostThatHasFinished) {
  TestDrain t({}, manual(Seconds(120)));
  t.begin({});
  ASSERT_TRUE(t.drain.finished());
  t.tell(Withdrawn{.why = "interrupted"});
  EXPECT_FALSE(t.drain.finished());
  const auto undo = t.take();
  ASSERT_EQ(describe(undo), "undo");
  t.answer(undo[0]);
  EXPECT_TRUE(t.drain.finished());
}

TEST(Drain, AMarkThatWasSentForAnOlderDeadlineIsWrittenAgain) {
  TestDrain t;
  const auto mark = t.take();
  t.tell(NoticeHeard{.notice = spot_notice(Seconds(60))});
  EXPECT_TRUE(t.take().empty());
  t.answer(mark[0]);
  EXPECT_EQ(describe(t.take()), "mark");
}

TEST(Drain, WhoIsStoppedInVainHasNotOverruledItsBudget) {
  TestDrain t;
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0), std::unexpected(refusal()));
  t.answer(t.take().at(0));
  t.answer(t.take().at(0), std::unexpected(denied("delete pods")));
  EXPECT_FALSE(t.track("web").overruled);
  EXPECT_THAT(t.track("web").last_no, HasSubstr("delete pods"));
}

TEST(Withdrawal, WaitsForWhatIsUnderWay) {
  TestDrain t({}, manual(Seconds(120)));
  const auto mark = t.take();
  t.tell(Withdrawn{.why = "interrupted"});
  EXPECT_TRUE(t.take().empty()) << "the mark's answer first";
  t.answer(mark[0]);
  EXPECT_EQ(describe(t.take()), "undo");
}

TEST(Withdrawal, CanLeaveEverythingAsItIs) {
  TestDrain t({}, manual(Seconds(120)));
  t.begin({make_unit("web")});
  const auto ask = t.take();
  t.tell(Withdrawn{.undo = false, .why = "interrupted"});
  EXPECT_FALSE(t.drain.finished()) << "an eviction is under way";
  t.answer(ask[0]);
  EXPECT_TRUE(t.drain.finished());
  EXPECT_TRUE(t.take().empty());
  EXPECT_TRUE(t.track("web").told);
}

TEST(Withdrawal, AnUndoThatFailsIsTriedAgainAndThenGivenUpAloud) {
  TestDrain t({}, manual(Seconds(120)));
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.tell(Withdrawn{.why = "interrupted"});
  int tries = 0;
  for (Seconds at(1); !t.drain.finished() && at < Seconds(100); at += Seconds(1)) {
    if (at == Seconds(45)) EXPECT_FALSE(t.drain.finished()) << "weather may last so long";
    for (const Action& action : t.take()) {
      ++tries;
      t.answer(action, std::unexpected(weather()));
    }
    t.advance_to(at);
  }
  EXPECT_EQ(tries, 16);
  EXPECT_TRUE(t.drain.finished());
  EXPECT_THAT(t.entries.at(t.entries.size() - 2).text, HasSubstr("--undo"));
}

TEST(Withdrawal, AWithdrawnHostIsDrainedAnewByTheNextNotice) {
  Desk desk({});
  const HostId host("n1");
  desk.hear(host, manual(Seconds(120)), kNoon);
  desk.on(host, ActionDone{.number = 1, .result = std::string("cordoned")}, kNoon);
  desk.on(host, Withdrawn{.undo = false, .why = "interrupted"}, kNoon);
  ASSERT_TRUE(desk.find(host)->finished());
  Notice next = spot_notice();
  next.id = NoticeId("another");
  EXPECT_EQ(describe(desk.hear(host, next, kNoon + Seconds(1)).actions), "mark");
}

TEST(Abilities, WithoutEvictionUnguardedUnitsAreStoppedAtOnce) {
  TestDrain t;
  t.tell(AbilitiesFound{.abilities = {.ask = false}});
  t.begin({make_unit("free"), make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  EXPECT_EQ(describe(t.take()), "stop default/free") << "no eviction is tried in vain";
  t.advance_to(Seconds(87));
  EXPECT_EQ(describe(t.take()), "explain default/web");
}

TEST(Abilities, WithoutEvictionAndDeletionEvictionIsTriedAllTheSame) {
  TestDrain t;
  t.tell(AbilitiesFound{.abilities = {.ask = false, .stop = false}});
  t.begin({make_unit("web")});
  EXPECT_EQ(describe(t.take()), "ask default/web")
      << "a namespace may grant what the cluster does not";
}

TEST(Abilities, ARightThatIsGrantedMeanwhileIsUsed) {
  TestDrain t;
  t.tell(AbilitiesFound{.abilities = {.ask = false}});
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.tell(BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = 1}});
  EXPECT_EQ(describe(t.take()), "");
  t.tell(AbilitiesFound{});
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Abilities, WithoutTheRightToExplainTheStopComesAtOnce) {
  TestDrain t;
  t.tell(AbilitiesFound{.abilities = {.explain = false}});
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.advance_to(Seconds(87));
  t.answer(t.take().at(0), std::unexpected(refusal()));
  EXPECT_EQ(describe(t.take()), "stop default/web 30s");
}

}  // namespace
}  // namespace spotkeeper::core
