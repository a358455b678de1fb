// SPDX-License-Identifier: Apache-2.0
#include "sources/rebalance_poller.h"

#include <gmock/gmock.h>

#include <memory>

#include "http/http_fixture.h"
#include "http/server.h"

namespace spotkeeper::sources {
namespace {

class RebalancePollerTest : public http::HttpFixture {
 protected:
  void SetUp() override {
    auto server = http::Server::listen(
        executor(), {.address = "127.0.0.1", .stop_grace = Millis(0)},
        [this](http::ServerRequest request) { return answer(this, std::move(request)); });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    tasks_.spawn("imds", server_->run());
    aws::ImdsOptions options;
    options.base_url = "http://127.0.0.1:" + std::to_string(server_->port());
    options.tries = 1;
    imds_ = std::make_unique<aws::ImdsClient>(client_, options, clock_);
    poller_ = std::make_unique<RebalancePoller>(
        *imds_, clock_, counters_, RebalancePoller::Options{.period = Millis(5)},
        [this](core::Notice notice) { notices_.push_back(std::move(notice)); });
    tasks_.spawn("poller", poller_->run());
  }

  static Task<http::ServerResponse> answer(RebalancePollerTest* test, http::ServerRequest request) {
    http::ServerResponse response;
    if (request.method == "PUT") {
      response.body = "token";
      response.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", "21600"});
      co_return response;
    }
    ++test->polls_;
    response.status = test->body_.empty() ? 404 : 200;
    response.body = test->body_;
    co_return response;
  }

  void poll(int times) {
    const int until = polls_ + times;
    run_until([&] { return polls_ >= until; });
  }

  // The recommendation that was given so long from now.
  Time recommend(Seconds from_now) {
    const Time time = std::chrono::floor<Seconds>(clock_.now() + from_now);
    body_ = R"({"noticeTime": ")" + format_time_s(time) + R"("})";
    return time;
  }

  SteadyClock clock_;
  Counters counters_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<aws::ImdsClient> imds_;
  std::unique_ptr<RebalancePoller> poller_;
  std::string body_;
  int polls_ = 0;
  std::vector<core::Notice> notices_;
};

TEST_F(RebalancePollerTest, ARecommendationIsToldOnceAndBelievedForAnHour) {
  poll(2);
  EXPECT_TRUE(notices_.empty());
  const Time named = recommend(Seconds(0));
  poll(4);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_EQ(notices_[0].kind, core::NoticeKind::kRebalanceRecommendation);
  EXPECT_EQ(notices_[0].deadline, named + Seconds(3600));
  EXPECT_FALSE(core::is_hard(notices_[0]));
  recommend(Seconds(-5));
  poll(4);
  EXPECT_EQ(notices_.size(), 2U) << "another one";
  EXPECT_NE(notices_[0].id, notices_[1].id);
}

TEST_F(RebalancePollerTest, TheHourBeginsWhenItWasGiven) {
  struct Row {
    int given;  // seconds from now
    std::optional<Seconds> left;
  };
  for (const Row& row : {Row{-60, Seconds(3540)}, Row{-3590, Seconds(10)}, Row{-3601, std::nullopt},
                         Row{-86'400, std::nullopt}, Row{600, Seconds(3600)}}) {
    notices_.clear();
    recommend(Seconds(row.given));
    poll(3);
    ASSERT_EQ(!notices_.empty(), row.left.has_value()) << row.given;
    if (!row.left) continue;
    const Seconds off =
        std::chrono::round<Seconds>(notices_[0].deadline - notices_[0].received) - *row.left;
    EXPECT_LE(std::chrono::abs(off), Seconds(1)) << row.given;
  }
}

TEST_F(RebalancePollerTest, WhatIsNoRecommendationIsCountedAndPolledOn) {
  body_ = "<html>";
  poll(2);
  recommend(Seconds(0));
  run_until([&] { return !notices_.empty(); });
  EXPECT_GE(counters_.value("imds_polls", {{"outcome", "permanent"}}), 1);
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
