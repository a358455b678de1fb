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

}  // namespace
}  // namespace spotkeeper::effects
