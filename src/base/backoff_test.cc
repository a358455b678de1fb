// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spotkeeper {
namespace {

struct BackoffRow {
  const char* name;
  Backoff backoff;
  Millis expected;
};

class BackoffTable : public ::testing::TestWithParam<BackoffRow> {};

TEST_P(BackoffTable, GivesTheDelay) {
  EXPECT_EQ(backoff_delay(GetParam().backoff).count(), GetParam().expected.count());
}

INSTANTIATE_TEST_SUITE_P(
    Backoff, BackoffTable,
    ::testing::Values(
        BackoffRow{"FirstFailureLeastJitter", {.attempt = 1, .jitter = 0.0}, Millis(100)},
        BackoffRow{"FirstFailureMiddleJitter", {.attempt = 1}, Millis(150)},
        BackoffRow{"FirstFailureMostJitter", {.attempt = 1, .jitter = 0.75}, Millis(175)},
        BackoffRow{"SecondDoubles", {.attempt = 2, .jitter = 0.0}, Millis(200)},
        BackoffRow{"FifthDoublesOnward", {.attempt = 5, .jitter = 0.0}, Millis(1600)},
        BackoffRow{"CapHolds", {.attempt = 12, .jitter = 0.0}, Millis(15'000)},
        BackoffRow{"CapHoldsAtItsUpperEnd", {.attempt = 12, .jitter = 0.75}, Millis(26'250)},
        BackoffRow{"HugeAttemptDoesNotOverflow",
                   {.attempt = 1'000'000'000, .jitter = 0.0},
                   Millis(15'000)},
        BackoffRow{"OwnBaseAndCap",
                   {.attempt = 3, .base = Millis(10), .cap = Millis(1'000), .jitter = 0.0},
                   Millis(20)},
        BackoffRow{"BaseAboveCapIsCapped",
                   {.attempt = 1, .base = Millis(500), .cap = Millis(100), .jitter = 0.0},
                   Millis(50)},
        BackoffRow{"LongerRetryAfterIsObeyed",
                   {.attempt = 1, .retry_after = Millis(5'000)},
                   Millis(5'000)},
        BackoffRow{"RetryAfterMayPassTheCap",
                   {.attempt = 1, .cap = Millis(1'000), .retry_after = Millis(60'000)},
                   Millis(60'000)},
        BackoffRow{"ShorterRetryAfterChangesNothing",
                   {.attempt = 4, .retry_after = Millis(10), .jitter = 0.0},
                   Millis(800)}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Backoff, WhatGoesOnIsSaidEverMoreRarely) {
  std::vector<int> said;
  for (int times = 1; times <= 20; ++times) {
    if (is_said(times)) said.push_back(times);
  }
  EXPECT_EQ(said, (std::vector<int>{1, 2, 4, 8, 16}));
}

}  // namespace
}  // namespace spotkeeper
