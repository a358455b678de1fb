// SPDX-License-Identifier: Apache-2.0
#include "effects/pod_units.h"

#include <gtest/gtest.h>

#include "effects/test_objects.h"

namespace spotkeeper::effects {
namespace {

constexpr Time kNow = Time(Seconds(1'800'000'000));

kube::Pod pod(const std::string& name) {
  kube::Pod pod;
  pod.uid = "uid-" + name;
  pod.ns = "default";
  pod.name = name;
  pod.phase = "Running";
  pod.ready = true;
  pod.labels = {{"app", "web"}};
  pod.owner = kube::Owner{.kind = "ReplicaSet", .name = "web-1"};
  return pod;
}

kube::Budget budget(const std::string& name, int allows, const std::string& app = "web") {
  return make_budget("default", name, allows, app);
}

core::Unit unit_in(const PodUnits::Observations& observations) {
  for (const auto& observation : observations) {
    if (const auto* seen = std::get_if<core::UnitSeen>(&observation)) return seen->unit;
  }
  return {};
}

TEST(ExemptReason, PerRuleOne) {
  const PodRules rules{.own_pod = "agent", .own_namespace = "kube-system"};
  EXPECT_EQ(exempt_reason(pod("web"), rules), "");
  kube::Pod mirror = pod("etcd");
  mirror.mirror = true;
  EXPECT_NE(exempt_reason(mirror, rules), "");
  kube::Pod daemon = pod("cni");
  daemon.owner->kind = "DaemonSet";
  EXPECT_NE(exempt_reason(daemon, rules), "");
  EXPECT_NE(exempt_reason(daemon, {.ignore_daemon_sets = false}), "");
  kube::Pod finished = pod("job");
  finished.phase = "Succeeded";
  EXPECT_NE(exempt_reason(finished, rules), "");
  kube::Pod own = pod("agent");
  EXPECT_EQ(exempt_reason(own, rules), "") << "same name, another namespace";
  own.ns = "kube-system";
  EXPECT_NE(exempt_reason(own, rules), "");
  EXPECT_NE(exempt_reason(own, {.own_pod = "agent"}), "") << "an empty namespace matches any";
}

TEST(PodUnits, APodBecomesAUnit) {
  PodUnits units{PodRules{}};
  kube::Pod job = pod("web");
  job.grace_s = 45;
  job.empty_dir = true;
  job.owner->kind = "Job";
  const core::Unit unit = unit_in(units.pod_changed(job, kNow));
  EXPECT_EQ(unit.name, "default/web");
  EXPECT_EQ(unit.owner, "Job/web-1");
  EXPECT_EQ(unit.grace, Seconds(45));
  EXPECT_TRUE(unit.ready);
  EXPECT_TRUE(unit.local_data);
  EXPECT_FALSE(unit.ending);
  EXPECT_TRUE(units.pod_changed(job, kNow).empty()) << "nothing new is nothing told";
}

TEST(PodUnits, TheMomentOfDeletionIsTheFirstSighting) {
  PodUnits units{PodRules{}};
  kube::Pod ending = pod("web");
  ending.deletion = kNow + Seconds(30);
  EXPECT_EQ(unit_in(units.pod_changed(ending, kNow)).ending, kNow);
  ending.ready = false;
  EXPECT_EQ(unit_in(units.pod_changed(ending, kNow + Seconds(5))).ending, kNow);
}

TEST(PodUnits, BudgetsGuardWhatTheySelectInAnyOrder) {
  PodUnits units{PodRules{}};
  units.pod_changed(pod("web"), kNow);
  const auto told = units.budget_changed(budget("b", 1));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(std::get<core::BudgetSeen>(told[0]).budget.allows, 1);
  EXPECT_EQ(unit_in(told).budgets, std::vector{core::BudgetId("default/b")});
  EXPECT_EQ(unit_in(units.pod_changed(pod("later"), kNow)).budgets.size(), 1U);
}

TEST(PodUnits, AChangedSelectorRegroups) {
  PodUnits units{PodRules{}};
  units.pod_changed(pod("web"), kNow);
  units.budget_changed(budget("b", 1));
  const auto told = units.budget_changed(budget("b", 1, "db"));
  EXPECT_TRUE(unit_in(told).budgets.empty());
  EXPECT_EQ(told.size(), 2U);
}

TEST(PodUnits, ABudgetThatGoesIsToldAndGuardsNobody) {
  PodUnits units{PodRules{}};
  units.pod_changed(pod("web"), kNow);
  units.budget_changed(budget("b", 0));
  const auto told = units.budget_gone(budget("b", 0));
  EXPECT_TRUE(std::holds_alternative<core::BudgetGone>(told.at(0)));
  EXPECT_TRUE(unit_in(told).budgets.empty());
}

TEST(PodUnits, BudgetsOfOtherNamespacesAreNotOurs) {
  PodUnits units{PodRules{}};
  units.pod_changed(pod("web"), kNow);
  kube::Budget other = budget("b", 0);
  other.ns = "elsewhere";
  EXPECT_TRUE(units.budget_changed(other).empty());
}

TEST(PodUnits, FindsPodsWhileTheyAreHere) {
  PodUnits units{PodRules{}};
  units.pod_changed(pod("web"), kNow);
  ASSERT_TRUE(units.find(core::UnitId("uid-web")));
  EXPECT_EQ(units.find(core::UnitId("uid-web"))->name, "web");
  units.pod_gone(pod("web"));
  EXPECT_FALSE(units.find(core::UnitId("uid-web")));
}

kube::Pod deployed(const std::string& name) {
  kube::Pod one = pod(name);
  one.owner = kube::Owner{.kind = "ReplicaSet", .name = "web-77f"};
  one.labels["pod-template-hash"] = "77f";
  return one;
}

TEST(PodUnits, NothingIsSaidOfClaimsBeforeTheyAreKnown) {
  PodUnits units({});
  kube::Pod one = deployed("web-77f-a");
  one.claims = {"data"};
  EXPECT_EQ(unit_in(units.pod_changed(one, kNow)).no_hand_over, "");
  EXPECT_TRUE(units.claims_known("default", {"data"}).empty()) << "as it was taken to be";
  EXPECT_NE(unit_in(units.claims_known("default", {})).no_hand_over, "");
}

TEST(PodUnits, APodThatIsPutBackKeepsItsGroupUntilItsOwnerTakesIt) {
  PodUnits units({});
  kube::Pod one = deployed("web-77f-a");
  EXPECT_EQ(unit_in(units.pod_changed(one, kNow)).group.value, "default/web");
  one.owner.reset();
  one.labels["pod-template-hash"] = "77f-released";
  one.labels[kReleasedLabel] = "true";
  one.annotations = {{kHashAnnotation, "77f"}, {kOwnerAnnotation, "web-77f"}};
  EXPECT_TRUE(unit_in(units.pod_changed(one, kNow)).released);
  one.labels = deployed("").labels;
  one.annotations.clear();
  const core::Unit back = unit_in(units.pod_changed(one, kNow));
  EXPECT_EQ(back.group.value, "default/web");
  EXPECT_TRUE(back.orphan);
  EXPECT_FALSE(back.released);
  one.labels["pod-template-hash"] = "other";
  EXPECT_EQ(unit_in(units.pod_changed(one, kNow)).group.value, "") << "nobody's";
}

}  // namespace
}  // namespace spotkeeper::effects
