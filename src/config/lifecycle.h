// SPDX-License-Identifier: Apache-2.0
// How a node says whether it is a Spot instance: off, unless asked for.
#pragma once

#include <string>

#include "config/flags.h"

namespace spotkeeper::config {

struct LifecycleOptions {
  std::string label;  // its key; empty: no label
  std::string spot = "Ec2Spot";
  std::string on_demand = "OnDemand";
  bool taint_spot = false;  // spotInstance=true:PreferNoSchedule on Spot nodes

  bool wanted() const { return !label.empty() || taint_spot; }
};

// They must be outlived by the options.
Flags lifecycle_flags(LifecycleOptions& options);

}  // namespace spotkeeper::config
