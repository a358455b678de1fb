// SPDX-License-Identifier: Apache-2.0
#include "effects/workload_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spotkeeper::effects {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

kube::Deployment web() {
  kube::Deployment deployment;
  deployment.uid = "uid-web";
  deployment.ns = "default";
  deployment.name = "web";
  deployment.replicas = 2;
  deployment.surges = true;
  deployment.selector.match_labels = {{"app", "web"}};
  return deployment;
}

kube::Pod ready_pod(const std::string& name, const std::string& node) {
  kube::Pod pod;
  pod.uid = "uid-" + name;
  pod.ns = "default";
  pod.name = name;
  pod.node = node;
  pod.ready = true;
  pod.labels = {{"app", "web"}};
  pod.owner = kube::Owner{.kind = "ReplicaSet", .name = "web-1"};
  return pod;
}

TEST(WorkloadBook, AGroupIsToldWhenItIsKnownWhichNodesOthersHaveMarked) {
  std::set<std::string> marked;
  WorkloadBook book([&marked](const std::string& node) { return marked.contains(node); });
  EXPECT_THAT(book.deployment_changed(web()), IsEmpty());
  EXPECT_THAT(book.pod_changed(1, ready_pod("a", "n1")), IsEmpty());
  EXPECT_THAT(book.pod_changed(1, ready_pod("b", "n2")), IsEmpty());
  EXPECT_THAT(book.wanted({core::GroupId("default/web")}), IsEmpty());
  EXPECT_THAT(book.looked_at("default", ""), IsEmpty());

  marked.insert("n2");
  EXPECT_THAT(book.recount(), IsEmpty()) << "there may be more";
  const auto told = book.marks_known();
  ASSERT_THAT(told, SizeIs(1));
  const core::Group& group = std::get<core::GroupSeen>(told[0]).group;
  EXPECT_EQ(group.owned, 2);
  EXPECT_EQ(group.ready, 1) << "what is on a marked node replaces nobody";
  EXPECT_THAT(book.marks_known(), IsEmpty());
}

TEST(WorkloadBook, GoneFromAWatchThatNeverShowedItHidesNothing) {
  WorkloadBook book([](const std::string&) { return false; });
  book.marks_known();
  book.deployment_changed(web());
  book.looked_at("default", "");
  book.pod_changed(1, ready_pod("a", "n1"));
  ASSERT_THAT(book.wanted({core::GroupId("default/web")}), SizeIs(1));
  EXPECT_THAT(book.pod_gone(2, ready_pod("a", "n1")), IsEmpty());
  EXPECT_THAT(book.recount(), IsEmpty());
  const auto told = book.pod_gone(1, ready_pod("a", "n1"));
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(std::get<core::GroupSeen>(told[0]).group.owned, 0);
}

TEST(WorkloadBook, ForgetsWhatAnEndedWatchShowed) {
  WorkloadBook book([](const std::string&) { return false; });
  book.marks_known();
  book.deployment_changed(web());
  book.looked_at("default", "");
  book.pod_changed(1, ready_pod("a", "n1"));
  book.pod_changed(1, ready_pod("b", "n1"));
  book.pod_changed(2, ready_pod("b", "n1"));
  ASSERT_THAT(book.wanted({core::GroupId("default/web")}), SizeIs(1));
  book.forget_source(1);
  auto told = book.recount();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(std::get<core::GroupSeen>(told[0]).group.owned, 1) << "another watch shows b";
  book.forget_space("default");
  EXPECT_THAT(book.everything(), IsEmpty());
  EXPECT_THAT(book.recount(), IsEmpty());
}

}  // namespace
}  // namespace spotkeeper::effects
