// SPDX-License-Identifier: Apache-2.0
// What things in a small world are called, and what answers say. Only for small_world*.cc.
#pragma once

#include <string>

#include "base/result.h"
#include "core/unit.h"

namespace spotkeeper::laboratory {

inline constexpr Time kSmallBegin = Time(Seconds(1'800'000'000));
inline constexpr const char* kSmallHost = "n1";

inline std::string pod_name(int pod) {
  return "default/p" + std::to_string(pod);
}

inline core::UnitId unit_id(int pod) {
  return core::UnitId("uid-" + std::to_string(pod));
}

inline std::string group_name(int deployment) {
  return "default/d" + std::to_string(deployment);
}

inline core::BudgetId budget_id(int deployment) {
  return core::BudgetId("default/b" + std::to_string(deployment));
}

}  // namespace spotkeeper::laboratory
