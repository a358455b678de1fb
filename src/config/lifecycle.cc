// SPDX-License-Identifier: Apache-2.0
#include "config/lifecycle.h"

#include "config/kube_names.h"

namespace spotkeeper::config {
namespace {

constexpr const char* kGroup = "Node's lifecycle";

Setter label_key(std::string& target) {
  return {[&target](const std::string& value) -> Expected {
            if (!value.empty() && !is_label_key(value)) return "a label's key";
            target = value;
            return {};
          },
          [&target] { return target; }};
}

Setter label_value(std::string& target) {
  return {[&target](const std::string& value) -> Expected {
            if (!is_label_value(value)) return "a label's value";
            target = value;
            return {};
          },
          [&target] { return target; }};
}

}  // namespace

Flags lifecycle_flags(LifecycleOptions& o) {
  return {
      {"lifecycle-label", "LIFECYCLE_LABEL", kGroup, "KEY",
       "at the start label the node by what instance metadata says it is: 'lifecycle', for example",
       label_key(o.label)},
      {"lifecycle-label-spot", "LIFECYCLE_LABEL_SPOT", kGroup, "VALUE",
       "the label's value on Spot instances (default Ec2Spot)", label_value(o.spot)},
      {"lifecycle-label-on-demand", "LIFECYCLE_LABEL_ON_DEMAND", kGroup, "VALUE",
       "its value on others (default OnDemand)", label_value(o.on_demand)},
      {"taint-spot-nodes", "TAINT_SPOT_NODES", kGroup, "",
       "at the start taint a Spot instance's node spotInstance=true:PreferNoSchedule",
       boolean(o.taint_spot)},
  };
}

}  // namespace spotkeeper::config
