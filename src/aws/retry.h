// SPDX-License-Identifier: Apache-2.0
// When a call to AWS is tried again: what kind of failure it was, how long to pause, and a budget
// that many failing calls share. Pure.
// Source: the SDKs' reference guide, "Retry behavior" (standard mode), and botocore's numbers.
#pragma once

#include <string>

#include "base/clock.h"

namespace spotkeeper::aws {

// What an answer that is no success calls for.
enum class Fault {
  kThrottled,    // later, and less
  kTransient,    // again: 5xx, a time-out on AWS's side
  kClock,        // our clock may be wrong
  kCredentials,  // they have expired, or are not known any more
  kFinal,        // it will be refused again
};

// By the error's code, and by the HTTP status where the code says nothing.
Fault fault_of(int status, const std::string& code);

struct RetryPause {
  int retry = 1;           // 1 for the first retry
  Millis first{50};        // at most, before the first; doubled for each further one
  Millis longest{20'000};  // never more
  Millis asked{0};         // by the answer
  double jitter = 0.5;     // a number in [0, 1): full jitter
};

// jitter · min(longest, first·2^(retry-1)), and not less than what was asked for, up to `longest`.
Millis retry_pause(const RetryPause& pause);

// A bucket of tokens: a retry costs some, a success brings some back. Empty: no retries until calls
// succeed again at their first try.
class RetryBudget {
 public:
  static constexpr int kCapacity = 500;
  static constexpr int kCost = 14;
  static constexpr int kThrottledCost = 5;
  static constexpr int kWithoutRetry = 1;  // what a success at the first try brings

  // Whether there is enough; then it is taken.
  bool take(int cost);
  void give(int tokens);
  int left() const { return left_; }

 private:
  int left_ = kCapacity;
};

}  // namespace spotkeeper::aws
