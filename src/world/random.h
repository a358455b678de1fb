// SPDX-License-Identifier: Apache-2.0
// A small generator (SplitMix64): the same numbers from the same seed on every machine, which the
// standard library's distributions do not promise. Quick to make, one for each world.
#pragma once

#include <cstdint>

#include "world/options.h"

namespace spotkeeper::world {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    return mix(state_);
  }
  // Uniform, both ends included; `least` when the range is empty.
  int64_t number(int64_t least, int64_t most) {
    if (most <= least) return least;
    const auto span = static_cast<uint64_t>(most - least) + 1;
    return least + static_cast<int64_t>(next() % span);
  }
  bool chance(int percent) { return number(1, 100) <= percent; }
  Millis in(const Latency& latency) {
    return Millis(number(latency.least.count(), latency.most.count()));
  }

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

 private:
  uint64_t state_;
};

}  // namespace spotkeeper::world
