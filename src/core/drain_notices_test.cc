// SPDX-License-Identifier: Apache-2.0
// Notices of other kinds than a Spot interruption, and what becomes of one when another follows.
#include <gmock/gmock.h>

#include "core/test_drain.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

Notice recommendation() {
  Notice notice = spot_notice(Seconds(3600));
  notice.id = NoticeId("rebalance-1");
  notice.kind = NoticeKind::kRebalanceRecommendation;
  return notice;
}

Notice scheduled(Time not_before = kNever) {
  Notice notice = spot_notice();
  notice.id = NoticeId("instance-event-1");
  notice.kind = NoticeKind::kScheduledEvent;
  notice.deadline = not_before;
  notice.detail = "system-reboot";
  return notice;
}

std::vector<Budget> closed() {
  return {Budget{.id = BudgetId("ns/b"), .allows = 0}};
}

void answer_all(TestDrain& t) {
  for (const Action& action : t.take()) t.answer(action);
}

TEST(Recommendation, MonitoredItOnlyMarksAndTheInterruptionDrains) {
  TestDrain t({.recommendation_marks_only = true}, recommendation());
  t.begin({make_unit("web")});
  EXPECT_TRUE(t.take().empty());
  EXPECT_TRUE(t.drain.finished());
  EXPECT_TRUE(std::ranges::any_of(
      t.entries, [](const Entry& e) { return e.text.starts_with("cordoned only"); }));
  t.tell(NoticeHeard{.notice = spot_notice()});
  EXPECT_EQ(describe(t.take()), "mark, ask default/web");
  EXPECT_FALSE(t.drain.finished());
}

TEST(Recommendation, SoftItPrefersOtherHostsAndMovesWhatNeedsLonger) {
  TestDrain t({.recommendation_is_soft = true}, recommendation());
  const auto mark = t.take();
  ASSERT_EQ(describe(mark), "mark");
  EXPECT_TRUE(mark[0].extras.soft);
  t.answer(mark[0]);
  t.begin({make_unit("quick", Seconds(117)), make_unit("slow", Seconds(118))});
  EXPECT_EQ(describe(t.take()), "ask default/slow");
  EXPECT_THAT(t.track("quick").plan.why, HasSubstr("two minutes"));
  t.tell(UnitGone{.id = UnitId("uid-slow")});
  EXPECT_TRUE(t.drain.finished());
  t.tell(NoticeHeard{.notice = spot_notice()});
  const auto then = t.take();
  ASSERT_EQ(describe(then), "mark, ask default/quick");
  EXPECT_FALSE(then[0].extras.soft) << "an interruption cordons";
}

TEST(Recommendation, SoftItIsTakenBackWhenNothingFollows) {
  TestDrain t({.recommendation_is_soft = true}, recommendation());
  t.begin({make_unit("quick")});
  t.advance_to(Seconds(3601));
  EXPECT_EQ(describe(t.take()), "undo");
}

TEST(ScheduledEvent, WithoutATimeAheadItOverrulesNobody) {
  TestDrain t({}, scheduled());
  t.begin({make_unit("web"), make_unit("shy", Seconds(30), {"ns/b"})}, closed());
  EXPECT_EQ(describe(t.take()), "ask default/web");
  t.advance_to(Seconds(3600));
  EXPECT_TRUE(t.take().empty());
  EXPECT_FALSE(t.drain.finished());
}

TEST(ScheduledEvent, AtItsTimeItEndsTheHost) {
  TestDrain t({}, scheduled(kNoon + std::chrono::hours(24)));
  t.begin({make_unit("web"), make_unit("shy", Seconds(30), {"ns/b"})}, closed());
  EXPECT_EQ(describe(t.take()), "ask default/web") << "begun at once, a day ahead";
  t.advance_to(Seconds(86'400 - 60));
  EXPECT_TRUE(t.take().empty());
  t.advance_to(Seconds(86'400 - 20));
  EXPECT_THAT(describe(t.take()), HasSubstr("ask default/shy"));
}

TEST(ScheduledEvent, NodeTerminationGracePeriodDoesNotDelayIt) {
  for (const Notice& notice : {scheduled(kNoon + std::chrono::hours(24)), recommendation()}) {
    TestDrain t({.start_before = Seconds(30)}, notice);
    t.begin({make_unit("web")});
    EXPECT_EQ(describe(t.take()), "ask default/web") << to_string(notice.kind);
  }
}

TEST(ScheduledEvent, ARecommendationDoesNotReplaceIt) {
  TestDrain t({}, scheduled());
  t.begin({make_unit("web")});
  t.take();
  t.tell(NoticeHeard{.notice = recommendation()});
  EXPECT_EQ(t.drain.notice().kind, NoticeKind::kScheduledEvent);
  t.tell(NoticeHeard{.notice = spot_notice()});
  EXPECT_EQ(t.drain.notice().kind, NoticeKind::kSpotInterruption);
}

TEST(Notices, InsteadAWeakerOneHoldsWhenTheStrongerIsOver) {
  TestDrain t({}, scheduled(kNoon + Seconds(600)));
  t.begin({make_unit("shy", Seconds(30), {"ns/b"})}, closed());
  answer_all(t);
  t.tell(NoticeHeard{.notice = recommendation(), .instead = true});
  const auto mark = t.take();
  ASSERT_EQ(describe(mark), "mark");
  EXPECT_EQ(mark[0].notice.id, recommendation().id);
  t.answer(mark[0]);
  t.advance_to(Seconds(700));
  EXPECT_TRUE(t.take().empty()) << "nobody is overruled any more";
}

TEST(Notices, AnEventThatIsPutOffGivesBudgetsTheirTime) {
  TestDrain t({}, scheduled(kNoon + Seconds(60)));
  t.begin({make_unit("shy", Seconds(30), {"ns/b"})}, closed());
  answer_all(t);
  t.tell(NoticeHeard{.notice = scheduled(kNoon + Seconds(6000)), .instead = true});
  answer_all(t);
  t.advance_to(Seconds(100));
  EXPECT_TRUE(t.take().empty());
}

}  // namespace
}  // namespace spotkeeper::core
