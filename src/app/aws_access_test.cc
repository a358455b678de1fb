// SPDX-License-Identifier: Apache-2.0
// Credentials of the instance's role while nobody uses them: hours in seconds, against an IMDS of
// our own.
#include "app/aws_access.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <vector>

#include "async/timing.h"
#include "aws/ecs.h"
#include "http/server_fixture.h"

namespace spotkeeper::app {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

constexpr double kSpeed = 1200;  // an hour in three seconds
constexpr Time kStart = Time(Seconds(1'795'255'200));

// As fast as waits are.
class FastClock final : public Clock {
 public:
  Time now() const override {
    const std::chrono::duration<double, std::milli> since = Steady::now() - began_;
    return kStart + Millis(static_cast<int64_t>(since.count() * kSpeed));
  }

 private:
  using Steady = std::chrono::steady_clock;
  Steady::time_point began_ = Steady::now();
};

class AwsAccessTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_EC2_METADATA_DISABLED"}) {
      unsetenv(name);
    }
    serve(&AwsAccessTest::answer);
    setenv("AWS_ENDPOINT_URL", url().c_str(), 1);
    scale_time(kSpeed);
    AwsAccess::Way way{.metadata_url = url(),
                       .warn = [this](const std::string& text) { warnings_.push_back(text); }};
    auto access = AwsAccess::make(tasks_, clock_, "eu-west-1", std::move(way));
    ASSERT_TRUE(access) << access.error().message;
    access_ = std::move(*access);
    tasks_.spawn("keep fresh", access_->keep_fresh());
  }
  void TearDown() override {
    LoopFixture::TearDown();
    scale_time(1);
    unsetenv("AWS_ENDPOINT_URL");
  }

  static Task<http::ServerResponse> answer(AwsAccessTest* test, http::ServerRequest request) {
    http::ServerResponse response;
    if (request.method == "POST") {  // ECS
      const std::string* by = http::find_header(request.headers, "Authorization");
      test->signed_by_.push_back(by == nullptr ? "" : *by);
      response.content_type = "application/x-amz-json-1.1";
      response.body = R"({"taskArns":[]})";
    } else if (request.path.ends_with("/api/token")) {
      response.body = "token";
    } else if (test->fails_) {
      ++test->failures_;
      response.status = 500;
    } else if (request.path.ends_with("/security-credentials/")) {
      response.body = "role";
    } else {
      test->expires_.push_back(test->clock_.now() + hours(1));
      test->had_at_.push_back(test->clock_.now());
      response.body = R"({"Code":"Success","SecretAccessKey":"s","Token":"t","AccessKeyId":"AKID)" +
                      std::to_string(test->had_at_.size()) + R"(","Expiration":")" +
                      format_time_s(test->expires_.back()) + R"("})";
    }
    co_return response;
  }

  void wait_until(Time moment) {
    bool over = false;
    tasks_.spawn("wait", wait(&clock_, moment, &over));
    run_until([&] { return over; });
  }
  static Task<> wait(const Clock* clock, Time moment, bool* over) {
    while (clock->now() < moment) co_await sleep_for(std::max(moment - clock->now(), Millis(1)));
    *over = true;
  }

  // A call, as of a drain: by whose key it is signed; empty: it failed.
  std::string call() {
    aws::TaskQuery query{
        .cluster = "prod", .container_instance = "", .service = "", .desired_status = ""};
    const auto listed = run(aws::list_tasks(access_->client(), std::move(query)));
    return listed ? signed_by_.back() : std::string();
  }

  FastClock clock_;
  std::unique_ptr<AwsAccess> access_;
  std::vector<Time> had_at_;   // credentials
  std::vector<Time> expires_;  // likewise
  std::vector<std::string> signed_by_;
  std::vector<std::string> warnings_;
  bool fails_ = false;
  int failures_ = 0;
};

TEST_F(AwsAccessTest, CredentialsThatNobodyUsesAreRenewedAheadOfTheirEnd) {
  wait_until(kStart + hours(2));
  EXPECT_THAT(access_->credentials_from(), HasSubstr("instance"));
  ASSERT_GE(had_at_.size(), 3U);
  EXPECT_LE(had_at_[0], kStart + minutes(20)) << "there before they are needed";
  for (size_t i = 1; i < had_at_.size(); ++i) {
    EXPECT_GE(had_at_[i] - had_at_[i - 1], minutes(40)) << i << ": not sooner than need be";
    EXPECT_LT(had_at_[i], expires_[i - 1]) << i;
  }
  const size_t had = had_at_.size();
  EXPECT_THAT(call(), HasSubstr("Credential=AKID" + std::to_string(had)));
  EXPECT_THAT(warnings_, SizeIs(0));
}

TEST_F(AwsAccessTest, WhileMetadataIsSilentExpiredOnesServeAndThenThereAreOthers) {
  run_until([&] { return had_at_.size() == 1; });
  fails_ = true;
  wait_until(expires_[0] + minutes(10));
  EXPECT_GT(failures_, 0) << "renewal was tried";
  EXPECT_THAT(call(), HasSubstr("Credential=AKID1")) << "static stability";
  EXPECT_THAT(warnings_, Contains(HasSubstr("could not be renewed")));
  EXPECT_THAT(warnings_, Contains(HasSubstr("and go on being used")));
  EXPECT_THAT(warnings_, SizeIs(2)) << "each once";
  fails_ = false;
  run_until([&] { return had_at_.size() == 2; });
  wait_until(clock_.now() + minutes(5));
  EXPECT_THAT(call(), HasSubstr("Credential=AKID2"));
}

}  // namespace
}  // namespace spotkeeper::app
