// SPDX-License-Identifier: Apache-2.0
#include "sources/event_notice.h"

#include <gtest/gtest.h>

#include <optional>

namespace spotkeeper::sources {
namespace {

using core::NoticeKind;

const Time kNow(Seconds(1'000'000));

struct Row {
  const char* what;
  NoticeKind kind;
  Millis age;
  std::optional<Time> deadline;  // nothing: it is stale
  std::optional<Time> starts = {};
};

const Row kRows[] = {
    {"fresh", NoticeKind::kSpotInterruption, Millis(0), kNow + Seconds(120)},
    {"late", NoticeKind::kSpotInterruption, Seconds(115), kNow + Seconds(5)},
    {"too late", NoticeKind::kSpotInterruption, Seconds(120), std::nullopt},
    {"of yesterday", NoticeKind::kSpotInterruption, std::chrono::hours(20), std::nullopt},
    {"reserved", NoticeKind::kCapacityReservationInterruption, Seconds(20), kNow + Seconds(100)},
    {"feared", NoticeKind::kRebalanceRecommendation, Seconds(60), kNever},
    {"feared long ago", NoticeKind::kRebalanceRecommendation, Seconds(3601), std::nullopt},
    {"stopping", NoticeKind::kStateChange, Seconds(10), kNow + Seconds(80)},
    {"off by now", NoticeKind::kStateChange, Seconds(100), kNow + Seconds(30)},
    {"who knows", NoticeKind::kStateChange, std::chrono::minutes(11), std::nullopt},
    {"hook", NoticeKind::kAsgTermination, Seconds(30), kNow + Seconds(100)},
    {"hook of an hour ago", NoticeKind::kAsgTermination, std::chrono::hours(1),
     kNow + Seconds(100)},
    {"hook that is over", NoticeKind::kAsgTermination, std::chrono::hours(49), std::nullopt},
    {"maintenance ahead", NoticeKind::kScheduledEvent, Seconds(30), kNow + Seconds(7200),
     kNow + Seconds(7200)},
    {"maintenance begun", NoticeKind::kScheduledEvent, Seconds(30), kNever, kNow - Seconds(1)},
    {"maintenance some day", NoticeKind::kScheduledEvent, Seconds(30), kNever},
    {"launch", NoticeKind::kAsgLaunch, Seconds(0), std::nullopt},
};

TEST(EventNotice, IsJudgedByTheEventsOwnTime) {
  for (const Row& row : kRows) {
    const QueueEvent event{.id = core::NoticeId("n"),
                           .kind = row.kind,
                           .instance = core::InstanceId("i-1"),
                           .at = kNow - row.age,
                           .detail = "d",
                           .description = {},
                           .starts = row.starts,
                           .hook = {},
                           .group = {},
                           .account = {},
                           .region = {}};
    const EventRules rules{.grace = Seconds(100)};
    const auto notice = notice_of(event, rules, kNow);
    ASSERT_EQ(notice.has_value(), row.deadline.has_value()) << row.what;
    if (!notice) continue;
    EXPECT_EQ(notice->deadline, *row.deadline) << row.what;
    EXPECT_EQ(notice->received, kNow);
    EXPECT_EQ(notice->source, "sqs");
    EXPECT_EQ(notice->detail, "d");
  }
}

TEST(EventNotice, ARecommendationMayBeTrustedForGood) {
  QueueEvent event;
  event.kind = NoticeKind::kRebalanceRecommendation;
  event.at = kNow - std::chrono::hours(100);
  const EventRules rules{.rebalance_trust = Millis(0)};
  EXPECT_TRUE(notice_of(event, rules, kNow).has_value());
}

}  // namespace
}  // namespace spotkeeper::sources
