// SPDX-License-Identifier: Apache-2.0
// The controllers, as the rig's control plane behaves.
#include <gtest/gtest.h>

#include "world/test_world.h"

namespace spotkeeper::world {
namespace {

TEST(Workloads, ReplacementsStartInMillisecondsAndGoElsewhere) {
  TestWorld t;
  t.cordon("n2");
  t.make(make_deployment("web", 3, {.behaviour = {.ends_after = Seconds(5)}}));
  t.run(Seconds(1));
  EXPECT_EQ(t.world.pods_on("n1").size(), 3U);
  t.cordon("n1");
  t.cordon("n2", false);
  for (const auto& pod : t.pods("web")) ASSERT_TRUE(t.world.evict(pod->meta.key()));
  t.run(Millis(50));
  EXPECT_EQ(t.world.pods_on("n2").size(), 3U) << "old ones still end";
  t.run(Seconds(6));
  EXPECT_EQ(t.world.pods_on("n1").size(), 0U);
  EXPECT_EQ(t.serving("web"), 3);
}

TEST(Workloads, AReleasedPodIsReplacedAtOnceAndStaysInItsService) {
  TestWorld t;
  t.make(make_deployment("web", 1));
  t.make(make_service("web"));
  t.make(make_min_available("web", {1}));
  t.run(Seconds(1));
  const Ptr<Pod> old = t.pods("web")[0];
  ASSERT_TRUE(t.world.update<Pod>(old->meta.key(), {.uid = old->meta.uid},
                                  [](Pod& pod) { pod.meta.labels.set(kHashLabel, "released"); }));
  t.run(Millis(50));
  EXPECT_EQ(t.pods("web").size(), 2U);
  EXPECT_FALSE(t.world.find<Pod>(old->meta.key())->meta.owner);
  t.run(Seconds(1));
  const auto slice = t.world.find<EndpointSlice>({"default", "web-endpoints"});
  EXPECT_EQ(slice->ready(), 2);
  EXPECT_EQ(t.budget("web")->status.disruptions_allowed, 1) << "2 healthy, 1 needed";
  EXPECT_TRUE(t.world.evict(old->meta.key()));
  t.run(Seconds(2));
  EXPECT_TRUE(t.world.history().services().at({"default", "web"}).gaps.empty());
}

TEST(Workloads, AnOrphanWithTheRightLabelsIsAdopted) {
  TestWorld t;
  t.make(make_deployment("web", 2));
  t.run(Seconds(1));
  const Ptr<Pod> old = t.pods("web")[0];
  const std::string hash = old->meta.labels.at(kHashLabel);
  const auto label = [&](const std::string& value) {
    ASSERT_TRUE(t.world.update<Pod>(old->meta.key(), {},
                                    [&](Pod& pod) { pod.meta.labels.set(kHashLabel, value); }));
    t.run(Millis(500));
  };
  label("released");
  EXPECT_EQ(t.serving("web"), 3);
  label(hash);
  EXPECT_EQ(t.serving("web"), 2) << "adopted, and one too many";
  for (const auto& pod : t.pods("web")) EXPECT_TRUE(pod->meta.owner);
}

TEST(Workloads, ADeploymentRollsWithinItsLimits) {
  TestWorld t(3);
  t.make(make_deployment("web", 4, {.behaviour = {.ready_after = Seconds(1)}}));
  t.run(Seconds(3));
  ASSERT_EQ(t.serving("web"), 4);
  int fewest = 4;
  size_t most = 0;
  t.world.observe([&](const Event& event) {
    if (event.kind() != Kind::kPod) return;
    fewest = std::min(fewest, t.serving("web"));
    const auto all = t.pods("web");
    most = std::max(most, static_cast<size_t>(std::ranges::count_if(
                              all, [](const Ptr<Pod>& pod) { return pod->active(); })));
  });
  ASSERT_TRUE(t.world.update<Deployment>({"default", "web"}, {}, [](Deployment& each) {
    each.spec.pod.annotations.set("version", "2");
  }));
  t.run(Seconds(20));
  EXPECT_EQ(t.serving("web"), 4);
  for (const auto& pod : t.pods("web")) EXPECT_EQ(pod->meta.annotations.at("version"), "2");
  EXPECT_GE(fewest, 3);
  // The controller counts what its ReplicaSets are to have: one pod more may be there for a moment.
  EXPECT_LE(most, 6U);
  EXPECT_EQ(t.world.list<ReplicaSet>().size(), 2U);
  EXPECT_EQ(t.world.find<Deployment>({"default", "web"})->status.revision, 2);
}

TEST(Workloads, RecreateEndsTheOldFirst) {
  TestWorld t;
  Deployment web = make_deployment("web", 2, {.behaviour = {.ends_after = Seconds(2)}});
  web.spec.recreate = true;
  t.make(web);
  t.run(Seconds(2));
  ASSERT_TRUE(t.world.update<Deployment>({"default", "web"}, {}, [](Deployment& each) {
    each.spec.pod.annotations.set("version", "2");
  }));
  t.run(Seconds(1));
  EXPECT_EQ(t.serving("web"), 0);
  EXPECT_EQ(t.pods("web").size(), 2U);
  t.run(Seconds(3));
  EXPECT_EQ(t.serving("web"), 2);
}

TEST(Workloads, ADeploymentIsScaledAndDeletedWithItsPods) {
  TestWorld t;
  t.make(make_deployment("web", 2));
  t.run(Seconds(1));
  const auto scale = [&](int replicas) {
    ASSERT_TRUE(t.world.update<Deployment>(
        {"default", "web"}, {}, [&](Deployment& each) { each.spec.replicas = replicas; }));
    t.run(Seconds(2));
    EXPECT_EQ(t.serving("web"), replicas);
  };
  scale(5);
  scale(1);
  ASSERT_TRUE(t.world.remove(Kind::kDeployment, {"default", "web"}));
  t.run(Seconds(3));
  EXPECT_TRUE(t.pods("web").empty());
  EXPECT_TRUE(t.world.list<ReplicaSet>().empty());
}

TEST(Workloads, AStatefulPodComesBackWhenTheOldOneIsGone) {
  TestWorld t;
  t.make(make_stateful_set("db", 3,
                           {.behaviour = {.ready_after = Seconds(1), .ends_after = Seconds(5)}}));
  t.run(Millis(1500));
  EXPECT_LE(t.pods("db").size(), 2U) << "one after the other";
  t.run(Seconds(4));
  ASSERT_EQ(t.serving("db"), 3);
  const Ptr<Pod> old = t.world.find<Pod>({"default", "db-1"});
  ASSERT_TRUE(t.world.evict(old->meta.key()));
  t.run(Seconds(4));
  EXPECT_EQ(t.world.find<Pod>({"default", "db-1"})->meta.uid, old->meta.uid);
  t.run(Seconds(4));
  EXPECT_EQ(t.serving("db"), 3);
  EXPECT_NE(t.world.find<Pod>({"default", "db-1"})->meta.uid, old->meta.uid);
}

TEST(Workloads, ADaemonPodComesBackInSeconds) {
  TestWorld t;
  t.make(make_daemon_set("logs"));
  t.run(Seconds(2));
  EXPECT_EQ(t.serving("logs"), 2);
  t.cordon("n1");
  for (const auto& pod : t.world.pods_on("n1")) {
    ASSERT_TRUE(t.world.remove(Kind::kPod, pod->meta.key()));
  }
  t.run(Millis(900));
  EXPECT_EQ(t.serving("logs"), 1);
  t.run(Seconds(4));
  EXPECT_EQ(t.serving("logs"), 2);
  // A taint that it does not tolerate keeps the next one away.
  ASSERT_TRUE(t.world.update<Node>({{}, "n1"}, {}, [](Node& node) {
    node.spec.taints.push_back(
        {.key = "aws-node-termination-handler/spot-itn", .value = "x", .effect = "NoSchedule"});
  }));
  for (const auto& pod : t.world.pods_on("n1")) {
    ASSERT_TRUE(t.world.remove(Kind::kPod, pod->meta.key()));
  }
  t.run(Seconds(6));
  EXPECT_EQ(t.serving("logs"), 1);
}

TEST(Workloads, AJobRunsToItsEndAndBacksOffAfterALoss) {
  TestWorld t;
  t.make(make_job("short", 2, {.behaviour = {.runs_for = Seconds(3)}}));
  t.make(make_job("batch", 1, {.behaviour = {.runs_for = Seconds(600)}}));
  t.run(Seconds(5));
  EXPECT_TRUE(t.world.find<Job>({"default", "short"})->over());
  EXPECT_EQ(t.world.find<Job>({"default", "short"})->status.succeeded, 2);
  const Ptr<Pod> lost = t.pods("batch")[0];
  EXPECT_EQ(lost->meta.finalizers.size(), 1U);
  ASSERT_TRUE(t.world.remove(Kind::kPod, lost->meta.key()));
  t.run(Seconds(9));
  EXPECT_EQ(t.world.find<Job>({"default", "batch"})->status.failed, 1);
  EXPECT_EQ(t.world.find<Pod>(lost->meta.key()), nullptr) << "counted, so its finalizer is gone";
  EXPECT_EQ(t.serving("batch"), 0);
  t.run(Seconds(3));
  EXPECT_EQ(t.serving("batch"), 1);
}

TEST(Workloads, AJobThatMayNotFailFails) {
  TestWorld t;
  Job strict = make_job("strict", 1, {.behaviour = {.runs_for = Seconds(600)}});
  strict.spec.backoff_limit = 0;
  t.make(strict);
  Job lenient = make_job("lenient", 1, {.behaviour = {.runs_for = Seconds(600)}});
  lenient.spec.backoff_limit = 0;
  lenient.spec.ignores_disruption = true;
  t.make(lenient);
  t.run(Seconds(1));
  for (const char* name : {"strict", "lenient"}) {
    ASSERT_TRUE(t.world.evict(t.pods(name)[0]->meta.key()));
  }
  t.run(Seconds(2));
  EXPECT_TRUE(t.world.find<Job>({"default", "strict"})->over());
  EXPECT_FALSE(t.world.find<Job>({"default", "lenient"})->over());
  EXPECT_EQ(t.serving("lenient"), 1) << "an eviction is no failure of its own";
}

TEST(Workloads, BudgetsOverPodsWithoutAScale) {
  TestWorld t;
  t.make(make_pod("bare", "n1"));
  t.make(make_max_unavailable("bare", {1}));
  t.make(make_job("batch", 1, {.behaviour = {.runs_for = Seconds(600)}}));
  t.make(make_max_unavailable("batch", {1}));
  t.run(Seconds(1));
  EXPECT_EQ(t.budget("bare")->status.observed_generation, 1);
  EXPECT_EQ(t.budget("bare")->status.current_healthy, 1);
  EXPECT_EQ(t.world.evict({"default", "bare"}).error().causes[0].message,
            "The disruption budget bare needs 0 healthy pods and has 1 currently");
  EXPECT_EQ(t.budget("batch")->status.observed_generation, 0);
  EXPECT_EQ(t.world.evict(t.pods("batch")[0]->meta.key()).error().retry_after_s, 10);
}

TEST(Workloads, PercentagesCountReleasedPodsAsHealthyOnly) {
  TestWorld t;
  t.make(make_deployment("rel", 2));
  t.make(make_max_unavailable("rel", {50, true}));
  t.run(Seconds(1));
  ASSERT_TRUE(t.world.update<Pod>(t.pods("rel")[0]->meta.key(), {},
                                  [](Pod& pod) { pod.meta.labels.set(kHashLabel, "x"); }));
  t.run(Seconds(1));
  const Budget::Status status = t.budget("rel")->status;
  EXPECT_EQ(status.current_healthy, 3);
  EXPECT_EQ(status.desired_healthy, 1);
  EXPECT_EQ(status.expected_pods, 2);
  EXPECT_EQ(status.disruptions_allowed, 2);
}

// A ReplicaSet that may not let go of a pod does nothing at all until the pod's label is back.
TEST(Workloads, APolicyThatForbidsOwnerlessPodsFreezesTheReplicaSet) {
  TestWorld cluster(2);
  cluster.world.admit("default", {.owner_stays = true});
  cluster.make(make_deployment("web", 2));
  cluster.run(Seconds(5));
  ASSERT_EQ(cluster.serving("web"), 2);
  const Key key = cluster.pods("web").front()->meta.key();
  const std::string hash = cluster.pods("web").front()->meta.labels.at(kHashLabel);
  const auto relabel = [&](const std::string& to) {
    return cluster.world.update<Pod>(key, {},
                                     [&](Pod& each) { each.meta.labels.set(kHashLabel, to); });
  };
  ASSERT_TRUE(relabel("released"));
  cluster.run(Seconds(5));
  EXPECT_TRUE(cluster.world.find<Pod>(key)->meta.owner);
  EXPECT_EQ(cluster.pods("web").size(), 2U);
  ASSERT_TRUE(cluster.world.update<Deployment>({"default", "web"}, {},
                                               [](Deployment& each) { each.spec.replicas = 3; }));
  cluster.run(Seconds(5));
  EXPECT_EQ(cluster.pods("web").size(), 2U);
  ASSERT_TRUE(relabel(hash));
  cluster.run(Seconds(1));
  EXPECT_EQ(cluster.pods("web").size(), 3U);
}

TEST(Workloads, APolicyMayForbidTheLabelChangeItself) {
  TestWorld cluster(2);
  cluster.make(make_deployment("web", 1));
  cluster.run(Seconds(5));
  const Key key = cluster.pods("web").front()->meta.key();
  for (const int code : {422, 403}) {
    cluster.world.admit("default", {.hash_stays = code});
    const auto refused = cluster.world.update<Pod>(
        key, {}, [](Pod& each) { each.meta.labels.set(kHashLabel, "released"); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, code);
    EXPECT_TRUE(cluster.world.update<Pod>(
        key, {}, [](Pod& each) { each.meta.labels.set("other", "label"); }));
  }
}

}  // namespace
}  // namespace spotkeeper::world
