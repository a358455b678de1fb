// SPDX-License-Identifier: Apache-2.0
// Times as AWS and Kubernetes write them.
#include <string>

#include "base/clock.h"
#include "base/fuzz.h"

namespace spotkeeper {

void fuzz(std::string_view input) {
  const std::string text(input);
  Time time = kNever;
  if (!parse_time(text, time)) {
    must(time == kNever, "a refused time leaves the result untouched");
    return;
  }
  const std::string written = format_time(time);
  Time again{};
  must(parse_time(written, again) && again == time, "what is written is read back");
  must(parse_time(format_time_s(time), again) && again == std::chrono::floor<Seconds>(time),
       "so it is with whole seconds");
  const bool utc = text.ends_with('Z') || text.ends_with('z');
  const bool leap_second = text.compare(17, 2, "60") == 0;
  if (utc && !leap_second) {
    must(written.compare(0, 10, text, 0, 10) == 0, "a day in UTC stays that day");
    must(written.compare(11, 8, text, 11, 8) == 0, "a time in UTC stays that time");
  }
}

}  // namespace spotkeeper
