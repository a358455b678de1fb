// SPDX-License-Identifier: Apache-2.0
#include "ecs/targets.h"

#include <gmock/gmock.h>

#include "ecs/test_tasks.h"

namespace spotkeeper::ecs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const aws::EcsLoadBalancer kBalancer{
    .target_group_arn = "tg", .classic_name = {}, .container_name = "app", .container_port = 80};

aws::TargetHealth target(const std::string& id, int64_t port,
                         const std::string& state = "healthy") {
  return {.target = {.id = id, .port = port}, .state = state, .reason = {}, .description = {}};
}

TEST(Targets, ByTheHostsIdAndThePortItsContainerHasThere) {
  const std::vector<aws::TargetHealth> registered{target("i-1", 32768), target("i-1", 32769),
                                                  target("i-2", 32768)};
  EXPECT_THAT(targets_of(registered, make_task("1", "web"), "bridge", kBalancer, "i-1"),
              ElementsAre(registered[0].target));
  aws::EcsLoadBalancer other = kBalancer;
  other.container_name = "sidecar";
  EXPECT_THAT(targets_of(registered, make_task("1", "web"), "bridge", other, "i-1"), IsEmpty());
}

TEST(Targets, ByItsOwnAddressWhereItHasOne) {
  aws::EcsTask task = make_task("1", "web");
  task.containers[0].bindings.clear();
  task.containers[0].private_ips = {"10.0.0.7"};
  const std::vector<aws::TargetHealth> registered{target("10.0.0.7", 80), target("10.0.0.8", 80)};
  EXPECT_THAT(targets_of(registered, task, "awsvpc", kBalancer, "i-1"),
              ElementsAre(registered[0].target));
}

// ECS lists no bindings of a container in the host's network.
TEST(Targets, InTheHostsNetworkByTheContainersOwnPort) {
  aws::EcsTask task = make_task("1", "web");
  task.containers[0].bindings.clear();
  const std::vector<aws::TargetHealth> registered{target("i-1", 80), target("i-1", 81),
                                                  target("i-2", 80)};
  EXPECT_THAT(targets_of(registered, task, "host", kBalancer, "i-1"),
              ElementsAre(registered[0].target));
  struct Row {
    const char* network_mode;
    const char* ec2_instance_id;
  };
  for (const Row& row : {Row{"bridge", "i-1"}, Row{"", "i-1"}, Row{"host", ""}}) {
    EXPECT_THAT(targets_of(registered, task, row.network_mode, kBalancer, row.ec2_instance_id),
                IsEmpty())
        << row.network_mode << " " << row.ec2_instance_id;
  }
}

TEST(Targets, TheLastHealthyOneHasNobodyToServeForIt) {
  const std::vector<aws::Target> own{{.id = "i-1", .port = 1}};
  EXPECT_FALSE(others_serve({target("i-1", 1)}, own));
  EXPECT_FALSE(others_serve(
      {target("i-1", 1), target("i-2", 1, "initial"), target("i-3", 1, "draining")}, own));
  EXPECT_TRUE(others_serve({target("i-1", 1), target("i-2", 1)}, own));
}

TEST(Targets, TheLastOneServesOnUntilItsConnectionsNeedTheRest) {
  const Time end(Seconds(1'000'000));
  EXPECT_EQ(serves_until(end, Seconds(30), Seconds(10)), end - Seconds(40) - kBeforeStop);
}

TEST(Targets, WhatIsRegisteredAndDoesNotDrainIsToBeTakenOut) {
  struct Row {
    const char* state;
    bool taken;
  };
  const std::vector<aws::Target> own{{.id = "i-1", .port = 1}};
  for (const Row& row :
       {Row{"healthy", true}, Row{"initial", true}, Row{"unhealthy", true}, Row{"draining", false},
        Row{"unhealthy.draining", false}, Row{"unused", false}}) {
    EXPECT_EQ(!not_draining({target("i-1", 1, row.state), target("i-2", 1)}, own).empty(),
              row.taken)
        << row.state;
  }
}

TEST(Targets, DrainingEndsWhenNoOwnTargetDrains) {
  const std::vector<aws::Target> own{{.id = "i-1", .port = 1}};
  EXPECT_TRUE(any_draining({target("i-1", 1, "draining")}, own));
  EXPECT_TRUE(any_draining({target("i-1", 1, "unhealthy.draining")}, own));
  EXPECT_FALSE(any_draining({target("i-1", 1, "unused"), target("i-2", 1, "draining")}, own));
}

}  // namespace
}  // namespace spotkeeper::ecs
