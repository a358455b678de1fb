// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/json.h"
#include "bootstrap/cloudformation.h"
#include "bootstrap/hcl.h"
#include "bootstrap/terraform.h"

namespace spotkeeper::bootstrap {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Wish cluster() {
  return {.name = "spotkeeper-prod",
          .cluster = "prod",
          .router = "",
          .queue = "spotkeeper-prod",
          .groups = {"web", "batch"},
          .managed_tag = "managed"};
}
const Place kHere{.partition = "aws", .region = "eu-west-1", .account = "123456789012"};

std::string text_of(const boost::json::value& value) {
  return boost::json::serialize(value);
}

TEST(Plan, AClusterHasAQueueRulesHooksAndAPolicy) {
  const Plan plan = make_plan(cluster(), kHere);
  ASSERT_TRUE(plan.queue && plan.policy);
  EXPECT_FALSE(plan.topic || plan.role || plan.is_router() || plan.is_routed());
  EXPECT_EQ(plan.queue->arn, "arn:aws:sqs:eu-west-1:123456789012:spotkeeper-prod");
  EXPECT_EQ(plan.target_arn(), plan.queue->arn);
  EXPECT_EQ(plan.rules.size(), 7u);
  ASSERT_EQ(plan.hooks.size(), 2u);
  EXPECT_STREQ(plan.hooks[1].default_result, "CONTINUE");
  EXPECT_THAT(text_of(plan.queue->policy),
              AllOf(HasSubstr("events.amazonaws.com"), HasSubstr("eu-west-1:123456789012:rule/*"),
                    HasSubstr("aws:SecureTransport")));
  EXPECT_THAT(text_of(plan.policy->document),
              AllOf(HasSubstr("autoScalingGroupName/web"), Not(HasSubstr("DetachInstances"))));
}

TEST(Plan, ALaunchHookGivesUpOnWhatDoesNotBecomeANode) {
  Wish wish = cluster();
  wish.launch_hooks = true;
  const Plan plan = make_plan(wish, kHere);
  ASSERT_EQ(plan.hooks.size(), 4u);
  EXPECT_STREQ(plan.hooks[1].default_result, "ABANDON");
  EXPECT_STREQ(plan.hooks[1].transition(), "autoscaling:EC2_INSTANCE_LAUNCHING");
}

TEST(Plan, ARouterHasTheRulesAndAClusterBehindItNone) {
  const Plan router = make_plan({.name = "hub", .router = "hub"}, kHere);
  EXPECT_TRUE(router.is_router());
  EXPECT_FALSE(router.queue || router.policy);
  EXPECT_EQ(router.rules.size(), 7u);
  EXPECT_EQ(router.target_arn(), "arn:aws:sns:eu-west-1:123456789012:hub");
  EXPECT_THAT(text_of(router.topic->policy), Not(HasSubstr("Condition")));

  Wish wish = cluster();
  wish.router = "hub";
  const Plan behind = make_plan(wish, kHere);
  EXPECT_TRUE(behind.is_routed());
  EXPECT_TRUE(behind.rules.empty());
  EXPECT_THAT(text_of(behind.queue->policy),
              AllOf(HasSubstr("sns.amazonaws.com"), HasSubstr(router.topic->arn),
                    Not(HasSubstr("events.amazonaws.com"))));
}

TEST(Plan, TheRoleIsForOneServiceAccount) {
  Wish wish = cluster();
  wish.identity = Identity::kIrsa;
  wish.oidc_issuer = "oidc.example/id/1";
  const Plan irsa = make_plan(wish, kHere);
  EXPECT_THAT(text_of(irsa.role->trust),
              AllOf(HasSubstr("arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1"),
                    HasSubstr(R"("oidc.example/id/1:sub":"system:serviceaccount:kube-system:)"
                              R"(spotkeeper-queue")")));
  wish.identity = Identity::kPodIdentity;
  EXPECT_THAT(
      text_of(make_plan(wish, kHere).role->trust),
      AllOf(HasSubstr("pods.eks.amazonaws.com"),
            HasSubstr(R"("aws:RequestTag/kubernetes-service-account":"spotkeeper-queue")")));
}

TEST(CloudFormation, WhatIsOfThisAccountIsSubstituted) {
  const auto rendered = to_cloudformation(make_plan(cluster(), cloudformation_place()));
  const boost::json::value root(rendered);
  EXPECT_EQ(
      text_of(*find(root, {"Resources", "Queue", "Properties", "RedrivePolicy"})),
      R"({"deadLetterTargetArn":{"Fn::GetAtt":["DeadLetters","Arn"]},"maxReceiveCount":500})");
  EXPECT_THAT(text_of(*find(root, {"Resources", "QueuePolicy"})),
              HasSubstr(R"({"Fn::Sub":"arn:${AWS::Partition}:sqs:${AWS::Region}:)"));
  EXPECT_TRUE(find(root, {"Resources", "TerminateHookweb"}));
}

TEST(CloudFormation, GroupsOfLikeNamesAreTwoResources) {
  Wish wish = cluster();
  wish.groups = {"a-b", "ab"};
  const boost::json::value root(to_cloudformation(make_plan(wish, cloudformation_place())));
  EXPECT_TRUE(find(root, {"Resources", "TerminateHookab"}));
  EXPECT_TRUE(find(root, {"Resources", "TerminateHookab2"}));
}

TEST(Hcl, ReferencesAreBareAndStringsAreQuoted) {
  const boost::json::object inner{{"a:b", "x ${y.z} %{"}, {"c", "${y.z}"}};
  EXPECT_EQ(to_hcl({{.type = "resource",
                     .labels = {"t", "n"},
                     .attributes = {{"ref", "${a.b.c}"},
                                    {"n", 3},
                                    {"json:doc", inner},
                                    {"list", boost::json::array{"a", true}}},
                     .blocks = {{.type = "tag", .attributes = {{"key", "k\""}}}}}}),
            "resource \"t\" \"n\" {\n"
            "  ref  = a.b.c\n"
            "  n    = 3\n"
            "  doc  = jsonencode({\n"
            "    \"a:b\" = \"x ${y.z} %%{\"\n"
            "    c = y.z\n"
            "  })\n"
            "  list = [\"a\", true]\n"
            "  tag {\n"
            "    key = \"k\\\"\"\n"
            "  }\n"
            "}\n");
}

TEST(Terraform, AGroupIsTagged) {
  const std::string text = to_terraform(make_plan(cluster(), terraform_place("eu-west-1")));
  EXPECT_THAT(text,
              AllOf(HasSubstr(R"(resource "aws_autoscaling_group_tag" "managed_web")"),
                    HasSubstr("maxReceiveCount = 500"), HasSubstr(R"(region = "eu-west-1")")));
}

}  // namespace
}  // namespace spotkeeper::bootstrap
