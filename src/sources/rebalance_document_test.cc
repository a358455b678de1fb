// SPDX-License-Identifier: Apache-2.0
#include "sources/rebalance_document.h"

#include <gmock/gmock.h>

#include <memory>

#include "sources/imds_fixture.h"

namespace spotkeeper::sources {
namespace {

class RebalanceDocumentTest : public ImdsFixture {
 protected:
  void begin(Seconds trust) { poll(std::make_unique<RebalanceDocument>(clock_, trust, hear())); }

  // The recommendation that was given so long from now.
  Time recommend(Seconds from_now) {
    const Time time = std::chrono::floor<Seconds>(clock_.now() + from_now);
    say(R"({"noticeTime": ")" + format_time_s(time) + R"("})");
    return time;
  }
};

TEST_F(RebalanceDocumentTest, ARecommendationIsToldOnceAndBelievedForAnHour) {
  begin(Seconds(3600));
  poll_times(2);
  EXPECT_TRUE(notices_.empty());
  const Time named = recommend(Seconds(0));
  poll_times(4);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_EQ(notices_[0].kind, core::NoticeKind::kRebalanceRecommendation);
  EXPECT_EQ(notices_[0].deadline, named + Seconds(3600));
  EXPECT_FALSE(core::is_hard(notices_[0]));
  recommend(Seconds(-5));
  poll_times(4);
  EXPECT_EQ(notices_.size(), 2U) << "another one";
  EXPECT_NE(notices_[0].id, notices_[1].id);
}

TEST_F(RebalanceDocumentTest, TheHourBeginsWhenItWasGiven) {
  begin(Seconds(3600));
  struct Row {
    int given;  // seconds from now
    std::optional<Seconds> left;
  };
  for (const Row& row : {Row{-60, Seconds(3540)}, Row{-3590, Seconds(10)}, Row{-3601, std::nullopt},
                         Row{-86'400, std::nullopt}, Row{600, Seconds(3600)}}) {
    notices_.clear();
    recommend(Seconds(row.given));
    poll_times(3);
    ASSERT_EQ(!notices_.empty(), row.left.has_value()) << row.given;
    if (!row.left) continue;
    const Seconds off =
        std::chrono::round<Seconds>(notices_[0].deadline - notices_[0].received) - *row.left;
    EXPECT_LE(std::chrono::abs(off), Seconds(1)) << row.given;
  }
}

TEST_F(RebalanceDocumentTest, WhatIsNoRecommendationIsCountedAndPolledOn) {
  begin(Seconds(3600));
  say("<html>");
  poll_times(2);
  recommend(Seconds(0));
  run_until([&] { return !notices_.empty(); });
  EXPECT_GE(counters_.value("imds_polls", {{"outcome", "permanent"}}), 1);
}

TEST_F(RebalanceDocumentTest, TrustedForGoodItHasNoEnd) {
  begin(Seconds(0));
  recommend(Seconds(-86'400));
  run_until([&] { return !notices_.empty(); });
  EXPECT_EQ(notices_[0].deadline, kNever);
}

TEST_F(RebalanceDocumentTest, ItsIdIsNthsAndFitForATaint) {
  begin(Seconds(0));
  say(R"({"noticeTime":"2020-10-26T15:55:55Z"})");
  run_until([&] { return !notices_.empty(); });
  // printf '&{2020-10-26T15:55:55Z}' | sha256sum
  EXPECT_TRUE(notices_[0].id.value.starts_with("rebalance-recommendation-76ee3f4569a56908"))
      << notices_[0].id.value;
}

TEST(Rebalance, TheDocumentMustNameATime) {
  const auto said = parse_rebalance(R"({"noticeTime":"2026-11-21T10:00:00Z"})");
  ASSERT_TRUE(said);
  EXPECT_EQ(said->text, "2026-11-21T10:00:00Z");
  EXPECT_EQ(format_time_s(said->time), "2026-11-21T10:00:00Z");
  for (const char* wrong : {"", "{}", "[]", R"({"noticeTime":"soon"})", R"({"noticeTime":7})"}) {
    EXPECT_FALSE(parse_rebalance(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace spotkeeper::sources
