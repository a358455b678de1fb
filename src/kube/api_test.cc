// SPDX-License-Identifier: Apache-2.0
#include "kube/api.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

class ApiTest : public KubeTest {
 protected:
  static Call get(const char* path) {
    Call call;
    call.path = path;
    call.resource = "things";
    call.object = "one";
    return call;
  }
};

TEST_F(ApiTest, SendsAndDecodes) {
  server_.on("PATCH /thing?a=b", {.body = R"({"x": 1})"});
  connect([](Access& access) { access.token = Secret("fixed"); });
  Call call = get("/thing");
  call.method = http::Method::kPatch;
  call.query = "a=b";
  call.body = json::object{{"y", 2}};
  call.content_type = "application/merge-patch+json";
  call.verb = "patch";
  const auto answer = await(api_->call(std::move(call)));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, json::parse(R"({"x": 1})"));
  ASSERT_EQ(server_.seen.size(), 1U);
  EXPECT_EQ(server_.seen[0].body, R"({"y":2})");
  EXPECT_EQ(server_.seen[0].header("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(server_.seen[0].header("Accept"), "application/json");
  EXPECT_EQ(server_.seen[0].header("Authorization"), "Bearer fixed");
  EXPECT_EQ(answers_, std::vector<std::string>{"patch things 200"});
}

TEST_F(ApiTest, EmptyAnswerIsNull) {
  server_.on("/thing", {.status = 204});
  const auto answer = await(api_->call(get("/thing")));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->is_null());
  EXPECT_EQ(server_.seen[0].header("Authorization"), "") << "no token, no header";
}

TEST_F(ApiTest, AnswerThatIsNotJson) {
  server_.on("/thing", {.body = "<html>"});
  const auto answer = await(api_->call(get("/thing")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kRetryable);
  EXPECT_EQ(answer.error().message, "get things one: the answer is not JSON");
}

TEST_F(ApiTest, ErrorStatusIsAnError) {
  server_.on("/thing", {.status = 403, .body = R"({"kind":"Status","message":"no",
                                                   "reason":"Forbidden"})"});
  const auto answer = await(api_->call(get("/thing")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(answer.error().message, "get things one: 403 Forbidden: no");
  EXPECT_EQ(answers_, std::vector<std::string>{"get things 403"});
  EXPECT_EQ(server_.seen.size(), 1U) << "not tried again";
}

TEST_F(ApiTest, NetworkFailureIsRetryableWithStatusZero) {
  server_.on("/thing", {.body = "{", .then = Reply::Then::kCut});
  const auto answer = await(api_->call(get("/thing")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kRetryable);
  EXPECT_EQ(answer.error().status, 0);
  EXPECT_TRUE(answer.error().message.starts_with("get things one: ")) << answer.error().message;
  EXPECT_EQ(answers_, std::vector<std::string>{"get things 0"});
}

TEST_F(ApiTest, SeesARotatedToken) {
  server_.on("/thing", {.body = "{}"});
  const std::string file = write_file("token", "one\n");
  connect([&](Access& access) { access.token_file = file; });
  EXPECT_TRUE(await(api_->call(get("/thing"))));
  write_file("new", "two\n");
  std::filesystem::rename(folder_ / "new", file);
  EXPECT_TRUE(await(api_->call(get("/thing"))));
  EXPECT_EQ(server_.seen[0].header("Authorization"), "Bearer one");
  EXPECT_EQ(server_.seen[1].header("Authorization"), "Bearer two");
}

TEST_F(ApiTest, RefusedTokenIsReadAgainAndTriedOnce) {
  server_.on("/thing", {.status = 401});
  server_.on("/thing", {.body = "{}"});
  const std::string file = write_file("token", "one");
  connect([&](Access& access) { access.token_file = file; });
  EXPECT_TRUE(await(api_->call(get("/thing"))));
  EXPECT_EQ(answers_, (std::vector<std::string>{"get things 401", "get things 200"}));
}

TEST_F(ApiTest, RefusedTwiceIsDenied) {
  server_.on("/thing", {.status = 401});
  const std::string file = write_file("token", "very-secret");
  connect([&](Access& access) { access.token_file = file; });
  const auto answer = await(api_->call(get("/thing")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(answer.error().message, "get things one: 401 Unauthorized");
  EXPECT_EQ(server_.seen.size(), 2U);
  const auto stream = await(api_->open(get("/thing")));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().message, "get things one: 401 Unauthorized");
  EXPECT_EQ(server_.seen.size(), 4U);
}

TEST_F(ApiTest, FixedTokenThatIsRefusedIsNotTriedAgain) {
  server_.on("/thing", {.status = 401});
  connect([](Access& access) { access.token = Secret("fixed"); });
  EXPECT_FALSE(await(api_->call(get("/thing"))));
  EXPECT_EQ(server_.seen.size(), 1U);
}

TEST_F(ApiTest, MissingTokenFileIsDeniedWithoutARequest) {
  connect([&](Access& access) { access.token_file = (folder_ / "none").string(); });
  const auto answer = await(api_->call(get("/thing")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(answer.error().message, "get things one: token file " + (folder_ / "none").string() +
                                        ": No such file or directory");
  EXPECT_TRUE(server_.seen.empty());
}

using Steady = std::chrono::steady_clock;

Task<> call_into(Api& api, Call call, std::vector<std::string>& done) {
  const std::string path = call.path;
  const auto answer = co_await api.call(std::move(call));
  done.push_back(path + (answer ? " fine" : " failed"));
}

TEST_F(ApiTest, LoadPausesReadsButNoWritesAndNothingUrgent) {
  server_.on("/load", {.status = 429, .headers = {{.name = "Retry-After", .value = "1"}}});
  server_.on("/", {.body = "{}"});
  EXPECT_LE(api_->paused_until(), Steady::now());
  const auto before = Steady::now();
  EXPECT_FALSE(await(api_->call(get("/load"))));
  EXPECT_GE(api_->paused_until(), before + Seconds(1));
  EXPECT_LE(api_->paused_until(), Steady::now() + Millis(1'250));
  std::vector<std::string> done;
  group_.spawn("read", call_into(*api_, get("/read"), done));
  Call write = get("/write");
  write.method = http::Method::kPost;
  group_.spawn("write", call_into(*api_, write, done));
  Call urgent = get("/urgent");
  urgent.urgent = true;
  EXPECT_TRUE(until([&] { return done.size() == 1; }));
  group_.spawn("urgent", call_into(*api_, urgent, done));
  EXPECT_TRUE(until([&] { return done.size() == 3; }));
  EXPECT_EQ(done, (std::vector<std::string>{"/write fine", "/urgent fine", "/read fine"}));
  EXPECT_GE(Steady::now(), before + Seconds(1));
}

TEST_F(ApiTest, WhatIsNoLoadPausesNothing) {
  const char* budget = R"({"kind":"Status","details":{"causes":[{"reason":"DisruptionBudget"}]}})";
  const http::Headers later = {{.name = "Retry-After", .value = "10"}};
  server_.on("/thing", {.status = 429, .body = budget, .headers = later});
  server_.on("/thing", {.status = 503});
  server_.on("/thing", {.status = 500, .headers = later});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(await(api_->call(get("/thing"))));
  EXPECT_EQ(server_.seen.size(), 3U);
  EXPECT_LE(api_->paused_until(), Steady::now());
}

TEST_F(ApiTest, PauseIsAMinuteAndAQuarterAtMost) {
  server_.on("/thing", {.status = 503, .headers = {{.name = "Retry-After", .value = "3000"}}});
  EXPECT_FALSE(await(api_->open(get("/thing"))));
  EXPECT_GE(api_->paused_until(), Steady::now() + Seconds(50));
  EXPECT_LE(api_->paused_until(), Steady::now() + Seconds(75));
}

Task<std::string> read_all(std::unique_ptr<http::Stream> stream) {
  std::string all;
  for (;;) {
    const auto piece = co_await stream->read(Millis(5000));
    if (!piece || piece->empty()) co_return all;
    all += *piece;
  }
}

TEST_F(ApiTest, OpensAStream) {
  server_.on("/thing", {.pieces = {"a", "b\n"}});
  auto stream = await(api_->open(get("/thing")));
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(await(read_all(std::move(*stream))), "ab\n");
}

TEST_F(ApiTest, RefusedStreamSaysWhy) {
  server_.on("/thing", {.status = 403, .pieces = {R"({"kind":"Status",)", R"("message":"no"})"}});
  const auto stream = await(api_->open(get("/thing")));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().message, "get things one: 403 Forbidden: no");
}

TEST(Paths, AreEncoded) {
  EXPECT_EQ(pod_path("default", "web-1.x"), "/api/v1/namespaces/default/pods/web-1.x");
  EXPECT_EQ(pod_path("..", "a/b?c"), "/api/v1/namespaces/../pods/a%2Fb%3Fc");
  EXPECT_EQ(percent_encode("spec.nodeName=a b,ä"), "spec.nodeName%3Da%20b%2C%C3%A4");
}

}  // namespace
}  // namespace spotkeeper::kube
