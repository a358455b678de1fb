// SPDX-License-Identifier: Apache-2.0
// Hooks and tags of Auto Scaling groups, for who sets them up. The Client must outlive the call;
// errors as in aws/client.h.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct GroupTag {
  std::string key;
  std::string value;
  bool propagate_at_launch = false;
};

struct GroupHook {
  std::string name;
  std::string transition;  // autoscaling:EC2_INSTANCE_TERMINATING, …_LAUNCHING
  int timeout_s = 0;
  std::string default_result;  // CONTINUE, ABANDON
};

// Its tags; nullopt: there is no such group.
Task<Result<std::optional<std::vector<GroupTag>>>> tags_of_group(Client& client, std::string group);

Task<Result<std::vector<GroupHook>>> hooks_of_group(Client& client, std::string group);

// New, or changed.
Task<Result<void>> put_hook(Client& client, std::string group, GroupHook hook);
Task<Result<void>> put_group_tag(Client& client, std::string group, GroupTag tag);

}  // namespace spotkeeper::aws
