// SPDX-License-Identifier: Apache-2.0
// Launches and detachments against Auto Scaling of our own: minutes in seconds.
#include "app/asg.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "aws/cloud_fixture.h"

namespace spotkeeper::app {
namespace {

using testing::HasSubstr;

constexpr double kSpeed = 20;
constexpr const char* kId = "i-0a";
constexpr const char* kComplete = "CompleteLifecycleAction";
constexpr const char* kDetach = "DetachInstances";

class AsgTest : public aws::CloudFixture {
 protected:
  void SetUp() override {
    CloudFixture::SetUp();
    scale_time(kSpeed);
    instances_ = std::make_unique<Instances>(tasks_, client(), scaled_, "team/spot");
    hooks_ = std::make_unique<LifecycleHooks>(tasks_, client(), scaled_, LifecycleHooks::Options{},
                                              counters_, log_);
    kube::Access access;
    access.server = url();
    api_ = std::make_unique<kube::Api>(executor(), access);
    asg_ = std::make_unique<Asg>(queue_, client(), *api_, nodes_, *instances_, *hooks_, scaled_,
                                 counters_, log_);
    on(kComplete, "<CompleteLifecycleActionResponse/>");
    on(kDetach, "<DetachInstancesResponse/>");
  }

  sources::QueueEvent launched() const {
    sources::QueueEvent event{.kind = core::NoticeKind::kAsgLaunch,
                              .instance = core::InstanceId(kId),
                              .at = scaled_.now()};
    event.hook = sources::HookAction{
        .group = "workers", .hook = "join", .token = "t", .launching = true, .destination = ""};
    return event;
  }
  void node(bool ready) {
    kube::Node node;
    node.name = "n1";
    node.provider_id = "aws:///eu-west-1a/" + std::string(kId);
    node.ready = ready;
    nodes_.put(node);
  }
  static Task<> launch_into(AsgTest* test, sources::QueueEvent event) {
    const Launch done = co_await test->asg_->launch(std::move(event), true);
    test->done_ = done == Launch::kAnswered;
  }
  void launch() { tasks_.spawn("launch", launch_into(this, launched())); }

  void is_in_group(const std::string& state) {
    on("DescribeAutoScalingInstances",
       "<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult>"
       "<AutoScalingInstances><member><InstanceId>i-0a</InstanceId><AutoScalingGroupName>workers"
       "</AutoScalingGroupName><LifecycleState>" +
           state +
           "</LifecycleState></member></AutoScalingInstances>"
           "</DescribeAutoScalingInstancesResult></DescribeAutoScalingInstancesResponse>");
  }
  void is_in_no_group() {
    on("DescribeAutoScalingInstances",
       "<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult>"
       "<AutoScalingInstances/></DescribeAutoScalingInstancesResult>"
       "</DescribeAutoScalingInstancesResponse>");
  }
  void bears(const std::string& tag) {
    on("DescribeInstances", described(instance(kId, "running", "ip-1", tag)));
  }
  void detach() { run(asg_->detach(kId)); }

  config::QueueOptions queue_;
  effects::NodeBook nodes_;
  Counters counters_;
  observe::Log log_{scaled_, {.silent = true}};
  std::unique_ptr<kube::Api> api_;
  std::unique_ptr<Instances> instances_;
  std::unique_ptr<LifecycleHooks> hooks_;
  std::unique_ptr<Asg> asg_;
  std::optional<bool> done_;
};

TEST_F(AsgTest, AHookIsAsTheEventTellsOfIt) {
  const aws::LifecycleAction hook = hook_of(launched());
  EXPECT_EQ(hook.group, "workers");
  EXPECT_EQ(hook.hook, "join");
  EXPECT_EQ(hook.token, "t");
  EXPECT_EQ(hook.instance, kId);
}

TEST_F(AsgTest, ALaunchIsCompletedWhenItsNodeIsReady) {
  node(false);
  launch();
  pass(Seconds(30));
  EXPECT_FALSE(done_) << "longer than the message could be kept without its node";
  EXPECT_EQ(count(kComplete), 0);
  node(true);
  run_until([&] { return done_.has_value(); });
  EXPECT_TRUE(*done_);
  EXPECT_EQ(count(kComplete), 1);
  EXPECT_THAT(last(kComplete), HasSubstr("LifecycleHookName=join"));
  EXPECT_THAT(last(kComplete), HasSubstr("LifecycleActionResult=CONTINUE"));
}

TEST_F(AsgTest, OneWithoutANodeIsGivenBack) {
  launch();
  const Time began = scaled_.now();
  run_until([&] { return done_.has_value(); });
  EXPECT_FALSE(*done_);
  EXPECT_GE(scaled_.now() - began, Seconds(10)) << "half of its visibility";
  EXPECT_EQ(count(kComplete), 0);
}

TEST_F(AsgTest, ANodeThatJoinsMeanwhileIsWaitedFor) {
  launch();
  pass(Seconds(5));
  node(false);
  pass(Seconds(15));
  EXPECT_FALSE(done_);
  node(true);
  run_until([&] { return done_.has_value(); });
  EXPECT_TRUE(*done_);
}

TEST_F(AsgTest, ANodeThatGoesAgainIsGivenBack) {
  node(false);
  launch();
  pass(Seconds(15));
  nodes_.erase("n1");
  run_until([&] { return done_.has_value(); });
  EXPECT_FALSE(*done_);
}

TEST_F(AsgTest, WhatIsNotReadyIsAbandonedWhereThePolicyIsSo) {
  queue_.abandon_launch_after = Seconds(20);
  node(false);
  launch();
  const Time began = scaled_.now();
  run_until([&] { return done_.has_value(); });
  EXPECT_TRUE(*done_) << "its message is done with";
  EXPECT_GE(scaled_.now() - began, Seconds(19));
  EXPECT_THAT(last(kComplete), HasSubstr("LifecycleActionResult=ABANDON"));
}

TEST_F(AsgTest, AndWhatHasNoNodeByThen) {
  queue_.abandon_launch_after = Seconds(20);
  sources::QueueEvent event = launched();
  event.at -= Seconds(20);  // seen before, and given back
  EXPECT_EQ(run(asg_->launch(event, true)), Launch::kAnswered);
  EXPECT_THAT(last(kComplete), HasSubstr("LifecycleActionResult=ABANDON"));
}

TEST_F(AsgTest, AReadyNodeIsNeverAbandoned) {
  queue_.abandon_launch_after = Seconds(20);
  node(true);
  sources::QueueEvent event = launched();
  event.at -= Seconds(60);
  EXPECT_EQ(run(asg_->launch(event, true)), Launch::kAnswered);
  EXPECT_THAT(last(kComplete), HasSubstr("LifecycleActionResult=CONTINUE"));
}

// EC2 knows no such instance.
struct Unseen {
  const char* what;
  const char* state;  // as Auto Scaling has it; "": not at all, nullptr: it cannot say
  Seconds age;
  Launch launch;
  int asked;  // Auto Scaling was, as often
};

TEST_F(AsgTest, AHookThatWaitsIsNotForgottenThoughEc2DoesNotKnowTheInstance) {
  const Unseen rows[] = {
      {"new", "", Seconds(500), Launch::kWaits, 0},
      {"waits", "Pending:Wait", Seconds(660), Launch::kWaits, 1},
      {"waits for a warm pool", "Warmed:Pending:Wait", Seconds(660), Launch::kWaits, 1},
      {"cannot be asked", nullptr, Seconds(660), Launch::kWaits, 1},
      {"begun", "InService", Seconds(660), Launch::kOver, 1},
      {"proceeds", "Pending:Proceed", Seconds(660), Launch::kOver, 1},
      {"ends", "Terminating:Wait", Seconds(660), Launch::kOver, 1},
      {"in no group", "", Seconds(660), Launch::kOver, 1},
  };
  scale_time(200);
  for (const Unseen& row : rows) {
    script_.clear();
    asked_.clear();
    if (row.state == nullptr) {
      refuse("DescribeAutoScalingInstances", "AccessDenied", 403);
    } else if (*row.state != '\0') {
      is_in_group(row.state);
    } else {
      is_in_no_group();
    }
    sources::QueueEvent event = launched();
    event.at -= row.age;
    EXPECT_EQ(run(asg_->launch(event, false)), row.launch) << row.what;
    EXPECT_EQ(count("DescribeAutoScalingInstances"), row.asked) << row.what;
    EXPECT_EQ(count(kComplete), 0) << row.what;
  }
}

TEST_F(AsgTest, ItIsAbandonedByPolicyAllTheSame) {
  queue_.abandon_launch_after = Seconds(300);
  is_in_group("Pending:Wait");
  for (const Seconds age : {Seconds(400), Seconds(700)}) {
    sources::QueueEvent event = launched();
    event.at -= age;
    EXPECT_EQ(run(asg_->launch(event, false)), Launch::kAnswered);
    EXPECT_THAT(last(kComplete), HasSubstr("LifecycleActionResult=ABANDON"));
  }
  EXPECT_EQ(count(kComplete), 2);
}

TEST_F(AsgTest, WhatIsInServiceIsDetachedAndReplaced) {
  bears("");
  is_in_group("InService");
  detach();
  ASSERT_EQ(count(kDetach), 1);
  EXPECT_THAT(last(kDetach), HasSubstr("AutoScalingGroupName=workers"));
  EXPECT_THAT(last(kDetach), HasSubstr("ShouldDecrementDesiredCapacity=false"));
  EXPECT_EQ(counters_.value("detached", {{"outcome", "detached"}}), 1);
}

TEST_F(AsgTest, ItsNodeIsToldBefore) {
  bears("");
  is_in_group("InService");
  node(true);
  on("PATCH", R"({"code":403})", 403);
  on("PATCH", R"({"metadata":{"name":"n1","uid":"u","resourceVersion":"8"}})");
  detach();
  EXPECT_EQ(count(kDetach), 0) << "nobody would know of it";
  detach();
  EXPECT_EQ(count(kDetach), 1);
  EXPECT_THAT(last("PATCH"),
              HasSubstr(R"({"metadata":{"annotations":{"spotkeeper.io/detached":")"));
}

TEST_F(AsgTest, WhatIsDetachedAndDoesNotEndIsEnded) {
  scale_time(200);
  kube::Node left;
  left.name = "n1";
  left.provider_id = "aws:///eu-west-1a/" + std::string(kId);
  left.annotations["spotkeeper.io/detached"] = format_time_s(scaled_.now() - Seconds(13 * 60));
  nodes_.put(left);
  bears("");
  is_in_group("InService");
  is_in_no_group();
  on("TerminateInstances", "<TerminateInstancesResponse/>");
  tasks_.spawn("leftovers", asg_->end_leftovers());
  run_until([&] { return count("TerminateInstances") == 1; });
  EXPECT_EQ(count("DescribeAutoScalingInstances"), 2) << "not while a group has it again";
  EXPECT_EQ(count("DescribeInstances"), 2) << "what was said half a minute ago does not count";
  EXPECT_THAT(last("TerminateInstances"), HasSubstr(kId));
}

TEST_F(AsgTest, WhatIsNotInServiceStays) {
  bears("");
  for (const char* state : {"Terminating:Wait", "Terminating", "Pending:Wait", "Standby",
                            "Detaching", "Warmed:Stopped"}) {
    script_.erase("DescribeAutoScalingInstances");
    is_in_group(state);
    detach();
    EXPECT_EQ(count(kDetach), 0) << state;
  }
}

TEST_F(AsgTest, ManagedNodeGroupsOfEksAreLeftAlone) {
  bears("eks:nodegroup-name");
  is_in_group("InService");
  detach();
  EXPECT_EQ(count(kDetach), 0);
}

TEST_F(AsgTest, WhatIsNotKnownIsNotDetached) {
  refuse_ec2("Unavailable");
  is_in_group("InService");
  detach();
  EXPECT_EQ(count(kDetach), 0) << "it may be a managed node group's";
  script_.erase("DescribeInstances");
  on("DescribeInstances", described(""));
  detach();
  EXPECT_EQ(count(kDetach), 0);
}

TEST_F(AsgTest, WhatIsInNoGroupOrCannotBeFoundOutStays) {
  bears("");
  is_in_no_group();
  detach();
  script_.erase("DescribeAutoScalingInstances");
  refuse("DescribeAutoScalingInstances", "AccessDenied", 403);
  detach();
  EXPECT_EQ(count(kDetach), 0);
}

TEST_F(AsgTest, AFailureIsCountedAndADryRunDetachesNothing) {
  bears("");
  is_in_group("InService");
  queue_.agent.dry_run = true;
  detach();
  EXPECT_EQ(count(kDetach), 0);
  queue_.agent.dry_run = false;
  script_.erase(kDetach);
  refuse(kDetach, "ValidationError");
  detach();
  EXPECT_EQ(counters_.value("detached", {{"outcome", "failed"}}), 1);
}

}  // namespace
}  // namespace spotkeeper::app
