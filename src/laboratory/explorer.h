// SPDX-License-Identifier: Apache-2.0
// Tries everything that can happen in a small world, to its end: depth first, each state once.
// States are told apart by 128 bits of hash of their fingerprint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "laboratory/small_world.h"

namespace spotkeeper::laboratory {

struct Explored {
  int64_t states = 0;
  int64_t transitions = 0;
  int64_t ends = 0;                  // states from which nothing more can happen
  bool whole = true;                 // false: stopped at `most` states
  std::string broken;                // the first promise that was broken; empty: none
  std::vector<std::string> history;  // … and how it came to that
};

Explored explore(const SmallSetup& setup, int64_t most = INT64_MAX);

// The configurations that are explored; those that end within a second or two, or all.
std::vector<SmallSetup> small_setups();
std::vector<SmallSetup> all_setups();

}  // namespace spotkeeper::laboratory
