// SPDX-License-Identifier: Apache-2.0
#include "effects/holders.h"

#include <gtest/gtest.h>

#include "effects/mark.h"

namespace spotkeeper::effects {
namespace {

constexpr Time kNow = Time(Seconds(1'800'000'000));

kube::Node held_by(const std::string& id, const std::string& renewed = "t1") {
  kube::Node node;
  node.name = "n1";
  node.annotations[kStateAnnotation] =
      R"({"v":1,"holder":{"id":")" + id + R"(","renewed":")" + renewed + R"("}})";
  return node;
}

TEST(Holders, AHostOfNobodyOrOfOursIsFree) {
  Holders holders("me");
  EXPECT_FALSE(holders.obstacle(kube::Node{.name = "n1"}, kNow));
  EXPECT_FALSE(holders.obstacle(held_by("me"), kNow));
}

TEST(Holders, AnothersHostIsLeftAloneWhileItIsRenewed) {
  Holders holders("me");
  const auto first = holders.obstacle(held_by("other"), kNow);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->held);
  EXPECT_EQ(first->retry_after_s, 5);
  EXPECT_EQ(first->kind, ErrorKind::kRetryable);
  EXPECT_EQ(holders.obstacle(held_by("other"), kNow + Seconds(43))->retry_after_s, 2);
  EXPECT_EQ(holders.obstacle(held_by("other", "t2"), kNow + Seconds(44))->retry_after_s, 5);
  EXPECT_TRUE(holders.obstacle(held_by("other", "t2"), kNow + Seconds(88)));
}

TEST(Holders, AHolderThatDoesNotRenewIsTakenOverFrom) {
  Holders holders("me");
  EXPECT_TRUE(holders.obstacle(held_by("other"), kNow));
  EXPECT_FALSE(holders.obstacle(held_by("other"), kNow + kHolderLease));
  EXPECT_TRUE(holders.obstacle(held_by("third"), kNow + kHolderLease)) << "it was faster";
}

TEST(Holders, OneThatIsKnownToHaveEndedIsNoObstacle) {
  Holders holders("me", [](const std::string& id) { return id == "dead"; });
  EXPECT_FALSE(holders.obstacle(held_by("dead"), kNow));
  EXPECT_TRUE(holders.obstacle(held_by("alive"), kNow));
}

TEST(Holders, WhoSharesWithNobodyHeedsNoHolder) {
  Holders holders("");
  EXPECT_FALSE(holders.obstacle(held_by("other"), kNow));
}

}  // namespace
}  // namespace spotkeeper::effects
