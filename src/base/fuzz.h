// SPDX-License-Identifier: Apache-2.0
// Fuzz targets only: what each *_fuzz.cc includes, once, and what it checks with. The target
// defines fuzz(); a must() that does not hold aborts, and libFuzzer keeps the input. See
// test/fuzz/README.md.
#pragma once

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <source_location>
#include <string_view>

namespace spotkeeper {

// One input. Keeps nothing from one call to the next that changes what it does.
void fuzz(std::string_view input);

// What holds for every input.
inline void must(bool holds, const char* what,
                 const std::source_location& at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: does not hold: %s\n", at.file_name(), at.line(), what);
  std::abort();
}

// Fit to be one line of a log: no line break, nothing that a terminal obeys.
inline bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c >= 0 && c < ' '; });
}

inline bool is_utf8(std::string_view text) {
  boost::system::error_code broken;
  boost::json::parse(boost::json::serialize(boost::json::string(text)), broken);
  return !broken;
}

// CPU time of this thread: a machine that is busy with other things does not count.
inline double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace spotkeeper

// NOLINTNEXTLINE(readability-identifier-naming, misc-definitions-in-headers): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const double before = spotkeeper::cpu_seconds();
  spotkeeper::fuzz({reinterpret_cast<const char*>(data), size});
  const double most = 1.0 + 50e-6 * static_cast<double>(size);
  spotkeeper::must(spotkeeper::cpu_seconds() - before < most, "no more time than a linear parser");
  return 0;
}
