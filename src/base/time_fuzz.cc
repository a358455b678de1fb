// SPDX-License-Identifier: Apache-2.0
// Times as AWS, Kubernetes and HTTP write them.
#include <string>

#include "base/clock.h"
#include "base/fuzz.h"

namespace spotkeeper {
namespace {

void check_rfc3339(const std::string& text) {
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

void check_http_date(const std::string& text) {
  Time time = kNever;
  if (!parse_http_date(text, time)) {
    must(time == kNever, "a refused date leaves the result untouched");
    return;
  }
  // "Sun, 06 Nov 1994 08:49:37 GMT" as "1994-11-06T08:49:37Z"
  const bool leap_second = text.compare(23, 2, "60") == 0;
  const std::string written = format_time_s(time);
  must(written.ends_with("Z") && written.size() == 20, "a date can be written");
  if (leap_second) return;
  must(written.compare(0, 4, text, 12, 4) == 0, "the year stays");
  must(written.compare(8, 2, text, 5, 2) == 0, "the day stays");
  must(written.compare(11, 8, text, 17, 8) == 0, "the time stays");
}

}  // namespace

void fuzz(std::string_view input) {
  const std::string text(input);
  check_rfc3339(text);
  check_http_date(text);
}

}  // namespace spotkeeper
