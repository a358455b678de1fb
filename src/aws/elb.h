// SPDX-License-Identifier: Apache-2.0
// The calls to load balancers (Elastic Load Balancing v2) that we make, and trimmed records of what
// they answer. The Client must outlive the call; errors as in aws/client.h; `at_most` is the time
// for all of it.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "aws/xml.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct Target {
  std::string id;               // an instance id, or an IP address
  std::optional<int64_t> port;  // nullopt: the target group's

  bool operator==(const Target&) const = default;
};

struct TargetHealth {
  Target target;
  std::string state;   // initial, healthy, unhealthy, unhealthy.draining, unused, draining, …
  std::string reason;  // "Target.DeregistrationInProgress"; may be empty
  std::string description;
};

struct TargetGroupAttributes {
  int64_t deregistration_delay_s = 300;         // deregistration_delay.timeout_seconds
  std::map<std::string, std::string> others{};  // as given
};

// Of these targets, or of all when there are none. Of a target that is not registered the state is
// "unused". An unknown target group is kGone, and so is an unknown target (InvalidTarget).
Task<Result<std::vector<TargetHealth>>> describe_target_health(Client& client,
                                                               std::string target_group_arn,
                                                               std::vector<Target> targets = {},
                                                               Millis at_most = kCallTime);

Task<Result<TargetGroupAttributes>> describe_target_group_attributes(Client& client,
                                                                     std::string target_group_arn,
                                                                     Millis at_most = kCallTime);

// From the answer on no new connections; those there are have the deregistration delay. Without
// targets there is no call. A target that is not registered is no error.
Task<Result<void>> deregister_targets(Client& client, std::string target_group_arn,
                                      std::vector<Target> targets, Millis at_most = kCallTime);

// What the answers are decoded with; pure.
Result<std::vector<TargetHealth>> decode_target_health(const Xml& result);
Result<TargetGroupAttributes> decode_target_group_attributes(const Xml& result);

}  // namespace spotkeeper::aws
