// SPDX-License-Identifier: Apache-2.0
#include "app/aws_time.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

namespace spotkeeper::app {
namespace {

constexpr Millis kNearEnough{2'000};  // the wall clock's to ours

}  // namespace

void correct_clock(HostClock& clock, Millis behind, Counters& counters, observe::Log& log) {
  clock.correct(behind);
  if (behind == Millis(0)) return;
  counters.count("clock_corrections");
  const Millis host = clock.host_behind();
  const std::string whose = std::chrono::abs(host) > kNearEnough ? "the host's" : "our";
  const Millis off = whose == "our" ? behind : host;
  log.warning(fmt::format("{} clock {} {} {} AWS's; AWS's is used", whose,
                          whose == "our" ? "was" : "is", format_duration(std::chrono::abs(off)),
                          off > Millis(0) ? "behind" : "ahead of"));
}

void note_clock(const HostClock& clock, core::Notice& notice) {
  const Millis off = clock.host_behind();
  if (std::chrono::abs(off) > kNearEnough) notice.clock_off = off;
}

}  // namespace spotkeeper::app
