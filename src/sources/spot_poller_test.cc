// SPDX-License-Identifier: Apache-2.0
#include "sources/spot_poller.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>

#include "http/http_fixture.h"
#include "http/server.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kAction = "/latest/meta-data/spot/instance-action";
constexpr const char* kLegacy = "/latest/meta-data/spot/termination-time";

class SpotPollerTest : public http::HttpFixture {
 protected:
  struct Page {
    int status = 404;
    std::string body;
  };

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
    poller_ = std::make_unique<SpotPoller>(
        *imds_, clock_, counters_, SpotPoller::Options{.period = Millis(5)},
        SpotPoller::Hooks{
            .notice = [this](core::Notice notice) { notices_.push_back(std::move(notice)); },
            .clock =
                [this](Millis behind) {
                  if (notices_.empty()) behind_before_notice_ = behind;
                },
            .failure = [this](const Error& error, int) { failures_.push_back(error.message); },
            .recovery = [this](int failures) { recovered_after_ = failures; }});
    tasks_.spawn("poller", poller_->run());
  }

  static Task<http::ServerResponse> answer(SpotPollerTest* test, http::ServerRequest request) {
    http::ServerResponse response;
    if (request.method == "PUT") {
      response.body = "token";
      response.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", "21600"});
      co_return response;
    }
    ++test->asked_[request.path];
    const Page& page = test->pages_[request.path];
    response.status = page.status;
    response.body = page.body;
    if (!test->date_.empty()) response.headers.push_back({"Date", test->date_});
    co_return response;
  }

  void poll_times(int times) {
    const int until = asked_[kAction] + times;
    run_until([&] { return asked_[kAction] >= until; });
  }

  SteadyClock clock_;
  Counters counters_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<aws::ImdsClient> imds_;
  std::unique_ptr<SpotPoller> poller_;
  std::map<std::string, Page> pages_;
  std::map<std::string, int> asked_;
  std::vector<core::Notice> notices_;
  std::vector<std::string> failures_;
  int recovered_after_ = 0;
  std::string date_;  // header of every answer but those with tokens; empty: none
  std::optional<Millis> behind_before_notice_;
};

TEST_F(SpotPollerTest, NothingThereIsQuiet) {
  poll_times(20);
  EXPECT_TRUE(notices_.empty());
  EXPECT_TRUE(failures_.empty());
  EXPECT_GE(counters_.value("imds_polls", {{"outcome", "quiet"}}), 19);
  EXPECT_GE(asked_[kLegacy], 3);
  EXPECT_LE(asked_[kLegacy], 5) << "the older path is asked at every fifth poll";
}

TEST_F(SpotPollerTest, ANoticeIsHeardOnce) {
  poll_times(2);
  pages_[kAction] = {200, R"({"action":"terminate","time":"2027-01-15T08:02:00Z"})"};
  run_until([&] { return !notices_.empty(); });
  poll_times(5);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_EQ(format_time_s(notices_[0].deadline), "2027-01-15T08:02:00Z");
}

TEST_F(SpotPollerTest, TheOlderPathIsAFallback) {
  pages_[kLegacy] = {200, "2027-01-15T08:02:00Z\n"};
  run_until([&] { return !notices_.empty(); });
  EXPECT_EQ(notices_[0].detail, "terminate");
  poll_times(20);
  EXPECT_EQ(notices_.size(), 1U) << "and stays one notice";
}

TEST_F(SpotPollerTest, TheClockIsHeardOfBeforeTheNoticeOfTheSameAnswer) {
  date_ = "Fri, 15 Jan 2049 08:00:00 GMT";
  pages_[kAction] = {500, "no"};
  poll_times(5);
  EXPECT_FALSE(behind_before_notice_) << "the Date of a failure has no say";
  pages_[kAction] = {200, R"({"action":"stop","time":"2049-01-15T08:02:00Z"})"};
  run_until([&] { return !notices_.empty(); });
  ASSERT_TRUE(behind_before_notice_);
  EXPECT_GT(*behind_before_notice_, std::chrono::hours(24));
}

TEST_F(SpotPollerTest, WeatherIsCountedAndSurvived) {
  pages_[kAction] = {500, "no"};
  poll_times(3);
  pages_[kAction] = {200, "{garbage"};
  poll_times(2);
  pages_[kAction] = {200, R"({"action":"stop","time":"2027-01-15T08:02:00Z"})"};
  run_until([&] { return !notices_.empty(); });
  EXPECT_GE(failures_.size(), 4U);
  EXPECT_GE(recovered_after_, 4);
  EXPECT_EQ(notices_[0].detail, "stop");
}

}  // namespace
}  // namespace spotkeeper::sources
