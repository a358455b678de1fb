// SPDX-License-Identifier: Apache-2.0
// Bad answers: for a while every second request is refused, fails or is late. Pure; whoever owns it
// does what it says. The same requests in the same order fare the same.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "http/server.h"

namespace spotkeeper::demo {

enum class Fare { kFair, kThrottled, kBroken, kLate };

class Weather {
 public:
  static constexpr Millis kHowLate{3'000};

  Weather() = default;  // always fair
  Weather(Time from, Time to) : from_(from), to_(to) {}

  // What happens to a request that arrives now.
  Fare next(Time now);
  uint64_t spoilt() const { return spoilt_; }
  Time from() const { return from_; }
  Time to() const { return to_; }

 private:
  Time from_ = kNever;
  Time to_ = kNever;
  uint64_t requests_ = 0;
  uint64_t spoilt_ = 0;
};

// As an API server says it: 429 with Retry-After, or 500.
http::ServerResponse bad_answer(Fare fare);

}  // namespace spotkeeper::demo
