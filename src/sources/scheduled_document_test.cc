// SPDX-License-Identifier: Apache-2.0
#include "sources/scheduled_document.h"

#include <gmock/gmock.h>

#include "sources/imds_fixture.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kActive =
    R"([{"EventId":"e1","Code":"system-reboot","State":"active","NotBefore":"21 Jan 2049 09:00:43 GMT"}])";
constexpr const char* kCanceled =
    R"([{"EventId":"e1","Code":"system-reboot","State":"canceled","NotBefore":"21 Jan 2049 09:00:43 GMT"}])";

class ScheduledDocumentTest : public ImdsFixture {
 protected:
  void SetUp() override {
    ImdsFixture::SetUp();
    poll(std::make_unique<ScheduledDocument>(
        clock_, known_, ScheduledDocument::Hooks{.notice = hear(), .over = hear_over()}));
  }

  ScheduledNotices known_;
};

// For NTH a 404 is an error, and the fourth ends the process.
TEST_F(ScheduledDocumentTest, NothingThereIsQuietAndEndsNothing) {
  poll_times(10);
  EXPECT_TRUE(failures_.empty());
  say(kActive);
  run_until([&] { return !notices_.empty(); });
  say_nothing();
  poll_times(10);
  EXPECT_TRUE(over_.empty()) << "it says nothing about what was heard";
}

TEST_F(ScheduledDocumentTest, AnEventIsHeardOnceAndOverOnce) {
  say(kActive);
  run_until([&] { return !notices_.empty(); });
  EXPECT_EQ(format_time_s(notices_[0].deadline), "2049-01-21T09:00:43Z");
  say(kCanceled);
  run_until([&] { return !over_.empty(); });
  poll_times(5);
  EXPECT_EQ(notices_.size(), 1U);
  EXPECT_THAT(over_, testing::ElementsAre("e1"));
}

TEST_F(ScheduledDocumentTest, AnEmptyListEndsIt) {
  say(kActive);
  run_until([&] { return !notices_.empty(); });
  say("[]");
  run_until([&] { return !over_.empty(); });
}

// For NTH one bad time makes the whole document an error, and nothing of it is heard.
TEST_F(ScheduledDocumentTest, OneThatIsOddHidesNoOther) {
  say(R"([{"EventId":"odd","Code":"instance-stop","State":"active","NotBefore":"soon"},)" +
      std::string(kActive).substr(1));
  run_until([&] { return notices_.size() >= 2; });
  EXPECT_EQ(notices_[0].deadline, kNever) << "it is heard, too";
  EXPECT_EQ(notices_[1].id.value, "e1");
  run_until([&] { return !failures_.empty(); });
  EXPECT_THAT(failures_[0], testing::HasSubstr("element 1: NotBefore is no time"));
}

TEST_F(ScheduledDocumentTest, WeatherIsSurvivedAndEndsNothing) {
  say(kActive);
  run_until([&] { return !notices_.empty(); });
  say("no", 500);
  poll_times(4);
  say("{");
  poll_times(3);
  say(kActive);
  run_until([&] { return recovered_after_ > 0; });
  EXPECT_EQ(notices_.size(), 1U);
  EXPECT_TRUE(over_.empty());
}

}  // namespace
}  // namespace spotkeeper::sources
