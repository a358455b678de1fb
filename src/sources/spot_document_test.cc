// SPDX-License-Identifier: Apache-2.0
#include "sources/spot_document.h"

#include <gmock/gmock.h>

#include <memory>

#include "sources/imds_fixture.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kLegacy = "/latest/meta-data/spot/termination-time";

class SpotDocumentTest : public ImdsFixture {
 protected:
  void SetUp() override {
    ImdsFixture::SetUp();
    poll(std::make_unique<SpotDocument>(
        clock_,
        SpotDocument::Hooks{.notice = hear(), .over = hear_over(), .clock = [this](Millis behind) {
                              if (notices_.empty()) behind_before_notice_ = behind;
                            }}));
  }

  std::optional<Millis> behind_before_notice_;
};

TEST_F(SpotDocumentTest, NothingThereIsQuiet) {
  poll_times(20);
  EXPECT_TRUE(notices_.empty());
  EXPECT_TRUE(failures_.empty());
  EXPECT_GE(counters_.value("imds_polls", {{"outcome", "quiet"}}), 19);
  EXPECT_GE(asked_[kLegacy], 3);
  EXPECT_LE(asked_[kLegacy], 5) << "the older path is asked at every fifth poll";
}

TEST_F(SpotDocumentTest, ANoticeIsHeardOnce) {
  poll_times(2);
  say(R"({"action":"terminate","time":"2027-01-15T08:02:00Z"})", 200);
  run_until([&] { return !notices_.empty(); });
  poll_times(5);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_EQ(format_time_s(notices_[0].deadline), "2027-01-15T08:02:00Z");
}

TEST_F(SpotDocumentTest, TheOlderPathIsAFallback) {
  pages_[kLegacy] = {200, "2027-01-15T08:02:00Z\n"};
  run_until([&] { return !notices_.empty(); });
  EXPECT_EQ(notices_[0].detail, "terminate");
  poll_times(20);
  EXPECT_EQ(notices_.size(), 1U) << "and stays one notice";
}

TEST_F(SpotDocumentTest, TheClockIsHeardOfBeforeTheNoticeOfTheSameAnswer) {
  date_ = "Fri, 15 Jan 2049 08:00:00 GMT";
  say("no", 500);
  poll_times(5);
  EXPECT_FALSE(behind_before_notice_) << "the Date of a failure has no say";
  say(R"({"action":"stop","time":"2049-01-15T08:02:00Z"})", 200);
  run_until([&] { return !notices_.empty(); });
  ASSERT_TRUE(behind_before_notice_);
  EXPECT_GT(*behind_before_notice_, std::chrono::hours(24));
}

TEST_F(SpotDocumentTest, WeatherIsCountedAndSurvived) {
  say("no", 500);
  poll_times(3);
  say("{garbage", 200);
  poll_times(2);
  say(R"({"action":"stop","time":"2027-01-15T08:02:00Z"})", 200);
  run_until([&] { return !notices_.empty(); });
  EXPECT_GE(failures_.size(), 4U);
  EXPECT_GE(recovered_after_, 4);
  EXPECT_EQ(notices_[0].detail, "stop");
}

TEST_F(SpotDocumentTest, AHibernationIsOverWhenItIsNotAnnouncedAnyMore) {
  say(R"({"action":"hibernate","time":"2099-01-15T08:02:00Z"})");
  run_until([&] { return !notices_.empty(); });
  EXPECT_LT(notices_[0].deadline, clock_.now()) << "it begins at once, whatever time it names";
  poll_times(3);
  EXPECT_EQ(notices_.size(), 1U);
  say_nothing();
  run_until([&] { return !over_.empty(); });
  EXPECT_EQ(over_[0], notices_[0].id.value);
}

// An instance that EC2 failed to end keeps announcing the time that is past.
TEST_F(SpotDocumentTest, ATimeThatIsPastIsANotice) {
  say(R"({"action":"terminate","time":"2020-01-15T08:02:00Z"})");
  run_until([&] { return !notices_.empty(); });
  EXPECT_EQ(format_time_s(notices_[0].deadline), "2020-01-15T08:02:00Z");
}

}  // namespace
}  // namespace spotkeeper::sources
