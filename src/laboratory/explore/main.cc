// SPDX-License-Identifier: Apache-2.0
// explore [MOST [NAME]]: everything that can happen in small worlds of the real core, tried to its
// end (or to MOST states of each); only the one called NAME. A line of JSON for each; status 1 when
// a promise was broken, and the history that leads there. Not part of what is shipped.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "laboratory/explorer.h"

namespace laboratory = spotkeeper::laboratory;

int main(int argc, char** argv) {
  const int64_t most = argc > 1 ? std::atoll(argv[1]) : INT64_MAX;
  const std::string only = argc > 2 ? argv[2] : "";
  if (most < 1) {
    fmt::print(stderr, "explore: MOST is a number from 1, not \"{}\"\n", argv[1]);
    return 2;
  }
  bool broken = false;
  for (const laboratory::SmallSetup& setup : laboratory::all_setups()) {
    if (!only.empty() && setup.name != only) continue;
    const auto begin = std::chrono::steady_clock::now();
    const laboratory::Explored result = laboratory::explore(setup, most);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    fmt::print(
        "{{\"world\":\"{}\",\"states\":{},\"transitions\":{},\"ends\":{},\"whole\":{},"
        "\"seconds\":{:.1f},\"peak_mib\":{},\"lag\":{},\"broken\":\"{}\"}}\n",
        setup.name, result.states, result.transitions, result.ends, result.whole, took.count(),
        used.ru_maxrss / 1024, setup.lag, result.broken);
    std::fflush(stdout);
    if (result.broken.empty()) continue;
    broken = true;
    for (const std::string& step : result.history) fmt::print(stderr, "  {}\n", step);
  }
  return broken ? 1 : 0;
}
