// SPDX-License-Identifier: Apache-2.0
// Everything that can happen in the smallest worlds, tried to its end. `explore` does the larger.
#include "laboratory/explorer.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace spotkeeper::laboratory {
namespace {

// Sanitized builds are ten times slower; `explore` goes to the end of all.
constexpr int64_t kEnough = 800;

TEST(Explorer, NoPromiseIsBrokenInTheSmallestWorlds) {
  for (const SmallSetup& setup : small_setups()) {
    SCOPED_TRACE(setup.name);
    const Explored result = explore(setup, kEnough);
    EXPECT_EQ(result.broken, "") << fmt::format("{}", fmt::join(result.history, "\n"));
    EXPECT_GT(result.ends, 0);
    EXPECT_GT(result.transitions, result.states);
  }
}

TEST(Explorer, TheSameWorldHasTheSameNumberOfStates) {
  const SmallSetup setup = small_setups().front();
  EXPECT_EQ(explore(setup, 500).transitions, explore(setup, 500).transitions);
}

}  // namespace
}  // namespace spotkeeper::laboratory
