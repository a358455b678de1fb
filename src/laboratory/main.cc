// SPDX-License-Identifier: Apache-2.0
// world_bench [HISTORIES [FIRST_SEED]]: random histories of 20 nodes × 30 pods, two virtual minutes
// each, as laboratory/histories_test.cc runs them, and how long they take. One JSON line; status 1
// when a promise was broken. Not part of what is shipped.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "laboratory/history.h"

int main(int argc, char** argv) {
  namespace laboratory = spotkeeper::laboratory;
  const int histories = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int first = argc > 2 ? std::atoi(argv[2]) : 1;
  const auto begin = std::chrono::steady_clock::now();
  laboratory::Tally all;
  int broken = 0;
  for (int seed = first; seed < first + histories; ++seed) {
    laboratory::History history(static_cast<uint64_t>(seed));
    history.run();
    for (const std::string& each : history.broken()) {
      fmt::print(stderr, "SEED={}: {}\n", seed, each);
      ++broken;
    }
    const laboratory::Tally& one = history.tally();
    all.pods += one.pods;
    all.moved += one.moved;
    all.cut_off += one.cut_off;
    all.overruled += one.overruled;
    all.actions += one.actions;
    all.changes += one.changes;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{{\"histories\":{},\"seconds\":{:.3f},\"broken\":{},\"pods\":{},\"changes\":{},"
      "\"actions\":{},\"moved\":{},\"cut_off\":{},\"overruled\":{}}}\n",
      histories, took.count(), broken, all.pods, all.changes, all.actions, all.moved, all.cut_off,
      all.overruled);
  return broken == 0 ? 0 : 1;
}
