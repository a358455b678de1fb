// SPDX-License-Identifier: Apache-2.0
#include "app/replacements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spotkeeper::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kNow = Time(Seconds(1'800'000'000));

kube::Pod pod_of(const std::string& kind, bool ready) {
  kube::Pod pod;
  pod.ns = "shop";
  pod.phase = "Running";
  pod.owner = kube::Owner{.kind = kind, .name = "web", .uid = "u-" + kind};
  pod.ready = ready;
  return pod;
}

Owners owners(int ready, int starting) {
  Owners owners;
  for (int i = 0; i < ready; ++i) count_pod(owners, pod_of("ReplicaSet", true));
  for (int i = 0; i < starting; ++i) count_pod(owners, pod_of("ReplicaSet", false));
  return owners;
}

TEST(Replacements, WhoIsCounted) {
  Owners counted;
  for (const char* kind : {"ReplicaSet", "StatefulSet", "Rollout", "Job", "DaemonSet", "Node"}) {
    count_pod(counted, pod_of(kind, true));
  }
  kube::Pod ending = pod_of("ReplicaSet", true);
  ending.deletion = kNow;
  kube::Pod ended = pod_of("ReplicaSet", false);
  ended.phase = "Succeeded";
  kube::Pod bare = pod_of("ReplicaSet", true);
  bare.owner.reset();
  for (const kube::Pod& pod : {ending, ended, bare}) count_pod(counted, pod);
  ASSERT_EQ(counted.size(), 3U);
  EXPECT_EQ(counted["u-ReplicaSet"].ready, 1);
  EXPECT_EQ(counted["u-ReplicaSet"].starting, 0);
  EXPECT_EQ(counted["u-StatefulSet"].name, "shop/StatefulSet/web");
  EXPECT_THAT(Replacements(counted).namespaces(), ElementsAre("shop"));
}

TEST(Replacements, AsManyReadyAsBefore) {
  Replacements replacements(owners(3, 1));  // one was not Ready before: nobody waits for it
  EXPECT_THAT(replacements.missing(owners(2, 2), kNow),
              ElementsAre("shop/ReplicaSet/web: 2 of 3 Ready"));
  EXPECT_THAT(replacements.missing(owners(2, 2), kNow + Seconds(3600)),
              ElementsAre("shop/ReplicaSet/web: 2 of 3 Ready"))
      << "as long as one is starting";
  EXPECT_THAT(replacements.missing(owners(3, 1), kNow), IsEmpty());
  EXPECT_THAT(Replacements().missing(owners(0, 1), kNow), IsEmpty());
}

TEST(Replacements, WhereNobodyStartsForAWhileFewerAreWanted) {
  Replacements replacements(owners(3, 0));
  EXPECT_THAT(replacements.missing(owners(2, 0), kNow), testing::SizeIs(1)) << "it may be slow";
  EXPECT_THAT(replacements.missing(owners(2, 1), kNow + Seconds(9)), testing::SizeIs(1));
  EXPECT_THAT(replacements.missing(owners(2, 0), kNow + Seconds(11)), testing::SizeIs(1))
      << "counted anew";
  EXPECT_THAT(replacements.missing(owners(2, 0), kNow + Seconds(21)), IsEmpty());
  Replacements deleted(owners(3, 0));
  EXPECT_THAT(deleted.missing({}, kNow), testing::SizeIs(1));
  EXPECT_THAT(deleted.missing({}, kNow + Seconds(10)), IsEmpty());
}

}  // namespace
}  // namespace spotkeeper::app
