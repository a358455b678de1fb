// SPDX-License-Identifier: Apache-2.0
#include "emulator/imds.h"

#include <gtest/gtest.h>

namespace spotkeeper::emulator {
namespace {

constexpr Time kStart{Seconds(1'800'000'000)};
constexpr const char* kAction = "/latest/meta-data/spot/instance-action";
constexpr const char* kEnd = "/latest/meta-data/spot/termination-time";

http::ServerResponse ask(Imds& imds, const std::string& path, http::Headers headers = {},
                         const std::string& method = "GET") {
  http::ServerRequest request;
  request.method = method;
  request.path = path;
  request.headers = std::move(headers);
  return imds.answer(request);
}

http::ServerResponse ask_token(Imds& imds, const std::string& ttl) {
  return ask(imds, "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", ttl}}, "PUT");
}

TEST(Imds, ShowsANoticeFromItsTimeOn) {
  ManualClock clock(kStart);
  Imds imds(clock, {.instance_id = "i-7"});
  EXPECT_EQ(ask(imds, "/latest/meta-data/instance-id").body, "i-7");
  EXPECT_EQ(ask(imds, kAction).status, 404);
  imds.announce(kStart + Seconds(5), "terminate", kStart + Seconds(125));
  EXPECT_EQ(ask(imds, kAction).status, 404);
  clock.advance(Seconds(5));
  EXPECT_EQ(ask(imds, kAction).body,
            R"({"action":"terminate","time":")" + format_time_s(kStart + Seconds(125)) + "\"}");
  EXPECT_EQ(ask(imds, kEnd).body, format_time_s(kStart + Seconds(125)));
  imds.withdraw();
  EXPECT_EQ(ask(imds, kAction).status, 404);
}

TEST(Imds, AStopHasNoTerminationTime) {
  ManualClock clock(kStart);
  Imds imds(clock, {});
  imds.announce(kStart, "stop", kStart + Seconds(120));
  EXPECT_EQ(ask(imds, kAction).status, 200);
  EXPECT_EQ(ask(imds, kEnd).status, 404);
}

TEST(Imds, TokensAreGoodForTheirTime) {
  ManualClock clock(kStart);
  Imds imds(clock, {.tokens_required = true});
  EXPECT_EQ(ask(imds, "/latest/meta-data/instance-id").status, 401);
  const auto answer = ask_token(imds, "10");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(*http::find_header(answer.headers, "X-aws-ec2-metadata-token-ttl-seconds"), "10");
  const http::Headers with{{"X-aws-ec2-metadata-token", answer.body}};
  EXPECT_EQ(ask(imds, "/latest/meta-data/instance-id", with).status, 200);
  clock.advance(Seconds(10));
  EXPECT_EQ(ask(imds, "/latest/meta-data/instance-id", with).status, 401);
}

TEST(Imds, AStaleTokenIsRefusedEvenWhereNoneIsNeeded) {
  ManualClock clock(kStart);
  Imds imds(clock, {});
  const http::Headers with{{"X-aws-ec2-metadata-token", ask_token(imds, "60").body}};
  EXPECT_EQ(ask(imds, "/latest/meta-data/instance-id", with).status, 200);
  imds.forget_tokens();
  EXPECT_EQ(ask(imds, "/latest/meta-data/instance-id", with).status, 401);
}

TEST(Imds, RefusesBadTokenRequests) {
  ManualClock clock(kStart);
  Imds imds(clock, {});
  for (const char* ttl : {"", "0", "21601", "x", "-1"}) {
    EXPECT_EQ(ask_token(imds, ttl).status, 400) << ttl;
  }
  EXPECT_EQ(ask(imds, "/latest/api/token").status, 405);
  EXPECT_EQ(ask(imds, "/latest/api/token", {{"X-Forwarded-For", "1.2.3.4"}}, "PUT").status, 403);
}

TEST(Imds, TellsTheWorldsTime) {
  ManualClock clock(Time(Seconds(1'795'316'752)));
  Imds imds(clock, {});
  EXPECT_EQ(*http::find_header(ask(imds, kAction).headers, "Date"),
            "Sun, 22 Nov 2026 03:05:52 GMT");
}

}  // namespace
}  // namespace spotkeeper::emulator
