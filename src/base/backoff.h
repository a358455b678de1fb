// SPDX-License-Identifier: Apache-2.0
// The arithmetic of backing off: pure, so that every caller's policy can be tested in a table.
#pragma once

#include "base/clock.h"

namespace spotkeeper {

struct Backoff {
  int attempt = 1;        // 1 after the first failure
  Millis base{200};       // delay after the first failure
  Millis cap{30'000};     // never more than this (but see retry_after)
  Millis retry_after{0};  // what the other side asked for; obeyed when longer
  double jitter = 0.5;    // number in [0, 1): the delay is spread over 50–100 %
};

// min(cap, base·2^(attempt-1)), spread by jitter over its upper half; at least retry_after.
Millis backoff_delay(const Backoff& backoff);

// Whether what goes on failing is said this time: the 1st, 2nd, 4th, 8th … in a row.
bool is_said(int times);

}  // namespace spotkeeper
