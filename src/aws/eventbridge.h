// SPDX-License-Identifier: Apache-2.0
// Rules of the default event bus and what they send to. The Client must outlive the call; errors as
// in aws/client.h; a rule that does not exist is kGone.
// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct EventRule {
  std::string name;
  std::string arn;
  std::string state;    // ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
  std::string pattern;  // JSON; empty: a schedule
};

struct EventTarget {
  std::string id;
  std::string arn;
};

// Names of the rules that send to it.
Task<Result<std::vector<std::string>>> rules_of_target(Client& client, std::string target_arn);

Task<Result<EventRule>> describe_rule(Client& client, std::string name);
Task<Result<std::vector<EventTarget>>> targets_of_rule(Client& client, std::string name);

// New, or changed; enabled.
Task<Result<void>> put_rule(Client& client, std::string name, std::string pattern,
                            std::string description);

// Added, or replaced by its id. A target that is refused is an Error.
Task<Result<void>> put_target(Client& client, std::string rule, EventTarget target);

}  // namespace spotkeeper::aws
