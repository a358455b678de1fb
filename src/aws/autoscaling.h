// SPDX-License-Identifier: Apache-2.0
// The calls to EC2 Auto Scaling that we make, and trimmed records of what they answer. The Client
// must outlive the call; errors as in aws/client.h; `at_most` is the time for all of it.
//
// Auto Scaling has no codes of its own for what is gone: whatever it does not like is a
// "ValidationError" (Error::reason, kPermanent). Of a lifecycle action it means that nothing waits
// any more: done, timed out, or the instance is gone. A call that was repeated because its answer
// was lost may be answered so too.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "aws/xml.h"
#include "base/result.h"

namespace spotkeeper::aws {

inline constexpr const char* kValidationError = "ValidationError";

// A lifecycle hook that waits for one instance.
struct LifecycleAction {
  std::string group;
  std::string hook;
  std::string token;  // may be empty: the instance says enough
  std::string instance;
};

// `result` is CONTINUE or ABANDON.
Task<Result<void>> complete_lifecycle_action(Client& client, LifecycleAction action,
                                             std::string result, Millis at_most = kCallTime);

// The hook's heartbeat time-out begins anew.
Task<Result<void>> record_heartbeat(Client& client, LifecycleAction action,
                                    Millis at_most = kCallTime);

struct LifecycleHook {
  std::string name;
  std::string group;
  std::string
      transition;  // autoscaling:EC2_INSTANCE_TERMINATING, autoscaling:EC2_INSTANCE_LAUNCHING
  std::optional<int64_t> heartbeat_timeout_s;  // 30 to 7200
  std::optional<int64_t> global_timeout_s;     // 48 h, or 100 heartbeats if that is less
  std::string default_result;                  // CONTINUE, ABANDON: when it times out
};
Task<Result<std::vector<LifecycleHook>>> describe_lifecycle_hooks(Client& client, std::string group,
                                                                  Millis at_most = kCallTime);

struct AsgInstance {
  std::string id;
  std::string group;
  std::string lifecycle_state;  // "InService", "Terminating:Wait", "Pending:Wait", "Detaching" …
  std::string zone;
  std::string launch_template;  // its id; empty: none, or of a launch configuration
  bool protected_from_scale_in = false;
};
// In fifties. Instances that are in no group are not among the answers. No ids: no call.
Task<Result<std::vector<AsgInstance>>> describe_auto_scaling_instances(Client& client,
                                                                       std::vector<std::string> ids,
                                                                       Millis at_most = kCallTime);

// Out of its group and of the group's load balancers; it runs on. `decrement`: without it the group
// starts another at once.
Task<Result<void>> detach_instance(Client& client, std::string group, std::string instance,
                                   bool decrement, Millis at_most = kCallTime);

// TerminateInstanceInAutoScalingGroup; terminate hooks wait as usual.
Task<Result<void>> terminate_instance(Client& client, std::string instance, bool decrement,
                                      Millis at_most = kCallTime);

// What the answers are decoded with; pure. An Error (kPermanent) names what is missing.
Result<std::vector<LifecycleHook>> decode_lifecycle_hooks(const Xml& result);
Result<std::vector<AsgInstance>> decode_auto_scaling_instances(const Xml& result);

}  // namespace spotkeeper::aws
