// SPDX-License-Identifier: Apache-2.0
#include "aws/sqs.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "aws/aws_fixture.h"
#include "base/json.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kQueue = "https://sqs.eu-west-1.amazonaws.com/123456789012/notices";

// As the API reference answers ReceiveMessage in the JSON protocol.
constexpr const char* kReceived = R"({"Messages":[{
  "Attributes":{"SenderId":"AIDASSYFHUBOBT7F4XT75","ApproximateFirstReceiveTimestamp":"1677112433437",
    "ApproximateReceiveCount":"2","SentTimestamp":"1677112427387"},
  "Body":"{\"version\":\"0\"}","MD5OfBody":"fafb00f5732ab283681e124bf8747ed1",
  "MessageId":"219f8380-5770-4cc2-8c3e-5c715e145f5e","ReceiptHandle":"AQEBaZ+j5qUoOAoxlmrCQPkBm9nj"},
  {"MessageId":"2","ReceiptHandle":"r2","Body":"x"}]})";

class SqsTest : public AwsFixture {
 protected:
  Client& client() {
    if (!made_) made_ = std::make_unique<Client>(client_, keys_, clock_, options_);
    return *made_;
  }
  Result<std::vector<SqsMessage>> receive(Seconds wait = Seconds(20)) {
    SqsReceive what{.queue_url = kQueue, .wait = wait};
    return run(receive_messages(client(), std::move(what)));
  }
  json::value asked(size_t request) { return json::parse(seen_.at(request).body); }

  FixedCredentials keys_{session("1")};
  std::unique_ptr<Client> made_;
};

TEST_F(SqsTest, ReceivesMessages) {
  reply(kReceived);
  const auto messages = receive();
  ASSERT_TRUE(messages.has_value()) << messages.error().message;
  ASSERT_EQ(messages->size(), 2u);
  EXPECT_EQ(messages->at(0).id, "219f8380-5770-4cc2-8c3e-5c715e145f5e");
  EXPECT_EQ(messages->at(0).receipt, "AQEBaZ+j5qUoOAoxlmrCQPkBm9nj");
  EXPECT_EQ(messages->at(0).body, R"({"version":"0"})");
  EXPECT_EQ(messages->at(0).sent, Time(Millis(1'677'112'427'387)));
  EXPECT_EQ(messages->at(0).receives, 2);
  EXPECT_EQ(messages->at(1).sent, Time());
  EXPECT_EQ(messages->at(1).receives, 0);
  EXPECT_EQ(header(0, "X-Amz-Target"), "AmazonSQS.ReceiveMessage");
  EXPECT_EQ(seen_[0].body,
            R"({"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/notices",)"
            R"("MaxNumberOfMessages":10,"WaitTimeSeconds":20,"VisibilityTimeout":20,)"
            R"("AttributeNames":["SentTimestamp","ApproximateReceiveCount"]})");
}

TEST_F(SqsTest, NoMessagesIsNoError) {
  for (const char* body : {"{}", "", R"({"Messages":[]})", R"({"Messages":null})"}) {
    reply(body);
    const auto messages = receive();
    ASSERT_TRUE(messages.has_value()) << body << ": " << messages.error().message;
    EXPECT_THAT(*messages, IsEmpty());
  }
}

TEST_F(SqsTest, NumbersThatAreNone) {
  for (const char* number : {"-1", "soon", "99999999999999999999", ""}) {
    const auto messages = decode_messages(
        json::parse(R"({"Messages":[{"ReceiptHandle":"r","Attributes":{"SentTimestamp":")" +
                    std::string(number) + R"(","ApproximateReceiveCount":")" + number + "\"}}]}"));
    ASSERT_TRUE(messages.has_value());
    EXPECT_EQ(messages->at(0).sent, Time()) << number;
    EXPECT_EQ(messages->at(0).receives, 0) << number;
  }
}

TEST_F(SqsTest, AMessageWithoutAReceiptIsAnError) {
  reply(R"({"Messages":[{"MessageId":"1","Body":"b"}]})");
  const auto messages = receive();
  ASSERT_FALSE(messages.has_value());
  EXPECT_THAT(messages.error().message, HasSubstr("message without ReceiptHandle"));
}

// A try takes longer than those of other calls may.
TEST_F(SqsTest, ALongPollHasItsOwnTime) {
  options_.attempt_timeout = Millis(1);
  reply(kReceived);
  EXPECT_TRUE(receive().has_value());
}

TEST_F(SqsTest, WhatIsRefusedAtOnceIsTriedAgain) {
  reply("upstream", 503);
  reply(R"({"__type":"com.amazonaws.sqs#RequestThrottled","message":"Slow"})", 400);
  reply(kReceived);
  EXPECT_TRUE(receive().has_value());
  EXPECT_EQ(seen_.size(), 3u);
}

TEST_F(SqsTest, AnAnswerThatIsTooLargeIsAskedForMessageByMessage) {
  const std::string large(size_t{1} << 20, 'x');
  std::string body = R"({"Messages":[{"ReceiptHandle":"r","Body":")" + large + "\"}";
  const std::string one = body + "]}";
  for (int i = 0; i < 6; ++i) body += R"(,{"ReceiptHandle":"r","Body":")" + large + "\"}";
  reply(body + "]}");
  reply(one);
  const auto messages = receive();
  ASSERT_TRUE(messages.has_value()) << messages.error().message;
  ASSERT_EQ(messages->size(), 1u);
  EXPECT_EQ(messages->at(0).body, large);
  EXPECT_EQ(number_at(asked(0), {"MaxNumberOfMessages"}), 10);
  EXPECT_EQ(number_at(asked(1), {"MaxNumberOfMessages"}), 1);
}

struct Refused {
  const char* body;
  const char* query_error;  // the header x-amzn-query-error
  int status;
  ErrorKind kind;
  const char* reason;
};

TEST_F(SqsTest, Refusals) {
  const Refused rows[] = {
      {.body = R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"No such queue."})",
       .query_error = "AWS.SimpleQueueService.NonExistentQueue;Sender",
       .status = 400,
       .kind = ErrorKind::kGone,
       .reason = "AWS.SimpleQueueService.NonExistentQueue"},
      {.body = R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"No such queue."})",
       .query_error = "",
       .status = 400,
       .kind = ErrorKind::kGone,
       .reason = "QueueDoesNotExist"},
      {.body = R"({"__type":"com.amazonaws.sqs#OverLimit","message":"Too many in flight."})",
       .query_error = "OverLimit;Sender",
       .status = 403,
       .kind = ErrorKind::kRetryable,
       .reason = "OverLimit"},
      {.body = R"({"__type":"com.amazon.coral.service#AccessDeniedException","message":"No."})",
       .query_error = "",
       .status = 400,
       .kind = ErrorKind::kDenied,
       .reason = "AccessDeniedException"},
      {.body = R"({"__type":"com.amazonaws.sqs#InvalidAddress","message":"Not this endpoint."})",
       .query_error = "InvalidAddress;Sender",
       .status = 400,
       .kind = ErrorKind::kPermanent,
       .reason = "InvalidAddress"},
  };
  for (const Refused& row : rows) {
    replies_.clear();
    http::Headers headers;
    if (*row.query_error != '\0') {
      headers.push_back({.name = "x-amzn-query-error", .value = row.query_error});
    }
    reply(row.body, row.status, std::move(headers));
    const auto messages = receive();
    ASSERT_FALSE(messages.has_value());
    EXPECT_EQ(messages.error().kind, row.kind) << messages.error().message;
    EXPECT_EQ(messages.error().reason, row.reason);
    EXPECT_THAT(messages.error().message, HasSubstr(kQueue));
    std::vector<std::string> receipts{"r"};
    const auto deleted = run(delete_messages(client(), kQueue, std::move(receipts)));
    ASSERT_FALSE(deleted.has_value());
    EXPECT_EQ(deleted.error().kind, row.kind);
  }
}

TEST_F(SqsTest, DeletesInTens) {
  reply(R"({"Successful":[{"Id":"0"},{"Id":"1"},{"Id":"2"},{"Id":"3"},{"Id":"4"},{"Id":"5"},
            {"Id":"6"},{"Id":"7"},{"Id":"9"}],
            "Failed":[{"Id":"8","SenderFault":true,"Code":"ReceiptHandleIsInvalid","Message":"Bad."}]})");
  reply(R"({"Successful":[]})");
  std::vector<std::string> receipts;
  receipts.reserve(11);
  for (int i = 0; i < 11; ++i) receipts.push_back("r" + std::to_string(i));
  const auto failures = run(delete_messages(client(), kQueue, std::move(receipts)));
  ASSERT_TRUE(failures.has_value()) << failures.error().message;
  ASSERT_EQ(failures->size(), 2u);
  EXPECT_EQ(failures->at(0).receipt, "r8");
  EXPECT_EQ(failures->at(0).code, "ReceiptHandleIsInvalid");
  EXPECT_EQ(failures->at(0).message, "Bad.");
  EXPECT_TRUE(failures->at(0).for_good);
  EXPECT_FALSE(failures->at(1).for_good);
  EXPECT_EQ(failures->at(1).receipt, "r10");
  EXPECT_EQ(failures->at(1).code, "NotAnswered");
  ASSERT_EQ(seen_.size(), 2u);
  EXPECT_EQ(header(0, "X-Amz-Target"), "AmazonSQS.DeleteMessageBatch");
  EXPECT_EQ(find_array(asked(0), {"Entries"})->size(), 10u);
  EXPECT_EQ(seen_[1].body,
            R"({"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/notices",)"
            R"("Entries":[{"Id":"0","ReceiptHandle":"r10"}]})");
}

TEST_F(SqsTest, ChangesVisibility) {
  reply(R"({"Successful":[{"Id":"0"}],"Failed":[]})");
  std::vector<std::string> receipts{"r"};
  const auto failures = run(change_visibility(client(), kQueue, std::move(receipts), Seconds(300)));
  ASSERT_TRUE(failures.has_value()) << failures.error().message;
  EXPECT_THAT(*failures, IsEmpty());
  EXPECT_EQ(header(0, "X-Amz-Target"), "AmazonSQS.ChangeMessageVisibilityBatch");
  EXPECT_EQ(seen_[0].body,
            R"({"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/notices",)"
            R"("Entries":[{"Id":"0","ReceiptHandle":"r","VisibilityTimeout":300}]})");
}

TEST_F(SqsTest, NothingIsNoCall) {
  EXPECT_TRUE(run(delete_messages(client(), kQueue, {})).has_value());
  EXPECT_TRUE(run(change_visibility(client(), kQueue, {}, Seconds(1))).has_value());
  EXPECT_THAT(seen_, IsEmpty());
}

TEST(Sqs, RegionOfAQueue) {
  struct Row {
    const char* url;
    const char* region;
  };
  const Row rows[] = {
      {kQueue, "eu-west-1"},
      {"http://sqs.eu-west-1.amazonaws.com:80/1/q", "eu-west-1"},
      {"https://sqs-fips.us-east-2.amazonaws.com/1/q", "us-east-2"},
      {"https://sqs.us-gov-west-1.amazonaws.com/1/q", "us-gov-west-1"},
      {"https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"},
      {"https://sqs.eu-west-1.api.aws/1/q", "eu-west-1"},
      {"https://sqs.us-iso-east-1.c2s.ic.gov/1/q", "us-iso-east-1"},
      {"https://vpce-0a-1.sqs.eu-west-1.vpce.amazonaws.com/1/q", "eu-west-1"},
      {"https://eu-west-1.queue.amazonaws.com/1/q", "eu-west-1"},
      {"https://cn-north-1.queue.amazonaws.com.cn/1/q", "cn-north-1"},
      {"https://queue.amazonaws.com/1/q", "us-east-1"},
      // Not AWS's, or not whole.
      {"http://localhost:4566/000000000000/q", ""},
      {"http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q", ""},
      {"https://sqs.eu-west-1.amazonaws.com.evil.example/1/q", ""},
      {"https://sqs.cn-north-1.amazonaws.com/1/q", ""},
      {"https://sqs.amazonaws.com/1/q", ""},
      {"https://sqs.EU.amazonaws.com/1/q", ""},
      {"arn:aws:sqs:eu-west-1:123456789012:q", ""},
      {"q", ""},
      {"https://", ""},
      {"", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(region_of_queue(row.url), row.region) << row.url;
}

}  // namespace
}  // namespace spotkeeper::aws
