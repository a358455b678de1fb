// SPDX-License-Identifier: Apache-2.0
#include "sources/spot_notices.h"

#include <gtest/gtest.h>

namespace spotkeeper::sources {
namespace {

constexpr Time kNow = Time(Seconds(1'800'000'000));

SpotSighting seen(int in_s) {
  return {.action = "terminate", .time = kNow + Seconds(in_s)};
}

TEST(SpotNotices, TheFirstSightingIsANotice) {
  SpotNotices notices(core::InstanceId("i-1"));
  EXPECT_FALSE(notices.poll(std::nullopt, kNow).notice);
  const auto notice = notices.poll(seen(120), kNow).notice;
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->deadline, kNow + Seconds(120));
  EXPECT_EQ(notice->instance, core::InstanceId("i-1"));
  EXPECT_EQ(notice->detail, "terminate");
  EXPECT_EQ(notice->source, "imds");
}

TEST(SpotNotices, TheSameSightingIsNoNews) {
  SpotNotices notices(core::InstanceId(""));
  ASSERT_TRUE(notices.poll(seen(120), kNow).notice);
  EXPECT_FALSE(notices.poll(seen(120), kNow + Seconds(1)).notice);
}

TEST(SpotNotices, ATimeThatSlidesAwayStaysOneNotice) {
  SpotNotices notices(core::InstanceId(""));
  ASSERT_TRUE(notices.poll(seen(120), kNow).notice);
  for (int i = 1; i < 100; ++i) {
    EXPECT_FALSE(notices.poll(seen(120 + i), kNow + Seconds(i)).notice);
  }
}

TEST(SpotNotices, ANearerTimeIsNewsOfTheSameNotice) {
  SpotNotices notices(core::InstanceId(""));
  const auto first = notices.poll(seen(120), kNow).notice;
  const auto nearer = notices.poll(seen(90), kNow + Seconds(1)).notice;
  ASSERT_TRUE(nearer);
  EXPECT_EQ(nearer->id, first->id);
  EXPECT_EQ(nearer->deadline, kNow + Seconds(90));
}

TEST(SpotNotices, AfterItIsGoneAnotherOneMayCome) {
  SpotNotices notices(core::InstanceId(""));
  const auto first = notices.poll(seen(120), kNow).notice;
  EXPECT_FALSE(notices.poll(std::nullopt, kNow).notice);
  const auto second = notices.poll(seen(500), kNow).notice;
  ASSERT_TRUE(second);
  EXPECT_NE(second->id, first->id);
}

TEST(SpotNoticeId, IsNthsEventId) {
  Time time{};
  ASSERT_TRUE(parse_time("2020-09-15T21:15:41Z", time));
  // As printed in NTH's documentation of its tests: 47ddfb5e…34b19.
  const std::string id = spot_notice_id({.action = "terminate", .time = time}).value;
  EXPECT_TRUE(id.starts_with("spot-itn-47ddfb5e")) << id;
  EXPECT_TRUE(id.ends_with("34b19")) << id;
}

}  // namespace
}  // namespace spotkeeper::sources
