// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_cache.h"

#include <gmock/gmock.h>

#include <memory>
#include <vector>

#include "async/loop_fixture.h"

namespace spotkeeper::aws {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr Time kStart = Time(Seconds(1'795'255'200));

struct Script {
  int fetches = 0;
  int running = 0;
  int most_running = 0;
  Millis life = hours(1);
  bool expires = true;
  bool same = false;
  std::optional<Error> failure = {};
};

// Answers AKID1, AKID2 …, each after other tasks had their turn.
class ScriptedFetcher final : public CredentialFetcher {
 public:
  ScriptedFetcher(Script& script, const Clock& clock) : script_(script), clock_(clock) {}
  Task<Result<Credentials>> fetch() override {
    ++script_.fetches;
    script_.most_running = std::max(script_.most_running, ++script_.running);
    co_await sleep_for(Millis(5));
    --script_.running;
    if (script_.failure) co_return std::unexpected(*script_.failure);
    Credentials credentials{
        .access_key_id = "AKID" + std::to_string(script_.same ? 1 : script_.fetches),
        .secret_access_key = Secret("hunter2"),
        .session_token = Secret("t"),
        .expires = std::nullopt,
        .source = "script"};
    if (script_.expires) credentials.expires = clock_.now() + script_.life;
    co_return credentials;
  }

 private:
  Script& script_;
  const Clock& clock_;
};

class CredentialCacheTest : public LoopFixture {
 protected:
  CredentialCache& cache(bool stable = false) {
    if (!cache_) {
      cache_ = std::make_unique<CredentialCache>(
          tasks_, std::make_unique<ScriptedFetcher>(script_, clock_), clock_, stable,
          [this](const std::string& text) { warnings_.push_back(text); });
    }
    return *cache_;
  }
  std::string get() {
    const auto credentials = run(cache().get());
    return credentials ? credentials->access_key_id : credentials.error().message;
  }
  void settle() {
    run_until([this] { return tasks_.size() == 0; });
  }
  static Task<> get_into(CredentialCache* cache, int* done) {
    const auto credentials = co_await cache->get();
    EXPECT_TRUE(credentials.has_value());
    ++*done;
  }

  ManualClock clock_{kStart};
  Script script_;
  std::vector<std::string> warnings_;
  std::unique_ptr<CredentialCache> cache_;
};

TEST(RenewAt, AheadAndSpread) {
  EXPECT_EQ(renew_at(kStart, kStart + hours(6), 0.0), kStart + hours(6) - minutes(15));
  EXPECT_EQ(renew_at(kStart, kStart + hours(6), 0.5),
            kStart + hours(6) - minutes(17) - Seconds(30));
  EXPECT_EQ(renew_at(kStart, kStart + minutes(10), 0.5), kStart + minutes(5));
  EXPECT_EQ(renew_at(kStart, kStart - hours(1), 0.5), kStart + Seconds(1));
}

TEST_F(CredentialCacheTest, IsKept) {
  EXPECT_EQ(get(), "AKID1");
  clock_.advance(minutes(30));
  EXPECT_EQ(get(), "AKID1");
  EXPECT_EQ(script_.fetches, 1);
}

TEST_F(CredentialCacheTest, IsRenewedAheadWhileTheOldOnesAreUsed) {
  EXPECT_EQ(get(), "AKID1");
  clock_.advance(minutes(46));
  EXPECT_EQ(get(), "AKID1");
  settle();
  EXPECT_EQ(get(), "AKID2");
  EXPECT_EQ(script_.fetches, 2);
}

TEST_F(CredentialCacheTest, OneFetchForAllWhoWait) {
  int done = 0;
  for (int i = 0; i < 5; ++i) tasks_.spawn("get", get_into(&cache(), &done));
  run_until([&] { return done == 5; });
  EXPECT_EQ(script_.fetches, 1);
}

TEST_F(CredentialCacheTest, OneRenewalAtATime) {
  get();
  clock_.advance(minutes(50));
  int done = 0;
  for (int i = 0; i < 5; ++i) tasks_.spawn("get", get_into(&cache(), &done));
  run_until([&] { return done == 5; });
  settle();
  EXPECT_EQ(script_.fetches, 2);
  EXPECT_EQ(script_.most_running, 1);
}

TEST_F(CredentialCacheTest, WhoeverIsCancelledLeavesTheFetchToTheNext) {
  int done = 0;
  {
    TaskGroup given_up(executor());
    given_up.spawn("get", get_into(&cache(), &done));
    run_until([&] { return script_.fetches == 1; });
    tasks_.spawn("get", get_into(&cache(), &done));
    given_up.cancel();
    run(given_up.join());
  }
  run_until([&] { return done == 1; });
  EXPECT_EQ(script_.fetches, 2);
}

TEST_F(CredentialCacheTest, RenewalThatFailsIsToldOnceAndHurtsNobody) {
  get();
  script_.failure = Error{.kind = ErrorKind::kRetryable, .message = "STS is silent"};
  clock_.advance(minutes(50));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(get(), "AKID1");
    settle();
  }
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_[0], HasSubstr("STS is silent"));
  EXPECT_EQ(script_.fetches, 2);  // the next waits for its pause
}

TEST_F(CredentialCacheTest, ExpiredOnesAreNotUsed) {
  get();
  script_.failure = Error{.kind = ErrorKind::kRetryable, .message = "STS is silent"};
  clock_.advance(hours(2));
  EXPECT_EQ(get(), "STS is silent");
  EXPECT_EQ(get(), "STS is silent");
  EXPECT_EQ(script_.fetches, 2);  // not again within two seconds
}

TEST_F(CredentialCacheTest, OfTheInstanceAreUsedWhenExpired) {
  cache(true);
  EXPECT_EQ(get(), "AKID1");
  script_.failure = Error{.kind = ErrorKind::kRetryable, .message = "IMDS is silent"};
  clock_.advance(hours(2));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(get(), "AKID1");
    settle();
  }
  ASSERT_THAT(warnings_, SizeIs(2));
  EXPECT_THAT(warnings_[0], HasSubstr("expired at 2026-11-21T11:00:00Z and go on being used"));
  EXPECT_THAT(warnings_[1], HasSubstr("IMDS is silent"));
  for (const std::string& warning : warnings_) EXPECT_THAT(warning, Not(HasSubstr("hunter2")));
}

TEST_F(CredentialCacheTest, ThatComeExpiredAreUsedAndAskedForAgain) {
  script_.life = -hours(1);
  EXPECT_EQ(get(), "AKID1");
  EXPECT_THAT(warnings_, SizeIs(1));
  clock_.advance(minutes(3));
  EXPECT_EQ(get(), "AKID1");
  settle();
  EXPECT_EQ(get(), "AKID2");
  EXPECT_THAT(warnings_, SizeIs(1));
}

TEST_F(CredentialCacheTest, OfAShortLifeAreNotUsedLonger) {
  script_.life = Seconds(30);
  EXPECT_EQ(get(), "AKID1");
  clock_.advance(Seconds(31));
  EXPECT_EQ(get(), "AKID2");
}

TEST_F(CredentialCacheTest, RefusedOnesAreNeverUsedAgain) {
  cache(true);
  const auto first = run(cache().get());
  cache().refused(*first);
  EXPECT_EQ(get(), "AKID2");
  cache().refused(*first);  // of long ago
  EXPECT_EQ(get(), "AKID2");
  const auto second = run(cache().get());
  script_.failure = Error{.kind = ErrorKind::kRetryable, .message = "IMDS is silent"};
  cache().refused(*second);
  EXPECT_EQ(get(), "IMDS is silent");
}

TEST_F(CredentialCacheTest, WithoutAnEndAreKeptForEver) {
  script_.expires = false;
  get();
  clock_.advance(hours(10'000));
  EXPECT_EQ(get(), "AKID1");
}

}  // namespace
}  // namespace spotkeeper::aws
