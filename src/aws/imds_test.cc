// SPDX-License-Identifier: Apache-2.0
#include "aws/imds.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/timing.h"
#include "http/server_fixture.h"

namespace spotkeeper::aws {
namespace {

using http::ServerRequest;
using http::ServerResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPath = "/latest/meta-data/spot/instance-action";
constexpr Time kStart = Time(std::chrono::hours(24 * 365 * 50));

// An IMDS whose every answer can be set; it notes what it was asked.
struct FakeImds {
  int token_status = 200;         // of PUT /latest/api/token
  std::string token_ttl = "100";  // its header; empty: none
  bool token_silent = false;      // PUT is never answered (a hop limit of 1)
  bool token_garbage = false;     // PUT gives a page
  bool needs_token = true;        // GET without a good token: 401
  int refuse = 0;                 // so many GETs get 401 whatever their token
  int fail = 0;                   // so many GETs get 500
  int silent = 0;                 // so many GETs are not answered
  int status = 200;               // of the other GETs
  std::string body = "hello";
  std::string left;  // the TTL header of GETs; empty: none
  std::string date;  // the Date header of GETs; empty: none
  int issued = 0;
  std::string good_token;
  std::vector<std::string> asked;  // "PUT 60", "GET", "GET token-1"
};

class ImdsTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&ImdsTest::answer);
    options_.base_url = url() + "/";
    options_.timeout = Millis(5'000);
    options_.token_ttl_s = 60;
  }

  // Made at first use, so that a test can set options_ before.
  ImdsClient& imds() {
    if (!imds_) imds_ = std::make_unique<ImdsClient>(client_, options_, clock_);
    return *imds_;
  }
  Result<std::optional<std::string>> get() { return run(imds().get(kPath)); }
  void expect_body() {
    const auto result = get();
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(*result, "hello");
  }
  Error error() {
    const auto result = get();
    EXPECT_FALSE(result.has_value());
    return result ? Error() : result.error();
  }
  std::vector<std::string> asked() { return std::exchange(fake_.asked, {}); }

  static Task<ServerResponse> answer(ImdsTest* test, ServerRequest request) {
    FakeImds& fake = test->fake_;
    ServerResponse response;
    if (request.method == "PUT") {
      const std::string* ttl =
          http::find_header(request.headers, "x-aws-ec2-metadata-token-ttl-seconds");
      fake.asked.push_back("PUT " + (ttl ? *ttl : "without ttl"));
      EXPECT_EQ(request.path, "/latest/api/token");
      if (fake.token_silent) co_await sleep_for(Millis(60'000));
      response.status = fake.token_status;
      if (fake.token_status == 200) {
        fake.good_token = "token-" + std::to_string(++fake.issued);
        response.body = fake.token_garbage ? "<html>\nlog in</html>" : fake.good_token;
        if (!fake.token_ttl.empty()) {
          response.headers.push_back({"X-Aws-Ec2-Metadata-Token-Ttl-Seconds", fake.token_ttl});
        }
      }
      co_return response;
    }
    const std::string* token = http::find_header(request.headers, "x-aws-ec2-metadata-token");
    fake.asked.push_back(request.method + (token ? " " + *token : ""));
    EXPECT_EQ(request.path, kPath);
    if (fake.silent > 0) {
      --fake.silent;
      co_await sleep_for(Millis(60'000));
    }
    response.status = fake.status;
    response.body = fake.body;
    if (!fake.left.empty()) {
      response.headers.push_back({"X-Aws-Ec2-Metadata-Token-Ttl-Seconds", fake.left});
    }
    if (!fake.date.empty()) response.headers.push_back({"Date", fake.date});
    if (fake.fail > 0) {
      --fake.fail;
      response.status = 500;
    } else if (fake.refuse > 0) {
      --fake.refuse;
      response.status = 401;
    } else if (fake.needs_token && (token == nullptr || *token != fake.good_token)) {
      response.status = 401;
    }
    co_return response;
  }

  FakeImds fake_;
  ManualClock clock_{kStart};
  ImdsOptions options_;
  std::unique_ptr<ImdsClient> imds_;
};

TEST_F(ImdsTest, FetchesATokenAndUsesIt) {
  expect_body();
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1", "GET token-1"));
  EXPECT_TRUE(imds().uses_token());
}

TEST_F(ImdsTest, NotThereIsAValue) {
  fake_.status = 404;
  const auto result = get();
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(*result, std::nullopt);
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1"));
}

TEST_F(ImdsTest, AnEmptyBodyIsThere) {
  fake_.body = "";
  EXPECT_EQ(*get(), "");
}

TEST_F(ImdsTest, RenewsTheTokenAheadOfItsEnd) {
  expect_body();
  asked();
  clock_.advance(Seconds(84));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("GET token-1"));
  clock_.advance(Seconds(1));  // 15 of its 100 seconds remain
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-2"));
}

TEST_F(ImdsTest, RenewsALongTokenWhenATwentiethRemains) {
  fake_.token_ttl = "21600";
  expect_body();
  asked();
  clock_.advance(Seconds(21'600 - 1'081));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("GET token-1"));
  clock_.advance(Seconds(1));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-2"));
}

TEST_F(ImdsTest, DoesNotRenewAShortTokenAtEveryPoll) {
  fake_.token_ttl = "10";
  expect_body();
  clock_.advance(Seconds(4));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1", "GET token-1"));
  clock_.advance(Seconds(1));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-2"));
}

TEST_F(ImdsTest, ATokenWithoutATtlLivesAsLongAsAskedFor) {
  fake_.token_ttl = "";
  expect_body();
  asked();
  clock_.advance(Seconds(44));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("GET token-1"));
  clock_.advance(Seconds(1));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-2"));
}

TEST_F(ImdsTest, BelievesAnAnswerThatTheTokenEndsSooner) {
  fake_.left = "3";
  expect_body();
  asked();
  clock_.advance(Seconds(3));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-2"));
}

TEST_F(ImdsTest, UsesATokenToItsEndWhenItCannotBeRenewed) {
  expect_body();
  asked();
  fake_.token_status = 503;
  clock_.advance(Seconds(90));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1"));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("GET token-1")) << "not asked for at every poll";
  fake_.token_status = 200;
  clock_.advance(Seconds(10));
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-2"));
}

TEST_F(ImdsTest, A401BringsANewToken) {
  expect_body();
  asked();
  fake_.refuse = 1;
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("GET token-1", "PUT 60", "GET token-2"));
}

TEST_F(ImdsTest, A401ForEverIsDenied) {
  fake_.refuse = 1'000;
  const Error denied = error();
  EXPECT_EQ(denied.kind, ErrorKind::kDenied);
  EXPECT_EQ(denied.status, 401);
  EXPECT_EQ(denied.message, std::string("IMDS: GET ") + kPath + ": HTTP status 401");
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1", "PUT 60", "GET token-2"));
}

struct Refusal {
  const char* name;
  int status;
};
class ImdsV1Test : public ImdsTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(ImdsV1Test, GoesOnWithoutATokenWhereThereIsNone) {
  fake_.needs_token = false;
  fake_.token_status = GetParam().status;
  for (int i = 0; i < 3; ++i) expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET", "GET", "GET"));
  EXPECT_FALSE(imds().uses_token());
}

INSTANTIATE_TEST_SUITE_P(Imds, ImdsV1Test,
                         ::testing::Values(Refusal{"BadRequest", 400}, Refusal{"Forbidden", 403},
                                           Refusal{"NotFound", 404}, Refusal{"NotAllowed", 405},
                                           Refusal{"ServerError", 500}, Refusal{"Redirect", 302}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(ImdsTest, GoesOnWithoutATokenWhenTheTokenRequestIsNotAnswered) {
  fake_.needs_token = false;
  fake_.token_silent = true;
  options_.timeout = Millis(50);
  expect_body();
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET", "GET"));
}

TEST_F(ImdsTest, GoesOnWithoutATokenWhenTheTokenIsGarbage) {
  fake_.needs_token = false;
  fake_.token_garbage = true;
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET"));
}

TEST_F(ImdsTest, AsksForATokenAgainAtGrowingIntervals) {
  fake_.needs_token = false;
  fake_.token_status = 404;
  int tokens_asked_for = 0;
  for (int minute = 0; minute < 240; ++minute) {
    expect_body();
    const auto requests = asked();
    tokens_asked_for += static_cast<int>(requests.size()) - 1;
    clock_.advance(Seconds(60));
  }
  EXPECT_GE(tokens_asked_for, 6);
  EXPECT_LE(tokens_asked_for, 14);
  fake_.token_status = 200;
  clock_.advance(std::chrono::hours(1));
  expect_body();
  EXPECT_TRUE(imds().uses_token());
}

TEST_F(ImdsTest, TakesATokenAtOnceWhenV1IsSwitchedOff) {
  fake_.needs_token = false;
  fake_.token_status = 404;
  expect_body();
  asked();
  fake_.needs_token = true;
  fake_.token_status = 200;
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("GET", "PUT 60", "GET token-1"));
}

TEST_F(ImdsTest, SaysWhyItHasNoTokenWhenOneIsNeeded) {
  fake_.token_status = 403;
  const Error denied = error();
  EXPECT_EQ(denied.kind, ErrorKind::kDenied);
  EXPECT_THAT(denied.message,
              HasSubstr("HTTP status 401 without a token (token request: HTTP status 403)"));
}

TEST_F(ImdsTest, A403IsDenied) {
  fake_.needs_token = false;
  fake_.status = 403;
  EXPECT_EQ(error().kind, ErrorKind::kDenied);
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1")) << "not tried again";
}

TEST_F(ImdsTest, TriesAgainAfterA500) {
  fake_.fail = 2;
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1", "GET token-1", "GET token-1"));
}

TEST_F(ImdsTest, GivesUpAfterItsTries) {
  fake_.fail = 1'000;
  options_.tries = 2;
  const Error failed = error();
  EXPECT_EQ(failed.kind, ErrorKind::kRetryable);
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-1", "GET token-1"));
}

TEST_F(ImdsTest, TriesAtLeastOnce) {
  options_.tries = 0;
  expect_body();
}

TEST_F(ImdsTest, TriesAgainAfterASilence) {
  expect_body();
  asked();
  imds_.reset();
  fake_.silent = 1;
  options_.timeout = Millis(100);
  expect_body();
  EXPECT_THAT(asked(), ElementsAre("PUT 60", "GET token-2", "GET token-2"));
}

TEST_F(ImdsTest, AnUnreachableImdsIsRetryable) {
  options_.base_url = "http://127.0.0.1:1";
  const Error failed = error();
  EXPECT_EQ(failed.kind, ErrorKind::kRetryable);
  EXPECT_EQ(failed.message,
            std::string("IMDS: GET http://127.0.0.1:1") + kPath + ": connection refused");
}

TEST_F(ImdsTest, AnyOtherStatusIsPermanent) {
  for (const int status : {302, 400, 410}) {
    fake_.status = status;
    const Error failed = error();
    EXPECT_EQ(failed.kind, ErrorKind::kPermanent);
    EXPECT_EQ(failed.status, status);
  }
}

TEST_F(ImdsTest, AnOversizedBodyIsPermanent) {
  fake_.body = std::string(64 * 1024 + 1, 'x');
  const Error failed = error();
  EXPECT_EQ(failed.kind, ErrorKind::kPermanent);
  EXPECT_THAT(failed.message, HasSubstr("the body is larger than 65536 bytes"));
}

TEST_F(ImdsTest, KnowsTheTimeOfItsLastAnswer) {
  expect_body();
  EXPECT_FALSE(imds().time()) << "an answer without a Date header";
  fake_.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  expect_body();
  ASSERT_TRUE(imds().time());
  EXPECT_EQ(format_time_s(imds().time()->date), "1994-11-06T08:49:37Z");
  EXPECT_EQ(imds().time()->sent, kStart);
  EXPECT_EQ(imds().time()->received, kStart);
  fake_.status = 404;
  ASSERT_TRUE(get().has_value());
  EXPECT_TRUE(imds().time()) << "not there is an answer too";
  fake_.date = "yesterday";
  ASSERT_TRUE(get().has_value());
  EXPECT_FALSE(imds().time()) << "garbage is no time, and no older one either";
}

TEST_F(ImdsTest, NoMessageHoldsTheToken) {
  fake_.refuse = 1'000;
  EXPECT_THAT(error().message, Not(HasSubstr("token-")));
}

}  // namespace
}  // namespace spotkeeper::aws
