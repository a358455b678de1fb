// SPDX-License-Identifier: Apache-2.0
#include "kube/trace.h"

#include <gtest/gtest.h>

#include <utility>

namespace spotkeeper::kube {
namespace {

TEST(Trace, OfAPodIsWhereItRanAndItsVersion) {
  Trace<Pod> trace;
  EXPECT_EQ(trace.version(), "");
  trace.follow(Pod{.uid = "u", .ns = "shop", .name = "web", .node = "", .resource_version = "7"});
  trace.follow(Pod{.uid = "u", .ns = "shop", .name = "web", .node = "n1", .resource_version = "8"});
  EXPECT_EQ(trace.version(), "8");
  const Pod last = std::move(trace).last("u");
  EXPECT_EQ(last.uid, "u");
  EXPECT_EQ(last.node, "n1");
  EXPECT_EQ(last.resource_version, "8");
}

TEST(Trace, OfANodeIsItsNameAndVersion) {
  Trace<Node> trace;
  trace.follow(Node{.name = "n1", .uid = "u", .resource_version = "8"});
  const Node last = std::move(trace).last("u");
  EXPECT_EQ(last.uid + last.name + last.resource_version, "un18");
}

TEST(Trace, OfAnythingElseIsAllOfIt) {
  Trace<Budget> trace;
  trace.follow(Budget{
      .uid = "u", .ns = "shop", .name = "b", .resource_version = "8", .disruptions_allowed = 2});
  const Budget last = std::move(trace).last("u");
  EXPECT_EQ(last.uid + last.ns + last.name + last.resource_version, "ushopb8");
  EXPECT_EQ(last.disruptions_allowed, 2);
}

}  // namespace
}  // namespace spotkeeper::kube
