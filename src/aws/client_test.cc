// SPDX-License-Identifier: Apache-2.0
#include "aws/client.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "aws/aws_fixture.h"
#include "aws/signature.h"
#include "base/json.h"

namespace spotkeeper::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Answers the next of its credentials once those before were refused.
struct Keys final : CredentialSource {
  Task<Result<Credentials>> get() override {
    ++gets;
    if (failure) co_return std::unexpected(*failure);
    co_return sessions.at(at);
  }
  void refused(const Credentials& used) override {
    EXPECT_EQ(used, sessions.at(at));
    ++refusals;
    if (at + 1 < sessions.size()) ++at;
  }
  std::vector<Credentials> sessions;
  size_t at = 0;
  int gets = 0;
  int refusals = 0;
  std::optional<Error> failure = {};
};

class ClientTest : public AwsFixture {
 protected:
  void SetUp() override {
    AwsFixture::SetUp();
    keys_.sessions = {session("1"), session("2")};
  }
  Client& client() {
    if (!made_) {
      made_ = std::make_unique<Client>(client_, keys_, clock_, options_);
      made_->on_answer = [this](const Service&, const std::string&, int status) {
        statuses_.push_back(status);
      };
    }
    return *made_;
  }
  static Call list_tasks() {
    return {.service = &kEcs,
            .action = "ListTasks",
            .body = {{"cluster", "prod"}},
            .object = "cluster/prod"};
  }
  Result<boost::json::value> list() { return run(client().json(list_tasks())); }
  Error error() {
    const auto result = list();
    EXPECT_FALSE(result.has_value());
    return result ? Error() : result.error();
  }
  // Whether a request's signature is that of these credentials, at this time.
  bool signed_by(size_t request, const Credentials& keys, Time now, const Service& service) {
    const http::ServerRequest& seen = seen_.at(request);
    http::Headers signed_headers;
    for (const char* name : {"Host", "Content-Type", "X-Amz-Target", "x-amzn-query-mode"}) {
      if (!header(request, name).empty()) {
        signed_headers.push_back({.name = name, .value = header(request, name)});
      }
    }
    const Signable signable{.headers = signed_headers, .body = seen.body};
    const SigningScope scope{.now = now, .region = "eu-west-1", .service = service.signing};
    return sign(signable, keys, scope).authorization == header(request, "Authorization");
  }

  Keys keys_;
  std::unique_ptr<Client> made_;
  std::vector<int> statuses_;
};

TEST_F(ClientTest, JsonCall) {
  reply(R"({"taskArns":["a"]})");
  const auto answer = list();
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(find_array(*answer, {"taskArns"})->size(), 1u);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].method, "POST");
  EXPECT_EQ(header(0, "Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(header(0, "X-Amz-Target"), "AmazonEC2ContainerServiceV20141113.ListTasks");
  EXPECT_EQ(seen_[0].body, R"({"cluster":"prod"})");
  EXPECT_EQ(header(0, "X-Amz-Security-Token"), "token-1");
  EXPECT_TRUE(signed_by(0, session("1"), kTestNow, kEcs));
  EXPECT_THAT(statuses_, ElementsAre(200));
}

TEST_F(ClientTest, QueryCall) {
  reply(
      "<DescribeThingsResponse><DescribeThingsResult><A>1</A></DescribeThingsResult>"
      "</DescribeThingsResponse>");
  Call call{.service = &kElb, .action = "DescribeThings", .form = {{"Names.member.1", "a b&c"}}};
  const auto answer = run(client().query(std::move(call)));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ((*answer)["A"].text, "1");
  EXPECT_EQ(seen_[0].body, "Action=DescribeThings&Version=2015-12-01&Names.member.1=a%20b%26c");
  EXPECT_THAT(header(0, "Content-Type"), StartsWith("application/x-www-form-urlencoded"));
  EXPECT_TRUE(signed_by(0, session("1"), kTestNow, kElb));
}

TEST_F(ClientTest, ServiceThatSpokeQueryOnce) {
  reply("{}");
  Call call{.service = &kSqs, .action = "GetQueueUrl", .body = {{"QueueName", "q"}}};
  ASSERT_TRUE(run(client().json(std::move(call))).has_value());
  EXPECT_EQ(header(0, "Content-Type"), "application/x-amz-json-1.0");
  EXPECT_EQ(header(0, "X-Amz-Target"), "AmazonSQS.GetQueueUrl");
  EXPECT_EQ(header(0, "x-amzn-query-mode"), "true");
  EXPECT_TRUE(signed_by(0, session("1"), kTestNow, kSqs));
}

TEST_F(ClientTest, Ec2AnswersWithoutAResult) {
  reply("<DoResponse><A>1</A></DoResponse>");
  Call call{.service = &kEc2, .action = "Do", .form = {{"B", "2"}}};
  const auto answer = run(client().query(std::move(call)));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ((*answer)["A"].text, "1");
  EXPECT_EQ(seen_[0].body, "Action=Do&Version=2016-11-15&B=2");
  EXPECT_TRUE(signed_by(0, session("1"), kTestNow, kEc2));
}

TEST_F(ClientTest, ARetryThatWouldNotHaveItsTimeIsNotBegun) {
  reply("upstream", 503);
  Call call = list_tasks();
  call.at_most = Millis(5'000);
  call.attempt_time = Millis(5'000);
  EXPECT_FALSE(run(client().json(std::move(call))).has_value());
  EXPECT_THAT(statuses_, ElementsAre(503));
}

TEST_F(ClientTest, UnsignedCallNeedsNoCredentials) {
  reply("<DoResponse/>");
  Call call{.service = &kSts, .action = "Do", .is_signed = false};
  ASSERT_TRUE(run(client().query(std::move(call))).has_value());
  EXPECT_EQ(header(0, "Authorization"), "");
  EXPECT_EQ(keys_.gets, 0);
}

TEST_F(ClientTest, ThrottlingIsTriedAgain) {
  reply(R"({"__type":"ThrottlingException","message":"Rate exceeded"})", 400);
  reply("upstream", 503);
  reply("{}");
  EXPECT_TRUE(list().has_value());
  EXPECT_THAT(statuses_, ElementsAre(400, 503, 200));
}

TEST_F(ClientTest, TriesEnd) {
  reply(R"({"__type":"ServerException","message":"Oops"})", 500, {{"x-amzn-RequestId", "r-9"}});
  const Error failure = error();
  EXPECT_EQ(failure.message, "ecs ListTasks cluster/prod: ServerException: Oops (request r-9)");
  EXPECT_EQ(failure.kind, ErrorKind::kRetryable);
  EXPECT_EQ(seen_.size(), 3u);
}

TEST_F(ClientTest, RefusalIsFinal) {
  reply(R"({"__type":"AccessDeniedException","Message":"User x may not"})", 400);
  const Error failure = error();
  EXPECT_EQ(failure.kind, ErrorKind::kDenied);
  EXPECT_EQ(failure.reason, "AccessDeniedException");
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(ClientTest, PauseThatIsAskedForIsWaited) {
  reply(R"({"__type":"ThrottlingException"})", 400, {{"x-amz-retry-after", "120"}});
  reply("{}");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(list().has_value());
  EXPECT_GE(std::chrono::steady_clock::now() - before, Millis(120));
}

TEST_F(ClientTest, PauseThatDoesNotFitEndsTheCall) {
  reply(R"({"__type":"ThrottlingException","message":"later"})", 400, {{"Retry-After", "15"}});
  Call call = list_tasks();
  call.at_most = Seconds(5);
  const auto before = std::chrono::steady_clock::now();
  const auto answer = run(client().json(std::move(call)));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().retry_after_s, 15);
  EXPECT_LT(std::chrono::steady_clock::now() - before, Seconds(4));
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(ClientTest, BudgetOfRetriesEnds) {
  reply("", 503);
  for (int calls = 0; calls < 40; ++calls) error();
  // 500 tokens are 35 retries at 14; the other calls have one try.
  EXPECT_EQ(seen_.size(), 40u + 35u);
}

TEST_F(ClientTest, ClockIsLearntFromTheRefusal) {
  reply(R"({"__type":"InvalidSignatureException","message":"Signature expired"})", 400,
        {{"Date", "Sat, 21 Nov 2026 10:20:00 GMT"}});
  reply("{}");
  EXPECT_TRUE(list().has_value());
  EXPECT_EQ(made_->clock_behind(), std::chrono::minutes(20));
  EXPECT_TRUE(signed_by(1, session("1"), kTestNow + std::chrono::minutes(20), kEcs));
  EXPECT_TRUE(list().has_value());  // and stays learnt
  EXPECT_TRUE(signed_by(2, session("1"), kTestNow + std::chrono::minutes(20), kEcs));
}

TEST_F(ClientTest, AWSsTimeIsToldOfGoodAnswersOnly) {
  std::vector<ServerTime> told;
  client().on_time = [&](const ServerTime& time) { told.push_back(time); };
  reply(R"({"__type":"InvalidSignatureException","message":"Signature expired"})", 400,
        {{"Date", "Sat, 21 Nov 2026 10:20:00 GMT"}});
  reply("{}", 200, {{"Date", "Sat, 21 Nov 2026 10:20:01 GMT"}});
  reply("{}");
  EXPECT_TRUE(list().has_value());
  EXPECT_TRUE(list().has_value());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].date, kTestNow + Seconds(1'201));
  EXPECT_EQ(told[0].sent, kTestNow);
  EXPECT_EQ(told[0].received, kTestNow);
}

TEST_F(ClientTest, WhatWasLearntIsForgottenWhenTheClockIsSet) {
  reply(R"({"__type":"InvalidSignatureException","message":"Signature expired"})", 400,
        {{"Date", "Sat, 21 Nov 2026 10:20:00 GMT"}});
  reply("{}", 200, {{"Date", "Sat, 21 Nov 2026 10:20:00 GMT"}});
  client().on_time = [&](const ServerTime& time) {
    clock_.advance(time.date - clock_.now());
    made_->clock_corrected();
  };
  EXPECT_TRUE(list().has_value());
  made_->on_time = {};
  EXPECT_EQ(made_->clock_behind(), Millis(0));
  EXPECT_TRUE(list().has_value());
  EXPECT_TRUE(signed_by(2, session("1"), kTestNow + std::chrono::minutes(20), kEcs));
}

TEST_F(ClientTest, BadSignatureAtTheRightTimeIsFinal) {
  reply(R"({"__type":"InvalidSignatureException","message":"No match\n\ntoken-1 secret-1"})", 400,
        {{"Date", "Sat, 21 Nov 2026 10:00:01 GMT"}});
  const Error failure = error();
  EXPECT_EQ(failure.kind, ErrorKind::kDenied);
  EXPECT_EQ(seen_.size(), 1u);
  EXPECT_THAT(failure.message, Not(HasSubstr("token-1")));
  EXPECT_THAT(failure.message, Not(HasSubstr("secret-1")));
}

TEST_F(ClientTest, ClockIsLearntOnce) {
  reply(R"({"__type":"RequestTimeTooSkewed"})", 403, {{"Date", "Sat, 21 Nov 2026 11:00:00 GMT"}});
  reply(R"({"__type":"RequestTimeTooSkewed"})", 403, {{"Date", "Sat, 21 Nov 2026 12:00:00 GMT"}});
  EXPECT_EQ(error().reason, "RequestTimeTooSkewed");
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(ClientTest, ExpiredCredentialsAreHadAnewOnce) {
  reply(R"({"__type":"ExpiredTokenException","message":"expired"})", 400);
  reply("{}");
  EXPECT_TRUE(list().has_value());
  EXPECT_EQ(keys_.refusals, 1);
  EXPECT_EQ(header(1, "X-Amz-Security-Token"), "token-2");
}

TEST_F(ClientTest, ExpiredTwiceIsAnError) {
  reply(R"({"__type":"ExpiredTokenException","message":"expired"})", 400);
  EXPECT_EQ(error().reason, "ExpiredTokenException");
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(ClientTest, TheSameCredentialsAreNotTriedAgain) {
  keys_.sessions = {session("1")};
  reply(R"({"__type":"UnrecognizedClientException","message":"who?"})", 400);
  EXPECT_EQ(error().reason, "UnrecognizedClientException");
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(ClientTest, WithoutCredentialsNothingIsSent) {
  keys_.failure = Error{.kind = ErrorKind::kDenied, .message = "no role"};
  const Error failure = error();
  EXPECT_EQ(failure.message, "ecs ListTasks cluster/prod: credentials: no role");
  EXPECT_EQ(failure.kind, ErrorKind::kDenied);
  EXPECT_TRUE(seen_.empty());
}

TEST_F(ClientTest, NetworkIsTriedAgainUnlessTheCallMayNotBeRepeated) {
  options_.endpoints.url = "http://127.0.0.1:1";
  EXPECT_EQ(error().kind, ErrorKind::kRetryable);
  EXPECT_THAT(statuses_, ElementsAre(0, 0, 0));
  Call call = list_tasks();
  call.repeatable = false;
  EXPECT_FALSE(run(client().json(std::move(call))).has_value());
  EXPECT_EQ(statuses_.size(), 4u);
}

TEST_F(ClientTest, AnswerThatIsNoneOfAws) {
  reply("<html>Welcome to the hotel</html>");
  EXPECT_EQ(error().message, "ecs ListTasks cluster/prod: the answer is no JSON object");
}

TEST_F(ClientTest, AnswerHasItsLimit) {
  reply("{\"a\":\"" + std::string(5'000, 'x') + "\"}");
  Call call = list_tasks();
  call.max_body = 1'000;
  const auto answer = run(client().json(std::move(call)));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, ErrorKind::kPermanent);
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(ClientTest, TimeOfACallIsKept) {
  reply("", 503);
  options_.first_pause = Seconds(30);
  options_.longest_pause = Seconds(30);
  options_.tries = 100;
  Call call = list_tasks();
  call.at_most = Millis(200);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(run(client().json(std::move(call))).has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - before, Seconds(5));
}

}  // namespace
}  // namespace spotkeeper::aws
