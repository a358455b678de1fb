// SPDX-License-Identifier: Apache-2.0
// Several processes may drain one host: who finds it held waits, and goes on where the holder ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_drain.h"

namespace spotkeeper::core {
namespace {

Error held(int for_s) {
  return Error{.kind = ErrorKind::kRetryable,
               .message = "other drains it",
               .retry_after_s = for_s,
               .held = true};
}

class Held : public testing::Test {
 protected:
  void begin(const std::vector<Unit>& units) {
    for (const Unit& unit : units) t.tell(UnitSeen{.unit = unit});
    t.tell(UnitsListed{});
    t.tell(BudgetsListed{});
  }

  TestDrain t{Policy{.renew_every = Seconds(13)}};
};

TEST_F(Held, NobodyIsAskedWhileAnotherDrainsTheHost) {
  t.answer(t.take().at(0), std::unexpected(held(40)));
  begin({make_unit("web")});
  t.advance_to(Seconds(39));
  EXPECT_EQ(describe(t.take()), "") << "not even when the mark's patience is over";
  t.advance_to(Seconds(40));
  const auto again = t.take();
  ASSERT_EQ(describe(again), "mark");
  t.answer(again[0], std::unexpected(held(40)));
  EXPECT_EQ(t.count(What::kMarkFailed), 1) << "said once";
}

TEST_F(Held, WhenTheHolderIsDeadItsPodsAreOurs) {
  t.answer(t.take().at(0), std::unexpected(held(40)));
  begin({make_unit("web")});
  t.advance_to(Seconds(40));
  t.answer(t.take().at(0));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST_F(Held, WhatTheHolderHasMovedIsDone) {
  t.answer(t.take().at(0), std::unexpected(held(40)));
  begin({make_unit("web")});
  t.tell(UnitGone{.id = UnitId("uid-web")});
  EXPECT_TRUE(t.drain.finished());
  t.advance_to(Seconds(60));
  EXPECT_EQ(describe(t.take()), "") << "no mark where there is nothing to take over";
}

TEST_F(Held, WhatTheHolderHasReleasedIsItsOwnToPutBack) {
  t.answer(t.take().at(0), std::unexpected(held(40)));
  Unit released = make_unit("web");
  released.released = true;
  begin({released});
  t.tell(Withdrawn{.undo = true, .why = "Ctrl-C"});
  EXPECT_EQ(describe(t.take()), "") << "neither is the mark ours";
  EXPECT_TRUE(t.drain.finished());
}

TEST_F(Held, OurMarkIsRenewedQuietlyWhileWeDrain) {
  begin({make_unit("web", Seconds(30), {"default/b"})});
  t.tell(BudgetSeen{.budget = {.id = BudgetId("default/b"), .allows = 0}});
  t.answer(t.take().at(0));
  t.advance_to(Seconds(12));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(13));
  const auto renewal = t.take();
  ASSERT_EQ(describe(renewal), "mark");
  EXPECT_TRUE(renewal[0].renews);
  EXPECT_EQ(renewal[0].by, kNoon + Seconds(26 - 10)) << "it has time until then";
  t.answer(renewal[0]);
  EXPECT_EQ(t.count(What::kMarked), 1);
  t.advance_to(Seconds(26));
  EXPECT_EQ(describe(t.take()), "mark");
}

TEST_F(Held, WhoWasTakenOverFromStops) {
  begin({make_unit("web", Seconds(30), {"default/b"})});
  t.tell(BudgetSeen{.budget = {.id = BudgetId("default/b"), .allows = 0}});
  t.answer(t.take().at(0));
  t.advance_to(Seconds(13));
  t.answer(t.take().at(0), std::unexpected(held(40)));
  t.tell(BudgetSeen{.budget = {.id = BudgetId("default/b"), .allows = 1}});
  EXPECT_EQ(describe(t.take()), "");
}

// Somebody may have taken over meanwhile, and could not tell us.
TEST_F(Held, WhoCannotRenewAsksNobodyUntilItCan) {
  begin({make_unit("web", Seconds(30), {"default/b"})});
  t.tell(BudgetSeen{.budget = {.id = BudgetId("default/b"), .allows = 0}});
  t.answer(t.take().at(0));
  t.advance_to(Seconds(13));
  const auto renewal = t.take();
  ASSERT_EQ(describe(renewal), "mark");
  t.advance_to(Seconds(26));
  t.tell(BudgetSeen{.budget = {.id = BudgetId("default/b"), .allows = 1}});
  EXPECT_EQ(describe(t.take()), "");
  t.answer(renewal[0]);
  EXPECT_EQ(describe(t.take()), "ask default/web") << "it was renewed when it was sent";
}

TEST_F(Held, WhoCannotRenewTellsItsUnitsAtTheirLastMoment) {
  begin({make_unit("web", Seconds(30), {"default/b"})});
  t.tell(BudgetSeen{.budget = {.id = BudgetId("default/b"), .allows = 0}});
  t.answer(t.take().at(0));
  t.advance_to(Seconds(13));
  ASSERT_EQ(describe(t.take()), "mark") << "and nobody answers";
  t.advance_to(Seconds(86));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(90));
  EXPECT_EQ(describe(t.take()), "ask default/web 30s");
}

TEST_F(Held, AHostThatCannotBeMarkedIsDrainedWhenNobodyCanHoldIt) {
  begin({make_unit("web")});
  ASSERT_EQ(describe(t.take()), "mark") << "and nobody answers";
  t.advance_to(Seconds(25));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(26));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST_F(Held, ADrainThatIsDoneRenewsNothing) {
  begin({});
  t.answer(t.take().at(0));
  EXPECT_TRUE(t.drain.finished());
  t.advance_to(Seconds(60));
  EXPECT_EQ(describe(t.take()), "");
}

}  // namespace
}  // namespace spotkeeper::core
