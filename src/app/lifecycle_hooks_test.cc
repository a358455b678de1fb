// SPDX-License-Identifier: Apache-2.0
// Heartbeats and completions against Auto Scaling of our own: minutes in seconds.
#include "app/lifecycle_hooks.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "aws/cloud_fixture.h"

namespace spotkeeper::app {
namespace {

using testing::HasSubstr;

constexpr double kSpeed = 40;
constexpr const char* kBeat = "RecordLifecycleActionHeartbeat";
constexpr const char* kComplete = "CompleteLifecycleAction";
constexpr const char* kDescribe = "DescribeLifecycleHooks";

class LifecycleHooksTest : public aws::CloudFixture {
 protected:
  void SetUp() override {
    CloudFixture::SetUp();
    scale_time(kSpeed);
  }
  // What the group's tasks use is a member.
  LifecycleHooks& hooks(LifecycleHooks::Options options) {
    hooks_ = std::make_unique<LifecycleHooks>(tasks_, client(), scaled_, options, counters_, log_);
    return *hooks_;
  }
  static aws::LifecycleAction action(const std::string& instance = "i-0a") {
    return {.group = "workers", .hook = "drain", .token = "t", .instance = instance};
  }
  void complete(const std::string& result = "CONTINUE") { run(hooks_->complete(action(), result)); }
  double beats(const char* outcome) const {
    return counters_.value("lifecycle_heartbeats", {{"outcome", outcome}});
  }
  double completions(const char* outcome) const {
    return counters_.value("lifecycle_actions", {{"outcome", outcome}});
  }
  void describes(const std::string& timeouts) {
    on(kDescribe,
       "<DescribeLifecycleHooksResponse><DescribeLifecycleHooksResult><LifecycleHooks><member>"
       "<LifecycleHookName>drain</LifecycleHookName>" +
           timeouts +
           "</member></LifecycleHooks></DescribeLifecycleHooksResult>"
           "</DescribeLifecycleHooksResponse>");
  }

  Counters counters_;
  observe::Log log_{scaled_, {.silent = true}};
  std::unique_ptr<LifecycleHooks> hooks_;
};

TEST_F(LifecycleHooksTest, HeartbeatsAreSentUntilTheirTimeIsOver) {
  on(kBeat, "<RecordLifecycleActionHeartbeatResponse/>");
  const size_t before = tasks_.size();
  hooks({.interval = Seconds(30), .until = Seconds(100)}).begin(action());
  const Time began = scaled_.now();
  run_until([&] { return count(kBeat) == 1; });
  EXPECT_GE(scaled_.now() - began, Seconds(27)) << "at most a tenth sooner";
  EXPECT_THAT(last(kBeat), HasSubstr("LifecycleHookName=drain&LifecycleActionToken=t"));
  run_until([&] { return tasks_.size() == before; });
  EXPECT_GE(scaled_.now() - began, Seconds(99));
  EXPECT_EQ(count(kBeat), 3) << "as NTH's test of the same figures";
  EXPECT_EQ(beats("sent"), 3);
}

TEST_F(LifecycleHooksTest, NoneWithoutAnInterval) {
  const size_t before = tasks_.size();
  hooks({}).begin(action());
  EXPECT_EQ(tasks_.size(), before);
}

TEST_F(LifecycleHooksTest, AHookThatWaitsNoMoreEndsThem) {
  refuse(kBeat, "ValidationError");
  const size_t before = tasks_.size();
  hooks({.interval = Seconds(30)}).begin(action());
  run_until([&] { return tasks_.size() == before; });
  EXPECT_EQ(count(kBeat), 1);
  EXPECT_EQ(beats("failed"), 1);
}

TEST_F(LifecycleHooksTest, AnyOtherFailureDoesNot) {
  refuse(kBeat, "Throttling");
  refuse(kBeat, "AccessDenied", 403);
  on(kBeat, "<RecordLifecycleActionHeartbeatResponse/>");
  hooks({.interval = Seconds(30)}).begin(action());
  run_until([&] { return beats("sent") == 1; });
  EXPECT_EQ(beats("failed"), 2);
}

TEST_F(LifecycleHooksTest, TheyAreInTimeForTheHook) {
  describes("<HeartbeatTimeout>100</HeartbeatTimeout>");
  on(kBeat, "<RecordLifecycleActionHeartbeatResponse/>");
  hooks({.interval = Seconds(3'000)}).begin(action());
  const Time began = scaled_.now();
  run_until([&] { return count(kBeat) == 1; });
  EXPECT_GE(scaled_.now() - began, Seconds(71));
  EXPECT_LT(scaled_.now() - began, Seconds(100));
}

TEST_F(LifecycleHooksTest, EachHookHasOneOfThem) {
  on(kBeat, "<RecordLifecycleActionHeartbeatResponse/>");
  const size_t before = tasks_.size();
  hooks({.interval = Seconds(30)});
  hooks_->begin(action());
  hooks_->begin(action());
  hooks_->begin(action("i-0b"));
  pass(Seconds(1));
  EXPECT_EQ(tasks_.size(), before + 2) << "the same hook's begin anew";
}

TEST_F(LifecycleHooksTest, TheCompletionEndsThem) {
  on(kBeat, "<RecordLifecycleActionHeartbeatResponse/>");
  on(kComplete, "<CompleteLifecycleActionResponse/>");
  const size_t before = tasks_.size();
  hooks({.interval = Seconds(30)});
  hooks_->begin(action());
  hooks_->begin(action("i-0b"));
  complete();
  run_until([&] { return tasks_.size() == before + 1; });
  EXPECT_THAT(last(kComplete), HasSubstr("InstanceId=i-0a&LifecycleActionResult=CONTINUE"));
  EXPECT_EQ(completions("completed"), 1);
  run_until([&] { return count(kBeat) == 1; });
  EXPECT_THAT(last(kBeat), HasSubstr("InstanceId=i-0b")) << "the other one's go on";
}

TEST_F(LifecycleHooksTest, HeartbeatsGoOnWhileTheCompletionIsDelayed) {
  on(kBeat, "<RecordLifecycleActionHeartbeatResponse/>");
  on(kComplete, "<CompleteLifecycleActionResponse/>");
  hooks({.interval = Seconds(30), .completion_delay = Seconds(80)}).begin(action());
  const Time began = scaled_.now();
  complete();
  EXPECT_GE(scaled_.now() - began, Seconds(79));
  EXPECT_GE(count(kBeat), 1);
}

TEST_F(LifecycleHooksTest, ACompletionIsTriedAgainUntilItSucceeds) {
  refuse(kComplete, "AccessDenied", 403);
  refuse(kComplete, "ResourceContention", 500);
  refuse(kComplete, "Throttling");
  on(kComplete, "<CompleteLifecycleActionResponse/>");
  hooks({});
  const Time began = scaled_.now();
  complete("ABANDON");
  EXPECT_EQ(count(kComplete), 4);
  EXPECT_GE(scaled_.now() - began, Millis(250 + 500 + 1'000)) << "it backs off";
  EXPECT_THAT(last(kComplete), HasSubstr("LifecycleActionResult=ABANDON"));
  EXPECT_EQ(completions("failed"), 3);
  EXPECT_EQ(completions("completed"), 1);
}

TEST_F(LifecycleHooksTest, OneThatWaitsNoMoreIsOver) {
  refuse(kComplete, "ValidationError");
  on(kBeat, "<RecordLifecycleActionHeartbeatResponse/>");
  const size_t before = tasks_.size();
  hooks({.interval = Seconds(3'000)}).begin(action());
  complete();
  EXPECT_EQ(count(kComplete), 1);
  EXPECT_EQ(completions("over"), 1);
  run_until([&] { return tasks_.size() == before; });
}

TEST_F(LifecycleHooksTest, ADryRunSendsNothing) {
  const size_t before = tasks_.size();
  hooks({.interval = Seconds(30), .dry_run = true}).begin(action());
  complete();
  EXPECT_EQ(tasks_.size(), before);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(LifecycleHooksTest, PatienceIsTheHooksOwnOrWhatHeartbeatsMakeOfIt) {
  describes("<HeartbeatTimeout>300</HeartbeatTimeout><GlobalTimeout>30000</GlobalTimeout>");
  EXPECT_EQ(run(hooks({}).patience(action())), Seconds(300));
  EXPECT_EQ(run(hooks({.interval = Seconds(30), .until = Seconds(600)}).patience(action())),
            Seconds(900))
      << "the last heartbeat, and what it gives";
  EXPECT_EQ(run(hooks({.interval = Seconds(30)}).patience(action())), Seconds(30'000))
      << "no longer than Auto Scaling lets any wait";
}

TEST_F(LifecycleHooksTest, OfAGroupHooksAreDescribedOnce) {
  describes("<HeartbeatTimeout>300</HeartbeatTimeout>");
  hooks({});
  EXPECT_EQ(run(hooks_->patience(action())), Seconds(300));
  EXPECT_EQ(run(hooks_->patience(action("i-0b"))), Seconds(300));
  EXPECT_EQ(count(kDescribe), 1);
  aws::LifecycleAction unknown = action();
  unknown.hook = "gone";
  EXPECT_EQ(run(hooks_->patience(unknown)), std::nullopt);
}

TEST_F(LifecycleHooksTest, PatienceThatCannotBeFoundOutIsNone) {
  refuse(kDescribe, "AccessDenied", 403);
  describes("<HeartbeatTimeout>300</HeartbeatTimeout>");
  hooks({});
  EXPECT_EQ(run(hooks_->patience(action())), std::nullopt);
  EXPECT_EQ(run(hooks_->patience(action())), Seconds(300)) << "asked again";
}

}  // namespace
}  // namespace spotkeeper::app
