// SPDX-License-Identifier: Apache-2.0
// Times by Go's layouts, in which Mon Jan 2 15:04:05 2006 stands for the parts. Always UTC. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace spotkeeper::tmpl {

// The year is within 1 and 9999: Value::time() sees to it.
std::string format_layout(Time time, std::string_view layout);

struct DateParts {
  int year = 1;
  unsigned month = 1;
  unsigned day = 1;
  unsigned weekday = 0;  // 0: Sunday
  int year_day = 1;
  int hour = 0, minute = 0, second = 0, milli = 0;
};

DateParts date_parts(Time time);

}  // namespace spotkeeper::tmpl
