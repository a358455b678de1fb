// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/check.h"

namespace spotkeeper::bootstrap {

const char* to_string(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok";
    case Level::kNote:
      return "note";
    case Level::kWrong:
      return "wrong";
  }
  return "unknown";
}

Findings check(const Plan& plan, const Seen& seen) {
  Findings out;
  if (!seen.queue_url.empty()) check_queue_url(plan, seen, out);
  if (plan.queue) check_queue(plan, seen, out);
  if (plan.topic) check_topic(plan, seen, out);
  check_rules(plan, seen, out);
  check_groups(plan, seen, out);
  return out;
}

}  // namespace spotkeeper::bootstrap
