// SPDX-License-Identifier: Apache-2.0
// Phrases and readings that several places of the core share.
#pragma once

#include <string>

#include "base/clock.h"
#include "core/action.h"

namespace spotkeeper::core {

// "25 s before the deadline", "3.0 s after the deadline".
inline std::string before_deadline(Time deadline, Time now) {
  if (deadline == kNever) return "without a deadline";
  return now <= deadline ? format_duration(deadline - now) + " before the deadline"
                         : format_duration(now - deadline) + " after the deadline";
}

// 401, or a token that cannot be read just now, is weather; 403 is a decision.
inline bool is_denied(const Error& error) {
  return error.kind == ErrorKind::kDenied && error.status == 403;
}

inline constexpr const char* kMayNotEvict = "we may not evict";

inline const char* told_text(ActionKind kind) {
  return kind == ActionKind::kStop ? "its deletion is written" : "its eviction is accepted";
}

}  // namespace spotkeeper::core
