// SPDX-License-Identifier: Apache-2.0
// Each answer as a Kubernetes 1.34 API server gave it.
#include <gtest/gtest.h>

#include "world/test_world.h"

namespace spotkeeper::world {
namespace {

struct Guarded : TestWorld {
  explicit Guarded(int replicas = 2, IntOrPercent most = {1}) {
    make(make_deployment("web", replicas, {.behaviour = {.ends_after = Seconds(20)}}));
    make(make_max_unavailable("web", most));
    run(Seconds(2));
    EXPECT_EQ(serving("web"), replicas);
  }
  Key first() const { return pods("web")[0]->meta.key(); }
};

TEST(Eviction, AClosedBudgetRefusesWithItsCause) {
  Guarded t(2, {0});
  const Answer<void> answer = t.world.evict(t.first());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, 429);
  EXPECT_EQ(answer.error().reason, "TooManyRequests");
  EXPECT_EQ(answer.error().retry_after_s, 0);
  ASSERT_EQ(answer.error().causes.size(), 1U);
  EXPECT_EQ(answer.error().causes[0].reason, "DisruptionBudget");
  EXPECT_EQ(answer.error().causes[0].message,
            "The disruption budget web needs 2 healthy pods and has 2 currently");
}

TEST(Eviction, ABudgetThatIsNotSyncedAsksForPatience) {
  Guarded t;
  ASSERT_TRUE(t.world.update<Budget>({"default", "web"}, {}, [](Budget& budget) {
    budget.spec.max_unavailable = IntOrPercent{2};
  }));
  const Answer<void> answer = t.world.evict(t.first());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, 429);
  EXPECT_EQ(answer.error().retry_after_s, 10);
  t.run(Millis(100));
  EXPECT_TRUE(t.world.evict(t.first()));
}

TEST(Eviction, TwoBudgetsAreAnErrorWithoutAReason) {
  Guarded t;
  Budget second = make_max_unavailable("web", {1});
  second.meta.name = "web2";
  t.make(second);
  const Answer<void> answer = t.world.evict(t.first());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, 500);
  EXPECT_EQ(answer.error().reason, "");
  EXPECT_EQ(answer.error().message,
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support.");
}

TEST(Eviction, ThePriceIsPaidBeforeTheUidIsLookedAt) {
  Guarded t;
  const Answer<void> answer = t.world.evict(t.first(), {.only_if = {.uid = Uid{4711}}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, 409);
  EXPECT_NE(answer.error().message.find("the UID in the precondition"), std::string::npos);
  EXPECT_EQ(t.budget("web")->status.disruptions_allowed, 0);
  EXPECT_TRUE(t.budget("web")->status.disrupted_pods.contains(t.first().name));
  EXPECT_FALSE(t.world.find<Pod>(t.first())->deleting());
  // Nobody sees a deletion: after two minutes it is forgotten.
  t.run(Seconds(119));
  EXPECT_EQ(t.budget("web")->status.disruptions_allowed, 0);
  t.run(Seconds(3));
  EXPECT_EQ(t.budget("web")->status.disruptions_allowed, 1);
}

TEST(Eviction, ChargesAtOnceAndMarksThePod) {
  Guarded t(3, {1});
  const Ptr<Pod> pod = t.pods("web")[0];
  ASSERT_TRUE(t.world.evict(pod->meta.key(), {.grace = Seconds(20)}));
  EXPECT_EQ(t.budget("web")->status.disruptions_allowed, 0);
  const Ptr<Pod> evicted = t.world.find<Pod>(pod->meta.key());
  EXPECT_EQ(*evicted->meta.deletion, t.world.now() + Seconds(20));
  EXPECT_EQ(evicted->meta.deletion_grace, Seconds(20));
  ASSERT_NE(find_condition(evicted->status.conditions, "DisruptionTarget"), nullptr);
  EXPECT_EQ(find_condition(evicted->status.conditions, "DisruptionTarget")->reason,
            "EvictionByEvictionAPI");
  EXPECT_FALSE(t.world.evict(t.pods("web")[1]->meta.key()));
  EXPECT_TRUE(t.world.evict(pod->meta.key(), {.grace = Seconds(8)})) << "it is going already";
  EXPECT_EQ(t.world.find<Pod>(pod->meta.key())->meta.deletion_grace, Seconds(8));
}

TEST(Eviction, ADryRunCostsNothing) {
  Guarded t;
  EXPECT_TRUE(t.world.evict(t.first(), {.dry_run = true}));
  EXPECT_EQ(t.budget("web")->status.disruptions_allowed, 1);
  EXPECT_FALSE(t.world.find<Pod>(t.first())->deleting());
}

TEST(Eviction, UnhealthyPodsFollowThePolicy) {
  Guarded t(1, {0});
  t.world.set_ready(t.first(), false);
  t.run(Millis(100));
  EXPECT_FALSE(t.world.evict(t.first())) << "0 of 1 healthy: IfHealthyBudget refuses";
  ASSERT_TRUE(t.world.update<Budget>(
      {"default", "web"}, {}, [](Budget& budget) { budget.spec.always_allow_unhealthy = true; }));
  EXPECT_TRUE(t.world.evict(t.first()));
}

TEST(Eviction, PendingPodsGoAtOnce) {
  TestWorld t(0);
  t.make(make_deployment("web", 1));
  t.make(make_min_available("web", {1}));
  t.run(Seconds(1));
  const Ptr<Pod> pod = t.pods("web")[0];
  EXPECT_TRUE(pod->node.empty());
  EXPECT_TRUE(t.world.evict(pod->meta.key()));
  EXPECT_EQ(t.world.find<Pod>(pod->meta.key()), nullptr);
}

TEST(Eviction, IsForbiddenInANamespaceThatEnds) {
  TestWorld t;
  t.make(make_namespace("shop"));
  t.make(make_pod("p", "n1", {.ns = "shop", .behaviour = {.ends_after = Seconds(10)}}));
  t.run(Seconds(1));
  ASSERT_TRUE(t.world.remove(Kind::kNamespace, {{}, "shop"}));
  const Answer<void> answer = t.world.evict({"shop", "p"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, 403);
  EXPECT_EQ(answer.error().causes[0].reason, "NamespaceTerminating");
  EXPECT_EQ(t.world.create(make_pod("q", "n1", {.ns = "shop"})).error().code, 403);
  t.run(Seconds(25));  // 5 s before its content is deleted, 10 s for the pod
  EXPECT_EQ(t.world.find<Namespace>({{}, "shop"}), nullptr);
}

TEST(Eviction, OfNobody) {
  TestWorld t;
  EXPECT_EQ(t.world.evict({"default", "nobody"}).error().message, "pods \"nobody\" not found");
}

}  // namespace
}  // namespace spotkeeper::world
