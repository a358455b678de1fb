// SPDX-License-Identifier: Apache-2.0
#include "emulator/codec.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "world/workloads.h"

namespace spotkeeper::emulator {
namespace {

constexpr Time kStart{Seconds(1'800'000'000)};

// A copy of the object that went over the wire and back.
template <class T>
T round_trip(const T& object) {
  const json::value sent = json::parse(json::serialize(encode(object)));
  T back = object;
  decode_meta(sent, back);
  decode_spec(sent, back);
  decode_status(sent, back);
  return back;
}

TEST(Codec, KeepsANodeToTheMillisecond) {
  world::Node node = world::make_node("n1", "i-0123");
  node.spec.unschedulable = true;
  node.spec.taints = {
      {.key = "a", .value = "b", .effect = "NoSchedule"},
      {.key = "c", .value = {}, .effect = "NoExecute", .time_added = kStart + Millis(123)}};
  node.meta.labels.set("zone", "a");
  node.meta.annotations.set("note", "x\"y");
  EXPECT_EQ(round_trip(node), node);
}

TEST(Codec, KeepsAPod) {
  world::Pod pod = world::make_pod("web-1", "n1", {.grace = Seconds(77), .empty_dir = true});
  pod.meta.owner =
      world::Owner{.kind = world::Kind::kReplicaSet, .name = "web", .uid = world::Uid{.value = 7}};
  pod.meta.finalizers = {"example.com/hold"};
  pod.status.phase = world::Phase::kRunning;
  pod.status.started = kStart;
  pod.status.conditions = {
      {.type = "Ready", .status = true, .reason = {}, .message = {}, .since = kStart + Millis(250)},
      {.type = "DisruptionTarget", .status = true, .reason = "R", .message = "m", .since = kStart}};
  world::Pod back = round_trip(pod);
  EXPECT_EQ(back.meta, pod.meta);
  EXPECT_EQ(back.status, pod.status) << "milliseconds, and no derived conditions";
  EXPECT_EQ(back.node, "n1");
  EXPECT_EQ(back.spec->grace, Seconds(77));
  EXPECT_TRUE(back.spec->empty_dir);
  EXPECT_EQ(back.spec->tolerations.size(), 2u) << "those of admission";
}

TEST(Codec, KeepsWorkloadsAndBudgets) {
  world::Deployment deployment = world::make_deployment("web", 3);
  deployment.spec.max_surge = {.value = 2, .percent = false};
  deployment.spec.max_unavailable = {.value = 10, .percent = true};
  deployment.status.revision = 4;
  EXPECT_EQ(round_trip(deployment), deployment) << "its revision is no annotation of ours";
  deployment.spec.recreate = true;
  EXPECT_TRUE(round_trip(deployment).spec.recreate);
  const world::StatefulSet set = world::make_stateful_set("db", 2);
  EXPECT_EQ(round_trip(set), set);
  world::Job job = world::make_job("batch", 2);
  job.spec.ignores_disruption = true;
  EXPECT_EQ(round_trip(job), job);
  world::Budget budget = world::make_min_available("web", {.value = 50, .percent = true});
  budget.spec.always_allow_unhealthy = true;
  budget.spec.selector->match_expressions = {{.key = "a", .op = "In", .values = {"b", "c"}}};
  EXPECT_EQ(round_trip(budget), budget);
  budget.spec.selector.reset();
  EXPECT_EQ(round_trip(budget), budget);
  const world::Service service = world::make_service("web");
  EXPECT_EQ(round_trip(service), service);
}

TEST(Codec, ReadsWhatContainersWouldDoFromAnnotations) {
  const auto behaviour = [](const char* annotations) {
    const json::value object = json::parse(std::string(R"({"metadata":{"annotations":{)") +
                                           annotations + R"(}},"spec":{}})");
    world::Pod pod;
    decode_meta(object, pod);
    decode_spec(object, pod);
    return pod.spec->behaviour;
  };
  const world::Behaviour plain = behaviour("");
  EXPECT_EQ(plain.ready_after, Millis(0));
  EXPECT_EQ(plain.ends_after, Millis(200));
  EXPECT_EQ(behaviour(R"("rig.spotkeeper.io/ready-after":"1.5")").ready_after, Millis(1500));
  EXPECT_EQ(behaviour(R"("rig.spotkeeper.io/ready-after":"never")").ready_after, std::nullopt);
  EXPECT_EQ(behaviour(R"("rig.spotkeeper.io/ends-after":"3")").ends_after, Millis(3000));
  EXPECT_EQ(behaviour(R"("rig.spotkeeper.io/completes-after":"0.2")").runs_for, Millis(200));
}

TEST(Codec, TakesKubernetesDefaultsForWhatIsMissing) {
  const json::value object = json::parse(R"({"spec":{"template":{"spec":{}}}})");
  world::Deployment deployment;
  decode_spec(object, deployment);
  EXPECT_EQ(deployment.spec.replicas, 1);
  EXPECT_EQ(deployment.spec.max_surge.text(), "25%");
  EXPECT_EQ(deployment.spec.pod.spec->grace, Seconds(30));
}

TEST(Codec, SurvivesWrongTypes) {
  const json::value object = json::parse(
      R"({"metadata":{"labels":[1],"annotations":{"a":1},"ownerReferences":{}},)"
      R"("spec":{"taints":{},"unschedulable":"yes","providerID":7},"status":{"conditions":"x"}})");
  world::Node node;
  decode_meta(object, node);
  decode_spec(object, node);
  decode_status(object, node);
  EXPECT_TRUE(node.spec.taints.empty());
  EXPECT_FALSE(node.spec.unschedulable);
}

}  // namespace
}  // namespace spotkeeper::emulator
