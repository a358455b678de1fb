// SPDX-License-Identifier: Apache-2.0
#include "effects/rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spotkeeper::effects {
namespace {

std::set<kube::Right> all() {
  const std::vector<kube::Right> rights = needed_rights();
  return {rights.begin(), rights.end()};
}

std::set<kube::Right> without(const std::string& what) {
  std::set<kube::Right> held = all();
  std::erase_if(held, [&](const kube::Right& right) { return describe(right) == what; });
  EXPECT_LT(held.size(), all().size()) << what;
  return held;
}

TEST(Rights, EveryAbilityHasItsRight) {
  EXPECT_EQ(abilities_of(all()), core::Abilities{});
  EXPECT_FALSE(abilities_of(without("nodes patch")).mark);
  EXPECT_FALSE(abilities_of(without("nodes get")).mark);
  EXPECT_FALSE(abilities_of(without("pods/eviction create")).ask);
  EXPECT_FALSE(abilities_of(without("pods delete")).stop);
  EXPECT_FALSE(abilities_of(without("pods/status patch")).explain);
  EXPECT_EQ(abilities_of(without("pods watch")), core::Abilities{});
}

TEST(Rights, TheLineSaysWhatIsLostAndWhichRuleToAdd) {
  for (const Need& need : needs()) {
    const std::string line = missing_line(need);
    EXPECT_THAT(line, testing::HasSubstr(need.loss));
    EXPECT_THAT(line, testing::HasSubstr("verbs: [\"" + need.right.verb + "\"]"));
  }
}

}  // namespace
}  // namespace spotkeeper::effects
