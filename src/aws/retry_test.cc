// SPDX-License-Identifier: Apache-2.0
#include "aws/retry.h"

#include <gtest/gtest.h>

namespace spotkeeper::aws {
namespace {

TEST(Retry, FaultIsOfTheCodeThenOfTheStatus) {
  EXPECT_EQ(fault_of(400, "ThrottlingException"), Fault::kThrottled);
  EXPECT_EQ(fault_of(400, "Throttling"), Fault::kThrottled);
  EXPECT_EQ(fault_of(503, "RequestLimitExceeded"), Fault::kThrottled);
  EXPECT_EQ(fault_of(503, "SlowDown"), Fault::kThrottled);
  EXPECT_EQ(fault_of(429, ""), Fault::kThrottled);
  EXPECT_EQ(fault_of(500, "ServerException"), Fault::kTransient);
  EXPECT_EQ(fault_of(400, "RequestTimeout"), Fault::kTransient);
  EXPECT_EQ(fault_of(400, "IDPCommunicationError"), Fault::kTransient);
  EXPECT_EQ(fault_of(502, ""), Fault::kTransient);
  EXPECT_EQ(fault_of(403, "SignatureDoesNotMatch"), Fault::kClock);
  EXPECT_EQ(fault_of(400, "InvalidSignatureException"), Fault::kClock);
  EXPECT_EQ(fault_of(403, "RequestTimeTooSkewed"), Fault::kClock);
  EXPECT_EQ(fault_of(400, "ExpiredTokenException"), Fault::kCredentials);
  EXPECT_EQ(fault_of(403, "ExpiredToken"), Fault::kCredentials);
  EXPECT_EQ(fault_of(400, "UnrecognizedClientException"), Fault::kCredentials);
  EXPECT_EQ(fault_of(400, "AccessDeniedException"), Fault::kFinal);
  EXPECT_EQ(fault_of(400, "LimitExceededException"), Fault::kFinal);
  EXPECT_EQ(fault_of(400, ""), Fault::kFinal);
}

TEST(Retry, PausesHaveFullJitter) {
  const RetryPause whole{.retry = 1, .jitter = 1.0};
  EXPECT_EQ(retry_pause(whole), Millis(50));
  EXPECT_EQ(retry_pause({.retry = 1, .jitter = 0.0}), Millis(0));
  EXPECT_EQ(retry_pause({.retry = 3, .jitter = 1.0}), Millis(200));
  EXPECT_EQ(retry_pause({.retry = 3, .jitter = 0.5}), Millis(100));
  EXPECT_EQ(retry_pause({.retry = 99, .jitter = 1.0}), Millis(20'000));
}

TEST(Retry, WhatIsAskedForIsWaited) {
  EXPECT_EQ(retry_pause({.asked = Millis(3'000), .jitter = 0.9}), Millis(3'000));
  EXPECT_EQ(retry_pause({.asked = Millis(3'600'000), .jitter = 0.9}), Millis(20'000));
  EXPECT_EQ(retry_pause({.retry = 9, .asked = Millis(100), .jitter = 1.0}), Millis(12'800));
}

TEST(Retry, BudgetEndsAndComesBack) {
  RetryBudget budget;
  int retries = 0;
  while (budget.take(RetryBudget::kCost)) ++retries;
  EXPECT_EQ(retries, 35);
  EXPECT_TRUE(budget.take(RetryBudget::kThrottledCost));  // 10 were left
  for (int i = 0; i < 9; ++i) budget.give(RetryBudget::kWithoutRetry);
  EXPECT_TRUE(budget.take(RetryBudget::kCost));
  EXPECT_FALSE(budget.take(RetryBudget::kCost));
  budget.give(10'000);
  EXPECT_EQ(budget.left(), RetryBudget::kCapacity);
}

}  // namespace
}  // namespace spotkeeper::aws
