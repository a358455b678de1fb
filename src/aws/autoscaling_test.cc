// SPDX-License-Identifier: Apache-2.0
#include "aws/autoscaling.h"

#include <gmock/gmock.h>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class AutoScalingTest : public AwsFixture {
 protected:
  Client& client() {
    if (!made_) made_ = std::make_unique<Client>(client_, keys_, clock_, options_);
    return *made_;
  }
  void refuse(const std::string& code, const std::string& message, int status = 400) {
    reply(
        "<ErrorResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><Error>"
        "<Type>Sender</Type><Code>" +
            code + "</Code><Message>" + message +
            "</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
        status);
  }
  static LifecycleAction action() {
    return {.group = "my-asg", .hook = "drain it", .token = "0befcbdb", .instance = "i-0a"};
  }

  FixedCredentials keys_{session("1")};
  std::unique_ptr<Client> made_;
};

TEST_F(AutoScalingTest, CompletesALifecycleAction) {
  reply(
      R"(<CompleteLifecycleActionResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
    <CompleteLifecycleActionResult/><ResponseMetadata><RequestId>7c6e177f</RequestId>
    </ResponseMetadata></CompleteLifecycleActionResponse>)");
  const auto done = run(complete_lifecycle_action(client(), action(), "CONTINUE"));
  EXPECT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(seen_.at(0).body,
            "Action=CompleteLifecycleAction&Version=2011-01-01&AutoScalingGroupName=my-asg"
            "&LifecycleHookName=drain%20it&LifecycleActionToken=0befcbdb&InstanceId=i-0a"
            "&LifecycleActionResult=CONTINUE");
}

TEST_F(AutoScalingTest, AnEmptyTokenIsNotSent) {
  reply("<RecordLifecycleActionHeartbeatResponse/>");
  LifecycleAction without = action();
  without.token.clear();
  EXPECT_TRUE(run(record_heartbeat(client(), std::move(without))).has_value());
  EXPECT_EQ(seen_.at(0).body,
            "Action=RecordLifecycleActionHeartbeat&Version=2011-01-01"
            "&AutoScalingGroupName=my-asg&LifecycleHookName=drain%20it&InstanceId=i-0a");
}

TEST_F(AutoScalingTest, AnActionThatNoLongerWaitsIsAValidationError) {
  refuse("ValidationError", "No active Lifecycle Action found with instance ID i-0a");
  const auto beat = run(record_heartbeat(client(), action()));
  ASSERT_FALSE(beat.has_value());
  EXPECT_EQ(beat.error().reason, kValidationError);
  EXPECT_EQ(beat.error().kind, ErrorKind::kPermanent);
  EXPECT_EQ(beat.error().message,
            "autoscaling RecordLifecycleActionHeartbeat my-asg/i-0a: ValidationError: No active "
            "Lifecycle Action found with instance ID i-0a (request r-1)");
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(AutoScalingTest, ThrottlingAndContentionAreTriedAgain) {
  refuse("Throttling", "Rate exceeded");
  refuse("ResourceContention", "There is a pending update.", 500);
  reply("<CompleteLifecycleActionResponse/>");
  EXPECT_TRUE(run(complete_lifecycle_action(client(), action(), "ABANDON")).has_value());
  EXPECT_EQ(seen_.size(), 3u);
}

TEST_F(AutoScalingTest, AMissingRightIsDenied) {
  refuse("AccessDenied", "User is not authorized to perform it", 403);
  const auto done = run(complete_lifecycle_action(client(), action(), "CONTINUE"));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::kDenied);
}

TEST_F(AutoScalingTest, DescribesHooks) {
  reply(R"(<DescribeLifecycleHooksResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
    <DescribeLifecycleHooksResult><LifecycleHooks><member>
      <AutoScalingGroupName>my-asg</AutoScalingGroupName>
      <RoleARN>arn:aws:iam::123456789012:role/my-role</RoleARN>
      <LifecycleTransition>autoscaling:EC2_INSTANCE_TERMINATING</LifecycleTransition>
      <GlobalTimeout>172800</GlobalTimeout><LifecycleHookName>drain</LifecycleHookName>
      <HeartbeatTimeout>300</HeartbeatTimeout><DefaultResult>CONTINUE</DefaultResult>
    </member><member><LifecycleHookName>other</LifecycleHookName></member></LifecycleHooks>
    </DescribeLifecycleHooksResult></DescribeLifecycleHooksResponse>)");
  const auto hooks = run(describe_lifecycle_hooks(client(), "my-asg"));
  ASSERT_TRUE(hooks.has_value()) << hooks.error().message;
  ASSERT_EQ(hooks->size(), 2u);
  EXPECT_EQ(hooks->at(0).name, "drain");
  EXPECT_EQ(hooks->at(0).group, "my-asg");
  EXPECT_EQ(hooks->at(0).transition, "autoscaling:EC2_INSTANCE_TERMINATING");
  EXPECT_EQ(hooks->at(0).heartbeat_timeout_s, 300);
  EXPECT_EQ(hooks->at(0).global_timeout_s, 172'800);
  EXPECT_EQ(hooks->at(0).default_result, "CONTINUE");
  EXPECT_FALSE(hooks->at(1).heartbeat_timeout_s.has_value());
}

constexpr const char* kInstance = R"(<member><LifecycleState>Terminating:Wait</LifecycleState>
    <HealthStatus>HEALTHY</HealthStatus><AvailabilityZone>eu-west-1c</AvailabilityZone>
    <AutoScalingGroupName>my-asg</AutoScalingGroupName><InstanceId>i-0a</InstanceId>
    <ProtectedFromScaleIn>true</ProtectedFromScaleIn><InstanceType>t2.micro</InstanceType>
    <LaunchTemplate><LaunchTemplateName>t</LaunchTemplateName><Version>1</Version>
      <LaunchTemplateId>lt-050555ad16a3f9c7f</LaunchTemplateId></LaunchTemplate></member>)";

std::string instances(const std::string& members, const std::string& token = "") {
  return "<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult>"
         "<AutoScalingInstances>" +
         members + "</AutoScalingInstances><NextToken>" + token +
         "</NextToken></DescribeAutoScalingInstancesResult></DescribeAutoScalingInstancesResponse>";
}

TEST_F(AutoScalingTest, DescribesInstancesInFiftiesPageByPage) {
  reply(instances(kInstance, "more"));
  reply(instances("<member><InstanceId>i-0b</InstanceId></member>"));
  reply(instances(""));
  const std::vector<std::string> ids(51, "i-0a");
  const auto found = run(describe_auto_scaling_instances(client(), ids));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->at(0).id, "i-0a");
  EXPECT_EQ(found->at(0).group, "my-asg");
  EXPECT_EQ(found->at(0).lifecycle_state, "Terminating:Wait");
  EXPECT_EQ(found->at(0).zone, "eu-west-1c");
  EXPECT_EQ(found->at(0).launch_template, "lt-050555ad16a3f9c7f");
  EXPECT_TRUE(found->at(0).protected_from_scale_in);
  EXPECT_EQ(found->at(1).id, "i-0b");
  EXPECT_FALSE(found->at(1).protected_from_scale_in);
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_THAT(seen_[0].body, HasSubstr("InstanceIds.member.50=i-0a&MaxRecords=50"));
  EXPECT_THAT(seen_[0].body, Not(HasSubstr("NextToken")));
  EXPECT_THAT(seen_[1].body, HasSubstr("&NextToken=more"));
  EXPECT_THAT(seen_[2].body, HasSubstr("InstanceIds.member.1=i-0a&MaxRecords=50"));
}

TEST_F(AutoScalingTest, PagesWithoutAnEndAreAnError) {
  reply(instances("", "same"));
  const auto found = run(describe_auto_scaling_instances(client(), {"i-0a"}));
  ASSERT_FALSE(found.has_value());
  EXPECT_THAT(found.error().message, HasSubstr("pages without an end"));
  EXPECT_EQ(seen_.size(), 2u);
}

// Without ids Auto Scaling would describe all instances that there are.
TEST_F(AutoScalingTest, NothingIsNoCall) {
  const auto found = run(describe_auto_scaling_instances(client(), {}));
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(AutoScalingTest, DetachesAnInstance) {
  reply(R"(<DetachInstancesResponse><DetachInstancesResult><Activities><member>
    <StatusCode>InProgress</StatusCode></member></Activities></DetachInstancesResult>
    </DetachInstancesResponse>)");
  EXPECT_TRUE(run(detach_instance(client(), "my-asg", "i-0a", false)).has_value());
  EXPECT_EQ(seen_.at(0).body,
            "Action=DetachInstances&Version=2011-01-01&AutoScalingGroupName=my-asg"
            "&InstanceIds.member.1=i-0a&ShouldDecrementDesiredCapacity=false");
}

TEST_F(AutoScalingTest, AnInstanceOfNoGroupIsAValidationError) {
  refuse("ValidationError", "The instance i-0a is not part of Auto Scaling group my-asg.");
  const auto detached = run(detach_instance(client(), "my-asg", "i-0a", true));
  ASSERT_FALSE(detached.has_value());
  EXPECT_EQ(detached.error().reason, kValidationError);
  EXPECT_THAT(seen_.at(0).body, HasSubstr("ShouldDecrementDesiredCapacity=true"));
}

TEST_F(AutoScalingTest, TerminatesAnInstance) {
  reply("<TerminateInstanceInAutoScalingGroupResponse/>");
  EXPECT_TRUE(run(terminate_instance(client(), "i-0a", false)).has_value());
  EXPECT_EQ(seen_.at(0).body,
            "Action=TerminateInstanceInAutoScalingGroup&Version=2011-01-01&InstanceId=i-0a"
            "&ShouldDecrementDesiredCapacity=false");
}

}  // namespace
}  // namespace spotkeeper::aws
