// SPDX-License-Identifier: Apache-2.0
#include "aws/answer.h"

#include <gmock/gmock.h>

#include "base/json.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

http::Response response(int status, std::string body, http::Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

TEST(Answer, RefusalInJson) {
  const Refusal refusal = read_refusal(
      Protocol::kJson11,
      response(400, R"({"__type":"com.amazonaws.ecs#ClusterNotFoundException","message":"No."})",
               {{"x-amzn-RequestId", "r-1"}}));
  EXPECT_EQ(refusal.code, "ClusterNotFoundException");
  EXPECT_EQ(refusal.message, "No.");
  EXPECT_EQ(refusal.request_id, "r-1");
}

TEST(Answer, RefusalInAHeader) {
  const Refusal refusal = read_refusal(
      Protocol::kJson11, response(400, R"({"Message":"Slow"})",
                                  {{"x-amzn-ErrorType", "ThrottlingException:http://internal/"}}));
  EXPECT_EQ(refusal.code, "ThrottlingException");
  EXPECT_EQ(refusal.message, "Slow");
}

TEST(Answer, RefusalOfAServiceThatSpokeQueryOnce) {
  const Refusal refusal = read_refusal(
      Protocol::kJson10,
      response(400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"})",
               {{"x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"}}));
  EXPECT_EQ(refusal.code, "AWS.SimpleQueueService.NonExistentQueue");
}

TEST(Answer, RefusalInXml) {
  const Refusal refusal = read_refusal(
      Protocol::kQuery, response(400,
                                 "<ErrorResponse xmlns=\"http://x/\"><Error><Type>Sender</Type>"
                                 "<Code>TargetGroupNotFound</Code><Message>One &amp; two</Message>"
                                 "</Error><RequestId>r-2</RequestId></ErrorResponse>"));
  EXPECT_EQ(refusal.code, "TargetGroupNotFound");
  EXPECT_EQ(refusal.message, "One & two");
  EXPECT_EQ(refusal.request_id, "r-2");
}

TEST(Answer, RefusalOfEc2) {
  const Refusal refusal = read_refusal(
      Protocol::kQuery,
      response(503,
               "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>m</Message>"
               "</Error></Errors><RequestID>r-3</RequestID></Response>"));
  EXPECT_EQ(refusal.code, "RequestLimitExceeded");
  EXPECT_EQ(refusal.request_id, "r-3");
}

TEST(Answer, RefusalThatIsAPageHasNoCode) {
  for (const Protocol protocol : {Protocol::kJson11, Protocol::kQuery}) {
    const Refusal refusal = read_refusal(protocol, response(502, "<html><br>Bad Gateway"));
    EXPECT_EQ(refusal.code + refusal.message, "");
    const Error error = refusal_error("ecs ListTasks", 502, refusal, {});
    EXPECT_EQ(error.kind, ErrorKind::kRetryable);
    EXPECT_EQ(error.message, "ecs ListTasks: HTTP status 502");
  }
}

TEST(Answer, ErrorNamesAllThereIs) {
  const Error error = refusal_error(
      "ecs DescribeTasks cluster/prod", 400,
      {.code = "ClusterNotFoundException", .message = "Not\nhere.", .request_id = "r-1"}, {});
  EXPECT_EQ(error.message,
            "ecs DescribeTasks cluster/prod: ClusterNotFoundException: Not here. (request r-1)");
  EXPECT_EQ(error.reason, "ClusterNotFoundException");
  EXPECT_EQ(error.status, 400);
}

struct KindRow {
  int status;
  const char* code;
  ErrorKind kind;
};

TEST(Answer, KindOfAnError) {
  for (const KindRow& row :
       {KindRow{400, "ThrottlingException", ErrorKind::kRetryable},
        KindRow{500, "ServerException", ErrorKind::kRetryable},
        KindRow{400, "AccessDeniedException", ErrorKind::kDenied},
        KindRow{403, "", ErrorKind::kDenied},
        KindRow{400, "ExpiredTokenException", ErrorKind::kDenied},
        KindRow{403, "MissingAuthenticationToken", ErrorKind::kDenied},
        KindRow{400, "ServiceNotFoundException", ErrorKind::kGone},
        KindRow{400, "TargetGroupNotFound", ErrorKind::kGone},
        KindRow{400, "AWS.SimpleQueueService.NonExistentQueue", ErrorKind::kGone},
        KindRow{404, "", ErrorKind::kGone},
        KindRow{400, "InvalidParameterException", ErrorKind::kPermanent}}) {
    const Refusal refusal{.code = row.code, .message = "", .request_id = ""};
    EXPECT_EQ(refusal_error("x", row.status, refusal, {}).kind, row.kind) << row.code;
  }
  const Refusal denied{.code = "AccessDeniedException", .message = "", .request_id = ""};
  EXPECT_TRUE(refusal_error("x", 400, denied, {}).no_right);
}

// AWS answers what it would have signed, session token and all.
TEST(Answer, ErrorHoldsNoSecret) {
  const Refusal refusal{
      .code = "SignatureDoesNotMatch",
      .message =
          "The signature does not match.\n\nThe Canonical String should have been\n"
          "'POST\n/\n\nx-amz-security-token:tok/en+1\n'",
      .request_id = ""};
  const Error error = refusal_error("sts X", 403, refusal, {Secret("tok/en+1"), Secret()});
  EXPECT_EQ(error.message, "sts X: SignatureDoesNotMatch: The signature does not match.");
  const Refusal inline_one{.code = "Bad", .message = "token tok/en+1 is bad", .request_id = ""};
  EXPECT_THAT(refusal_error("x", 400, inline_one, {Secret("tok/en+1")}).message,
              Not(HasSubstr("tok/en+1")));
}

TEST(Answer, SuccessInJson) {
  EXPECT_EQ(text_at(*read_json("x", R"({"a":"b"})"), {"a"}), "b");
  EXPECT_TRUE(read_json("x", "")->as_object().empty());
  for (const char* bad : {"[]", "<html>", "{", "7"}) {
    const auto value = read_json("x", bad);
    ASSERT_FALSE(value.has_value()) << bad;
    EXPECT_EQ(value.error().kind, ErrorKind::kRetryable);
  }
}

TEST(Answer, SuccessInXml) {
  const auto result =
      read_query("x", "Do", "<DoResponse><DoResult><A>1</A></DoResult></DoResponse>");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ((*result)["A"].text, "1");
  EXPECT_TRUE(read_query("x", "Do", "<DoResponse/>")->children.empty());
  EXPECT_FALSE(read_query("x", "Do", "<html/>").has_value());
}

TEST(Answer, PauseAskedFor) {
  EXPECT_EQ(asked_pause({}), Millis(0));
  EXPECT_EQ(asked_pause({{"Retry-After", "3"}}), Millis(3'000));
  EXPECT_EQ(asked_pause({{"x-amz-retry-after", "1500"}, {"Retry-After", "9"}}), Millis(1'500));
  EXPECT_EQ(asked_pause({{"Retry-After", "Sun, 22 Nov 2026 16:00:07 GMT"},
                         {"Date", "Sun, 22 Nov 2026 16:00:00 GMT"}}),
            Millis(7'000));
  EXPECT_EQ(asked_pause({{"Retry-After", "Sun, 22 Nov 2026 16:00:07 GMT"}}), Millis(0));
  EXPECT_EQ(asked_pause({{"Retry-After", "-3"}}), Millis(0));
  EXPECT_EQ(asked_pause({{"Retry-After", "99999999999999"}}), Millis(3'600'000));
}

}  // namespace
}  // namespace spotkeeper::aws
