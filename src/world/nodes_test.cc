// SPDX-License-Identifier: Apache-2.0
// Scheduler, kubelets, hosts that end.
#include <gtest/gtest.h>

#include "world/test_world.h"

namespace spotkeeper::world {
namespace {

TEST(Nodes, APodThatFitsNowhereWaits) {
  TestWorld t(0);
  t.make(make_node("small", "i-1", "eu-west-1a", 1));
  t.make(make_deployment("web", 2));
  t.run(Seconds(1));
  EXPECT_EQ(t.serving("web"), 1);
  const auto pods = t.pods("web");
  const auto waits = std::ranges::find_if(pods, [](const Ptr<Pod>& pod) { return !pod->ready(); });
  EXPECT_EQ(find_condition((*waits)->status.conditions, "PodScheduled")->reason, "Unschedulable");
  t.make(make_node("more", "i-2"));
  t.run(Seconds(1));
  EXPECT_EQ(t.serving("web"), 2);
}

TEST(Nodes, TaintsAndCordonsAreHeeded) {
  TestWorld t(2);
  ASSERT_TRUE(t.world.update<Node>({{}, "n1"}, {}, [](Node& node) {
    node.spec.taints.push_back({.key = "k", .value = {}, .effect = "NoSchedule"});
  }));
  t.make(make_deployment("web", 3));
  t.make(make_deployment("tough", 1, {.tolerations = {{.key = {}, .op = "Exists"}}}));
  t.run(Seconds(1));
  EXPECT_EQ(t.serving("web"), 3);
  EXPECT_EQ(t.pods("tough")[0]->node, "n1") << "the emptier one";
  for (const auto& pod : t.pods("web")) EXPECT_EQ(pod->node, "n2");
}

TEST(Nodes, NoExecuteDrivesPodsOut) {
  TestWorld t(2);
  t.make(make_deployment("web", 4));
  t.run(Seconds(1));
  ASSERT_FALSE(t.world.pods_on("n1").empty());
  ASSERT_TRUE(t.world.update<Node>({{}, "n1"}, {}, [](Node& node) {
    node.spec.taints.push_back({.key = "k", .value = {}, .effect = "NoExecute"});
  }));
  t.run(Seconds(2));
  EXPECT_TRUE(t.world.pods_on("n1").empty());
  EXPECT_EQ(t.serving("web"), 4);
}

TEST(Nodes, PodsAreSpread) {
  TestWorld t(3);
  Deployment web = make_deployment("web", 3);
  auto spec = std::make_shared<PodSpec>(*web.spec.pod.spec);
  spec->spread.push_back(
      {.topology_key = "kubernetes.io/hostname", .max_skew = 1, .selector = web.spec.selector});
  web.spec.pod.spec = spec;
  t.make(web);
  t.run(Seconds(1));
  for (const char* node : {"n1", "n2", "n3"}) EXPECT_EQ(t.world.pods_on(node).size(), 1U);
}

TEST(Nodes, ReadinessComesLateOrIsLost) {
  TestWorld t;
  t.make(make_service("late"));
  t.make(make_pod("late", "n1", {.behaviour = {.ready_after = Seconds(3)}}));
  t.make(make_pod("never", "n1", {.behaviour = {.ready_after = std::nullopt}}));
  t.run(Seconds(2));
  EXPECT_EQ(t.world.find<Pod>({"default", "late"})->status.phase, Phase::kRunning);
  EXPECT_FALSE(t.world.find<Pod>({"default", "late"})->ready());
  t.run(Seconds(2));
  EXPECT_TRUE(t.world.find<Pod>({"default", "late"})->ready());
  EXPECT_FALSE(t.world.find<Pod>({"default", "never"})->ready());
  t.world.set_ready({"default", "late"}, false);
  t.run(Seconds(2));
  EXPECT_EQ(t.world.find<EndpointSlice>({"default", "late-endpoints"})->ready(), 0);
  t.world.set_ready({"default", "late"}, true);
  t.run(Seconds(1));
  const ServiceStory& story = t.world.history().services().at({"default", "late"});
  ASSERT_EQ(story.gaps.size(), 1U);
  EXPECT_NEAR(static_cast<double>(story.longest_gap(t.world.now()).count()), 2000, 150);
}

TEST(Nodes, WhatRunsWhenAHostEndsIsCutOff) {
  TestWorld t(2);
  t.make(make_pod("told", "n1", {.behaviour = {.ends_after = Seconds(20)}}));
  t.make(make_pod("untold", "n1"));
  t.make(make_pod("moved", "n1"));
  t.make(make_deployment("web", 2));
  t.run(Seconds(1));
  const auto told = t.world.find<Pod>({"default", "told"});
  const auto untold = t.world.find<Pod>({"default", "untold"});
  const auto moved = t.world.find<Pod>({"default", "moved"});
  t.world.end_host("n1", t.start + Seconds(10));
  t.run(Seconds(1));
  for (const auto& pod : {told, moved}) {
    ASSERT_TRUE(t.world.remove(Kind::kPod, pod->meta.key()));
  }
  t.run(Seconds(10));
  EXPECT_TRUE(t.story(told).told);
  EXPECT_EQ(t.story(told).cut_off, t.start + Seconds(10));
  EXPECT_FALSE(t.story(untold).told);
  EXPECT_TRUE(t.story(untold).cut_off);
  EXPECT_TRUE(t.story(moved).gone);
  EXPECT_FALSE(t.story(moved).cut_off);
  EXPECT_EQ(t.world.history().host_ended("n1"), t.start + Seconds(10));
  // Nobody removes what was told there until the Node goes.
  EXPECT_NE(t.world.find<Pod>({"default", "told"}), nullptr);
  t.run(Seconds(40));
  EXPECT_FALSE(t.world.find<Node>({{}, "n1"})->status.ready);
  t.run(Seconds(120));
  EXPECT_EQ(t.world.find<Node>({{}, "n1"}), nullptr);
  EXPECT_TRUE(t.world.pods_on("n1").empty());
  EXPECT_EQ(t.serving("web"), 2);
}

TEST(Nodes, AControllersWritesAreLimited) {
  TestWorld t(4, {.controller_rate = 20, .controller_burst = 30});
  t.make(make_deployment("web", 100));
  t.run(Seconds(2));
  EXPECT_LT(t.pods("web").size(), 75U);
  t.run(Seconds(3));
  EXPECT_EQ(t.serving("web"), 100);
}

}  // namespace
}  // namespace spotkeeper::world
