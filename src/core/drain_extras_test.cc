// SPDX-License-Identifier: Apache-2.0
// What the mark bears beside the cordon, and when; volumes; soft notices that expire.
// docs/design.md, rules 7 and 8; the load balancers' label.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_hand_over.h"

namespace spotkeeper::core {
namespace {

const Policy kExclude{.exclude_from_load_balancers = true};

ServiceSeen service(bool only_here) {
  return {.service = {
              .id = ServiceId("default/web"), .ready = 1, .here = true, .only_here = only_here}};
}

Notice rebalance(Seconds in = Seconds(600)) {
  Notice notice = spot_notice(in);
  notice.kind = NoticeKind::kRebalanceRecommendation;
  return notice;
}

// --- Load balancers ------------------------------------------------------------------------------

TEST(Exclude, IsWrittenBeforeTheFirstEviction) {
  HandOverDrain t(kExclude);
  t.begin({make_unit("web")});
  EXPECT_EQ(describe(t.take()), "") << "its Services are not known yet";
  t.tell(service(false));
  t.tell(ServicesListed{});
  const auto mark = t.take();
  ASSERT_EQ(describe(mark), "mark");
  EXPECT_TRUE(mark[0].extras.exclude_from_load_balancers);
  t.answer(mark[0]);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Exclude, ServicesThatNeverArriveHoldNobodyUpForLong) {
  HandOverDrain t(kExclude);
  t.begin({make_unit("web")});
  t.advance_to(Seconds(3));
  EXPECT_EQ(describe(t.take()), "mark, ask default/web");
}

TEST(Exclude, WaitsForAnotherHostThatServesWhatIsServedHereOnly) {
  HandOverDrain t(kExclude);
  t.begin({make_unit("web")});
  t.tell(service(true));
  t.tell(ServicesListed{});
  EXPECT_EQ(describe(t.take()), "ask default/web") << "nobody else is held up";
  t.advance_to(Seconds(40));
  EXPECT_EQ(describe(t.take()), "");
  t.tell(service(false));
  const auto mark = t.take();
  ASSERT_EQ(describe(mark), "mark");
  EXPECT_TRUE(mark[0].extras.exclude_from_load_balancers);
  t.answer(mark[0]);
  t.tell(service(true));
  t.advance_to(Seconds(60));
  EXPECT_EQ(describe(t.take()), "") << "written once, it stays";
}

TEST(Exclude, WaitsNoLongerThanToFortyFiveSecondsBeforeTheDeadline) {
  HandOverDrain t(kExclude);
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.tell(service(true));
  t.tell(ServicesListed{});
  t.advance_to(Seconds(74));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(75));
  EXPECT_EQ(describe(t.take()), "mark");
}

TEST(Exclude, AWriteThatFailsIsTriedAgain) {
  HandOverDrain t(kExclude);
  t.begin({});
  t.tell(ServicesListed{});
  t.answer(t.take().at(0), std::unexpected(weather()));
  t.advance_to(Seconds(1));
  const auto again = t.take();
  ASSERT_EQ(describe(again), "mark");
  EXPECT_TRUE(again[0].extras.exclude_from_load_balancers);
}

// --- NoExecute -----------------------------------------------------------------------------------

TEST(NoExecute, OnlyAtTheEnd) {
  HandOverDrain t({.no_execute_at_end = true});
  const auto first = t.take();
  EXPECT_FALSE(first.at(0).extras.no_execute);
  t.answer(first[0]);
  t.begin({make_unit("web", Seconds(5), {"ns/b"})}, kClosed);
  t.advance_to(Seconds(109));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(110));
  const auto mark = t.take();
  ASSERT_EQ(describe(mark), "mark");
  EXPECT_TRUE(mark[0].extras.no_execute);
}

TEST(NoExecute, NeverForASoftNotice) {
  HandOverDrain t({.no_execute_at_end = true}, rebalance());
  t.begin({make_unit("web", Seconds(5), {"ns/b"})}, kClosed);
  t.advance_to(Seconds(599));
  EXPECT_EQ(describe(t.take()), "");
}

// --- Out of service ------------------------------------------------------------------------------

TEST(OutOfService, OnlyWhenAllHaveLeft) {
  HandOverDrain t({.out_of_service = true});
  t.begin({make_unit("a"), make_unit("b")});
  for (const Action& ask : t.take()) t.answer(ask);
  t.tell(UnitGone{.id = UnitId("uid-a")});
  EXPECT_EQ(describe(t.take()), "");
  t.tell(UnitGone{.id = UnitId("uid-b")});
  const auto mark = t.take();
  ASSERT_EQ(describe(mark), "mark");
  EXPECT_TRUE(mark[0].extras.out_of_service);
  t.answer(mark[0]);
  EXPECT_EQ(describe(t.take()), "");
}

TEST(OutOfService, NotWhenTheDeadlineFindsSomebodyHere) {
  HandOverDrain t({.out_of_service = true});
  t.begin({make_unit("web")});
  for (const Action& ask : t.take()) t.answer(ask);
  t.advance_to(Seconds(125));
  EXPECT_TRUE(t.drain.finished());
  EXPECT_EQ(describe(t.take()), "");
  t.tell(UnitGone{.id = UnitId("uid-web")});
  EXPECT_EQ(describe(t.take()), "mark") << "but when it leaves after all";
}

// --- Volumes -------------------------------------------------------------------------------------

TEST(Volumes, AreWaitedForToTheDeadline) {
  HandOverDrain t;
  t.tell(VolumesSeen{.attached = 2});
  t.begin({});
  EXPECT_FALSE(t.drain.finished());
  t.tell(VolumesSeen{.attached = 1});
  t.advance_to(Seconds(119));
  EXPECT_FALSE(t.drain.finished());
  t.advance_to(Seconds(120));
  EXPECT_TRUE(t.drain.finished());
}

TEST(Volumes, ThatAreDetachedEndTheWait) {
  HandOverDrain t;
  t.tell(VolumesSeen{.attached = 1});
  t.begin({});
  t.tell(VolumesSeen{.attached = 0});
  EXPECT_TRUE(t.drain.finished());
}

TEST(Volumes, AreWaitedForAMinuteWithoutADeadline) {
  HandOverDrain t({}, rebalance());
  t.tell(VolumesSeen{.attached = 1});
  t.begin({});
  t.advance_to(Seconds(59));
  EXPECT_FALSE(t.drain.finished());
  t.advance_to(Seconds(60));
  EXPECT_TRUE(t.drain.finished());
}

// --- Expiry --------------------------------------------------------------------------------------

TEST(Expiry, OfADrainThatHasFinishedTakesTheMarkBack) {
  HandOverDrain t({}, rebalance());
  t.begin({});
  ASSERT_TRUE(t.drain.finished());
  t.advance_to(Seconds(599));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(600));
  const auto undo = t.take();
  ASSERT_EQ(describe(undo), "undo");
  t.answer(undo[0]);
  EXPECT_TRUE(t.drain.finished());
  EXPECT_EQ(t.drain.wake(), kNever);
}

TEST(Expiry, PutsBackWhoIsOutOfItsGroup) {
  HandOverDrain t({.hand_over = HandOver::kAlways}, rebalance());
  t.replace({replica("web")});
  t.advance_to(Seconds(600));
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/web");
  t.answer(back[0]);
  t.see(replica("web"));
  EXPECT_EQ(describe(t.take()), "undo");
}

TEST(Expiry, DoesNotComeWhenTheNoticeHasBecomeHard) {
  HandOverDrain t({}, rebalance(Seconds(60)));
  t.begin({make_unit("web", Seconds(30), {"ns/b"})}, kClosed);
  t.tell(NoticeHeard{.notice = spot_notice()});
  t.advance_to(Seconds(86));
  EXPECT_FALSE(t.drain.withdrawn());
}

}  // namespace
}  // namespace spotkeeper::core
