// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.h"

#include <algorithm>

namespace spotkeeper {

Millis backoff_delay(const Backoff& backoff) {
  const int doublings = std::clamp(backoff.attempt - 1, 0, 30);
  const double wanted =
      static_cast<double>(backoff.base.count()) * static_cast<double>(1 << doublings);
  const double most = std::min(wanted, static_cast<double>(backoff.cap.count()));
  const double spread = most * (0.5 + 0.5 * std::clamp(backoff.jitter, 0.0, 1.0));
  return std::max(Millis(static_cast<int64_t>(spread)), backoff.retry_after);
}

bool is_said(int times) {
  return (times & (times - 1)) == 0;
}

}  // namespace spotkeeper
