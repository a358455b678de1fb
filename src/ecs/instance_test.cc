// SPDX-License-Identifier: Apache-2.0
#include "ecs/instance.h"

#include <gmock/gmock.h>

#include "ecs/own_task.h"
#include "ecs/test_tasks.h"

namespace spotkeeper::ecs {
namespace {

TEST(Instance, WhatIntrospectionSays) {
  const auto said = decode_introspection(R"({"Cluster":"prod","ContainerInstanceArn":")" +
                                         kInstanceArn + R"(","Version":"x"})");
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(said->cluster, "prod");
  EXPECT_EQ(said->instance_arn, kInstanceArn);
  const auto early = decode_introspection(R"({"Cluster":"prod","ContainerInstanceArn":null})");
  ASSERT_TRUE(early) << "not registered yet";
  EXPECT_EQ(early->instance_arn, "");
  EXPECT_FALSE(decode_introspection("<html>")) << "another server at that port";
  EXPECT_FALSE(decode_introspection("{}"));
}

TEST(Instance, ArnsOfBothForms) {
  EXPECT_EQ(cluster_of(kInstanceArn), "prod");
  EXPECT_EQ(short_id(kInstanceArn), "aaaa");
  EXPECT_EQ(cluster_of("arn:aws:ecs:eu-west-1:1:container-instance/aaaa"), "");
  EXPECT_EQ(short_id("aaaa"), "aaaa");
}

// docs: a filter alone is not believed.
TEST(Instance, OnlyAnAnswerWithThatInstanceIdIsTaken) {
  const std::vector<aws::ContainerInstance> found{
      {.arn = "a", .ec2_instance_id = "i-2", .status = "ACTIVE", .agent_connected = true}};
  EXPECT_EQ(choose(found, "i-1"), nullptr);
  EXPECT_EQ(choose(found, "i-2"), &found[0]);
}

TEST(Instance, SilenceIsDoubtedEverMoreRarely) {
  std::vector<int> doubted;
  for (int attempt = 1; attempt <= 40; ++attempt) {
    if (silence_at(attempt) == Silence::kDoubted) doubted.push_back(attempt);
  }
  EXPECT_THAT(doubted, testing::ElementsAre(4, 8, 16, 32));
}

TEST(Instance, ARegistrationThatWasLeftBehindIsNotTaken) {
  const std::vector<aws::ContainerInstance> found{
      {.arn = "gone", .ec2_instance_id = "i-1", .status = "INACTIVE", .agent_connected = true},
      {.arn = "lost", .ec2_instance_id = "i-1", .status = "ACTIVE", .agent_connected = false},
      {.arn = "here", .ec2_instance_id = "i-1", .status = "DRAINING", .agent_connected = true}};
  ASSERT_NE(choose(found, "i-1"), nullptr);
  EXPECT_EQ(choose(found, "i-1")->arn, "here");
}

TEST(Instance, OurOwnTaskIsReadFromEitherDocument) {
  const OwnTask own = decode_own_task(
      R"({"TaskARN":"t","Cluster":"prod","ContainerInstanceARN":"c","Family":"spotkeeper"})");
  EXPECT_EQ(own.arn, "t");
  EXPECT_EQ(own.container_instance, "c");
  EXPECT_EQ(decode_own_task("no JSON").arn, "");
}

}  // namespace
}  // namespace spotkeeper::ecs
