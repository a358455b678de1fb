// SPDX-License-Identifier: Apache-2.0
#include "aws/elb.h"

#include <gmock/gmock.h>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;

class ElbTest : public AwsFixture {
 protected:
  Client& client() {
    if (!made_) made_ = std::make_unique<Client>(client_, keys_, clock_, options_);
    return *made_;
  }
  FixedCredentials keys_{session("1")};
  std::unique_ptr<Client> made_;
};

TEST_F(ElbTest, HealthOfTargets) {
  reply(
      R"(<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
    <DescribeTargetHealthResult><TargetHealthDescriptions>
      <member><HealthCheckPort>80</HealthCheckPort>
        <TargetHealth><State>draining</State><Reason>Target.DeregistrationInProgress</Reason>
          <Description>Target deregistration is in progress</Description></TargetHealth>
        <Target><Port>32768</Port><Id>i-1</Id></Target></member>
      <member><TargetHealth><State>healthy</State></TargetHealth><Target><Id>10.0.0.7</Id></Target></member>
    </TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>)");
  const std::vector<Target> targets{{.id = "i-1", .port = 32768}, {.id = "10.0.0.7", .port = {}}};
  const auto health = run(describe_target_health(client(), "arn:g", targets));
  ASSERT_TRUE(health.has_value()) << health.error().message;
  ASSERT_EQ(health->size(), 2u);
  EXPECT_EQ(health->at(0).target, targets[0]);
  EXPECT_EQ(health->at(0).state, "draining");
  EXPECT_EQ(health->at(0).reason, "Target.DeregistrationInProgress");
  EXPECT_EQ(health->at(1).target, targets[1]);
  EXPECT_EQ(seen_.at(0).body,
            "Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=arn%3Ag"
            "&Targets.member.1.Id=i-1&Targets.member.1.Port=32768&Targets.member.2.Id=10.0.0.7");
}

TEST_F(ElbTest, UnknownTargetGroupIsGone) {
  reply(
      "<ErrorResponse><Error><Code>TargetGroupNotFound</Code><Message>No.</Message></Error>"
      "<RequestId>r</RequestId></ErrorResponse>",
      400);
  const auto health = run(describe_target_health(client(), "arn:g"));
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().kind, ErrorKind::kGone);
  EXPECT_EQ(health.error().message,
            "elbv2 DescribeTargetHealth arn:g: TargetGroupNotFound: No. (request r)");
}

TEST_F(ElbTest, AttributesOfATargetGroup) {
  reply(R"(<DescribeTargetGroupAttributesResponse><DescribeTargetGroupAttributesResult><Attributes>
    <member><Key>deregistration_delay.timeout_seconds</Key><Value>90</Value></member>
    <member><Key>stickiness.enabled</Key><Value>false</Value></member>
    </Attributes></DescribeTargetGroupAttributesResult></DescribeTargetGroupAttributesResponse>)");
  const auto attributes = run(describe_target_group_attributes(client(), "arn:g"));
  ASSERT_TRUE(attributes.has_value()) << attributes.error().message;
  EXPECT_EQ(attributes->deregistration_delay_s, 90);
  EXPECT_EQ(attributes->others.at("stickiness.enabled"), "false");
}

TEST_F(ElbTest, ADelayThatIsNoNumberIsAnError) {
  reply(R"(<DescribeTargetGroupAttributesResponse><DescribeTargetGroupAttributesResult><Attributes>
    <member><Key>deregistration_delay.timeout_seconds</Key><Value>soon</Value></member>
    </Attributes></DescribeTargetGroupAttributesResult></DescribeTargetGroupAttributesResponse>)");
  const auto attributes = run(describe_target_group_attributes(client(), "arn:g"));
  ASSERT_FALSE(attributes.has_value());
  EXPECT_THAT(attributes.error().message, HasSubstr("no number of seconds"));
}

TEST_F(ElbTest, DeregistersTargets) {
  reply("<DeregisterTargetsResponse><DeregisterTargetsResult/></DeregisterTargetsResponse>");
  const std::vector<Target> targets{{.id = "i-1", .port = 80}};
  EXPECT_TRUE(run(deregister_targets(client(), "arn:g", targets)).has_value());
  EXPECT_THAT(seen_.at(0).body, HasSubstr("Action=DeregisterTargets"));
}

TEST_F(ElbTest, ATargetThatIsNotRegisteredIsNoErrorToDeregister) {
  reply(
      "<ErrorResponse><Error><Code>InvalidTarget</Code><Message>No.</Message></Error>"
      "</ErrorResponse>",
      400);
  const std::vector<Target> targets{{.id = "i-1", .port = 80}};
  EXPECT_TRUE(run(deregister_targets(client(), "arn:g", targets)).has_value());
  const auto health = run(describe_target_health(client(), "arn:g", targets));
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().kind, ErrorKind::kGone);
}

TEST_F(ElbTest, NoTargetsNoCall) {
  EXPECT_TRUE(run(deregister_targets(client(), "arn:g", {})).has_value());
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace spotkeeper::aws
