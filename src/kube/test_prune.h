// SPDX-License-Identifier: Apache-2.0
// What PrunedStack makes of a value, the plain way; for tests.
#pragma once

#include <boost/json/value.hpp>

namespace spotkeeper::kube {

inline void prune(boost::json::value& value) {
  if (auto* array = value.if_array()) {
    for (boost::json::value& each : *array) prune(each);
  }
  auto* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, each] : *object) {
    if (key == "managedFields" && each.is_array()) {
      each.as_array().clear();
    } else {
      prune(each);
    }
  }
}

}  // namespace spotkeeper::kube
