// SPDX-License-Identifier: Apache-2.0
#include "effects/cluster_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "effects/test_objects.h"

namespace spotkeeper::effects {
namespace {

kube::Pod pod(const std::string& name, const std::string& node) {
  kube::Pod pod;
  pod.uid = "uid-" + name;
  pod.ns = "shop";
  pod.name = name;
  pod.node = node;
  pod.labels = {{"app", name}};
  pod.phase = "Running";
  pod.ready = true;
  return pod;
}

kube::Pod of_deployment(const std::string& name, const std::string& node) {
  kube::Pod mine = pod(name, node);
  mine.owner =
      kube::Owner{.api_version = "apps/v1", .kind = "ReplicaSet", .name = name + "-5d", .uid = "r"};
  mine.labels["pod-template-hash"] = "5d";
  return mine;
}

kube::Budget budget(const std::string& app, int allows) {
  return make_budget("shop", app, allows, app);
}

kube::EndpointSlice slice(const std::string& service, std::vector<std::string> nodes) {
  kube::EndpointSlice slice;
  slice.uid = "uid-" + service;
  slice.ns = "shop";
  slice.service = service;
  slice.ready = static_cast<int>(nodes.size());
  slice.nodes = std::move(nodes);
  return slice;
}

class ClusterViewTest : public testing::Test {
 protected:
  // Hosts that were told an observation of this type since the last call, in order.
  template <class T>
  std::vector<std::string> told() {
    std::vector<std::string> hosts;
    for (const auto& [host, seen] : std::exchange(seen_, {})) {
      if (std::holds_alternative<T>(seen)) hosts.push_back(host);
    }
    return hosts;
  }

  std::vector<std::pair<std::string, core::Observation>> seen_;
  SteadyClock clock_;
  ClusterView view_{PodRules{}, clock_, [this](const core::HostId& host, core::Observation seen) {
                      seen_.emplace_back(host.value, std::move(seen));
                    }};
  using Names = std::vector<std::string>;
};

TEST_F(ClusterViewTest, APodIsItsOwnHostsMatter) {
  view_.add(core::HostId("n1"));
  view_.add(core::HostId("n2"));
  view_.pod_changed(pod("a", "n1"));
  view_.pod_changed(pod("b", "elsewhere"));
  EXPECT_EQ(told<core::UnitSeen>(), Names{"n1"});
  EXPECT_NE(view_.find(core::HostId("n1"), core::UnitId("uid-a")), nullptr);
  EXPECT_EQ(view_.find(core::HostId("n2"), core::UnitId("uid-a")), nullptr);
  view_.pod_gone(pod("a", "n1"));
  EXPECT_EQ(told<core::UnitGone>(), Names{"n1"});
}

TEST_F(ClusterViewTest, ABudgetConcernsHostsWhosePodsItGuards) {
  view_.add(core::HostId("n1"));
  view_.add(core::HostId("n2"));
  view_.pod_changed(pod("a", "n1"));
  view_.pod_changed(pod("b", "n2"));
  view_.budget_changed(budget("a", 0));
  EXPECT_EQ(told<core::BudgetSeen>(), Names{"n1"});
  view_.budget_changed(budget("a", 1));
  EXPECT_EQ(told<core::BudgetSeen>(), Names{"n1"});
  view_.pod_changed(pod("a", "n2"));
  EXPECT_EQ(told<core::BudgetSeen>(), Names{"n2"}) << "one of its pods is seen there later";
  view_.budget_gone(budget("a", 1));
  EXPECT_EQ(told<core::BudgetGone>(), (Names{"n1", "n2"}));
  view_.budget_gone(budget("b", 1));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(ClusterViewTest, AHostThatGoesLaterIsToldWhatIsKnown) {
  view_.budgets_listed();
  view_.slice_changed(slice("web", {"n1"}));
  view_.slices_listed();
  view_.volume_changed({.uid = "v", .name = "v", .resource_version = "1", .node = "n1"});
  view_.volumes_listed();
  EXPECT_TRUE(seen_.empty());
  EXPECT_TRUE(view_.add(core::HostId("n1")));
  EXPECT_FALSE(view_.add(core::HostId("n1")));
  const auto seen = seen_;
  EXPECT_EQ(told<core::BudgetsListed>(), Names{"n1"});
  seen_ = seen;
  EXPECT_EQ(told<core::ServicesListed>(), Names{"n1"});
  seen_ = seen;
  EXPECT_FALSE(told<core::ServiceSeen>().empty());
  EXPECT_EQ(std::get<core::VolumesSeen>(seen.back().second).attached, 1);
}

TEST_F(ClusterViewTest, AServiceConcernsHostsItIsOrWasOn) {
  view_.add(core::HostId("n1"));
  view_.add(core::HostId("n2"));
  view_.slice_changed(slice("web", {"n1", "n9"}));
  EXPECT_EQ(told<core::ServiceSeen>(), Names{"n1"});
  view_.slice_changed(slice("web", {"n9"}));
  EXPECT_EQ(told<core::ServiceSeen>(), Names{"n1"}) << "it was there";
  view_.slice_changed(slice("db", {"n9"}));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(ClusterViewTest, AGroupConcernsHostsThatHaveUnitsOfIt) {
  view_.add(core::HostId("n1"));
  view_.add(core::HostId("n2"));
  view_.pod_changed(of_deployment("web", "n2"));
  seen_.clear();
  view_.tell_group(core::GroupSeen{.group = {.id = core::GroupId("shop/web")}});
  view_.tell_group(core::GroupSeen{.group = {.id = core::GroupId("shop/api")}});
  EXPECT_EQ(told<core::GroupSeen>(), Names{"n2"});
  view_.tell_group(core::GroupsUnread{.why = "denied"});
  EXPECT_EQ(told<core::GroupsUnread>(), (Names{"n1", "n2"}));
  EXPECT_EQ(view_.of_deployments({"n1", "n2"}).size(), 1U);
}

TEST_F(ClusterViewTest, EachHostsPodsAreListedOnce) {
  view_.add(core::HostId("n1"));
  view_.add(core::HostId("n2"));
  EXPECT_FALSE(view_.are_listed({"n1"}));
  view_.pods_listed({"n1"});
  view_.pods_listed({"n1", "n2"});
  EXPECT_EQ(told<core::UnitsListed>(), (Names{"n1", "n2"}));
  EXPECT_TRUE(view_.are_listed({"n1", "n2"}));
}

TEST_F(ClusterViewTest, VolumesAreCountedByHost) {
  view_.add(core::HostId("n1"));
  view_.add(core::HostId("n2"));
  const kube::VolumeAttachment v{.uid = "v", .name = "v", .resource_version = "1", .node = "n1"};
  view_.volume_changed(v);
  EXPECT_TRUE(seen_.empty()) << "not before all are known";
  view_.volumes_listed();
  EXPECT_EQ(told<core::VolumesSeen>(), (Names{"n1", "n2"}));
  view_.volume_gone(v);
  EXPECT_EQ(std::get<core::VolumesSeen>(seen_.at(0).second).attached, 0);
  EXPECT_EQ(told<core::VolumesSeen>(), Names{"n1"});
}

TEST_F(ClusterViewTest, WhatCannotBeSeenIsToldOnce) {
  view_.trouble(Error{.message = "nobody is there"});
  EXPECT_TRUE(seen_.empty());
  for (const char* host : {"n1", "n2", "n3"}) view_.add(core::HostId(host));
  view_.trouble(Error{.message = "down"});
  view_.trouble("n2", Error{.message = "its pods"});
  EXPECT_EQ(told<core::Trouble>(), (Names{"n1", "n2"}));
}

TEST_F(ClusterViewTest, OfAForgottenHostNothingIsTold) {
  view_.add(core::HostId("n1"));
  view_.add(core::HostId("n2"));
  for (const char* node : {"n1", "n2"}) {
    view_.pod_changed(of_deployment("web", node));
    view_.pod_changed(pod("a", node));
  }
  view_.pods_listed({"n1", "n2"});
  view_.budget_changed(budget("a", 0));
  view_.slice_changed(slice("web", {"n1", "n2"}));
  view_.remove(core::HostId("n1"));
  seen_.clear();
  // Each of these goes to whom it concerns by what was told before.
  view_.budget_changed(budget("a", 1));
  EXPECT_EQ(told<core::BudgetSeen>(), Names{"n2"});
  view_.budget_changed(budget("new", 1));
  view_.budget_gone(budget("a", 1));
  EXPECT_EQ(told<core::BudgetGone>(), Names{"n2"});
  view_.slice_changed(slice("web", {"n1"}));
  EXPECT_EQ(told<core::ServiceSeen>(), Names{"n2"});
  view_.slice_gone(slice("web", {"n1"}));
  view_.local_services({core::ServiceId("shop/web")});
  view_.tell_group(core::GroupSeen{.group = {.id = core::GroupId("shop/web")}});
  EXPECT_EQ(std::ranges::count(seen_, "n1", &std::pair<std::string, core::Observation>::first), 0);
  seen_.clear();
  view_.pod_changed(pod("a", "n1"));
  view_.pod_gone(pod("a", "n1"));
  view_.pods_listed({"n1"});
  view_.volume_changed({.uid = "v", .name = "v", .resource_version = "1", .node = "n1"});
  view_.trouble("n1", Error{.message = "its pods"});
  view_.budgets_listed();
  view_.slices_listed();
  view_.volumes_listed();
  view_.claims_known("shop", {"data"});
  view_.tell_group(core::GroupsUnread{.why = "denied"});
  for (const auto& [host, seen] : seen_) EXPECT_EQ(host, "n2");
  EXPECT_FALSE(view_.goes("n1"));
  EXPECT_EQ(view_.find(core::HostId("n1"), core::UnitId("uid-a")), nullptr);
  EXPECT_TRUE(view_.of_deployments({"n1"}).empty());
  EXPECT_TRUE(view_.are_listed({"n1"})) << "it holds up nobody";
}

TEST_F(ClusterViewTest, AForgottenHostMayComeAgain) {
  view_.budget_changed(budget("a", 0));
  view_.budgets_listed();
  view_.volume_changed({.uid = "v", .name = "v", .resource_version = "1", .node = "n1"});
  view_.volumes_listed();
  view_.add(core::HostId("n1"));
  view_.pod_changed(pod("a", "n1"));
  view_.pods_listed({"n1"});
  view_.remove(core::HostId("n1"));
  view_.remove(core::HostId("n1"));
  view_.remove(core::HostId("n9"));
  seen_.clear();
  EXPECT_TRUE(view_.add(core::HostId("n1"))) << "as if for the first time";
  const auto seen = seen_;
  EXPECT_TRUE(told<core::UnitSeen>().empty()) << "its pods are read anew";
  EXPECT_FALSE(view_.are_listed({"n1"}));
  seen_ = seen;
  EXPECT_EQ(told<core::BudgetsListed>(), Names{"n1"});
  seen_ = seen;
  EXPECT_EQ(told<core::VolumesSeen>(), Names{"n1"}) << "what all share is still known";
  view_.pod_changed(pod("a", "n1"));
  EXPECT_EQ(told<core::BudgetSeen>(), Names{"n1"});
  view_.budget_changed(budget("a", 1));
  EXPECT_EQ(told<core::BudgetSeen>(), Names{"n1"});
  view_.pods_listed({"n1"});
  EXPECT_EQ(told<core::UnitsListed>(), Names{"n1"});
}

// Who tells of it is the host whose watch it was, and that one may be gone.
TEST_F(ClusterViewTest, TroubleOfAForgottenHostIsNobodys) {
  view_.trouble("n1", Error{.message = "its pods"});
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace spotkeeper::effects
