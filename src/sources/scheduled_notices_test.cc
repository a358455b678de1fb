// SPDX-License-Identifier: Apache-2.0
#include "sources/scheduled_notices.h"

#include <gtest/gtest.h>

namespace spotkeeper::sources {
namespace {

constexpr Time kNow = Time(Seconds(1'800'000'000));
const core::NoticeId kId("instance-event-1");

aws::ScheduledEvent event(std::optional<Seconds> in, bool over = false) {
  aws::ScheduledEvent event{.id = kId.value, .code = "system-reboot", .over = over};
  if (in) event.not_before = kNow + *in;
  return event;
}

TEST(ScheduledNotices, AnEventIsOneNotice) {
  ScheduledNotices notices;
  const auto news = notices.poll({event(Seconds(3600))}, true, kNow);
  ASSERT_EQ(news.notices.size(), 1U);
  EXPECT_EQ(news.notices[0].id, kId);
  EXPECT_EQ(news.notices[0].detail, "system-reboot");
  EXPECT_EQ(news.notices[0].deadline, kNow + Seconds(3600));
  for (int s = 1; s < 5000; s += 500) {
    EXPECT_TRUE(notices.poll({event(Seconds(3600))}, true, kNow + Seconds(s)).notices.empty()) << s;
  }
}

TEST(ScheduledNotices, WhatMayBeginAtAnyTimeHasNoDeadline) {
  for (const auto& listed : {event(Seconds(-1)), event(std::nullopt)}) {
    ScheduledNotices notices;
    const auto news = notices.poll({listed}, true, kNow);
    ASSERT_EQ(news.notices.size(), 1U);
    EXPECT_EQ(news.notices[0].deadline, kNever);
    EXPECT_FALSE(core::is_hard(news.notices[0]));
  }
}

TEST(ScheduledNotices, OneThatIsPutOffIsToldAgain) {
  ScheduledNotices notices;
  notices.poll({event(Seconds(60))}, true, kNow);
  const auto news = notices.poll({event(Seconds(600))}, true, kNow);
  ASSERT_EQ(news.notices.size(), 1U);
  EXPECT_EQ(news.notices[0].deadline, kNow + Seconds(600));
}

// NTH cancels again at every poll, for as long as it is listed.
TEST(ScheduledNotices, OneThatIsCancelledIsOverOnce) {
  ScheduledNotices notices;
  notices.poll({event(Seconds(60))}, true, kNow);
  EXPECT_EQ(notices.poll({event(Seconds(60), true)}, true, kNow).over, std::vector{kId});
  EXPECT_TRUE(notices.poll({event(Seconds(60), true)}, true, kNow).over.empty());
}

TEST(ScheduledNotices, OneThatWasNeverHeardOfIsNotOver) {
  ScheduledNotices notices;
  EXPECT_TRUE(notices.poll({event(Seconds(60), true)}, true, kNow).over.empty());
}

TEST(ScheduledNotices, OneThatIsNotListedAnyMoreIsOverWhenThatIsSaidTwice) {
  ScheduledNotices notices;
  notices.poll({event(Seconds(60))}, true, kNow);
  EXPECT_TRUE(notices.poll({}, true, kNow).over.empty());
  EXPECT_TRUE(notices.poll({event(Seconds(60))}, true, kNow).over.empty());
  EXPECT_TRUE(notices.poll({}, true, kNow).over.empty()) << "counted anew";
  EXPECT_EQ(notices.poll({}, true, kNow).over, std::vector{kId});
}

TEST(ScheduledNotices, WhatCouldNotBeReadIsNotMissing) {
  ScheduledNotices notices;
  notices.poll({event(Seconds(60))}, true, kNow);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(notices.poll({}, false, kNow).over.empty());
}

TEST(ScheduledNotices, WhatAnEarlierLifeHeardIsToldOrOver) {
  ScheduledNotices listed;
  listed.resume(kId);
  EXPECT_EQ(listed.poll({event(Seconds(60))}, true, kNow).notices.size(), 1U);
  ScheduledNotices cancelled;
  cancelled.resume(kId);
  EXPECT_EQ(cancelled.poll({event(Seconds(60), true)}, true, kNow).over, std::vector{kId});
}

TEST(ScheduledNotices, WhatHasBeenIsNotToldUntilItIsScheduledAnew) {
  ScheduledNotices notices;
  notices.ignore(kId);
  EXPECT_TRUE(notices.poll({event(Seconds(-5))}, true, kNow).notices.empty());
  EXPECT_EQ(notices.poll({event(Seconds(500))}, true, kNow).notices.size(), 1U);
}

}  // namespace
}  // namespace spotkeeper::sources
