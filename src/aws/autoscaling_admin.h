// SPDX-License-Identifier: Apache-2.0
// Hooks and tags of Auto Scaling groups, for who sets them up (aws/autoscaling.h reads hooks). The
// Client must outlive the call; errors as in aws/client.h. Source:
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/autoscaling.h"
#include "aws/client.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct GroupTag {
  std::string key;
  std::string value;
  bool propagate_at_launch = false;
};

// Its tags; nullopt: there is no such group.
Task<Result<std::optional<std::vector<GroupTag>>>> tags_of_group(Client& client, std::string group);

// New, or changed. The global timeout is AWS's affair.
Task<Result<void>> put_hook(Client& client, LifecycleHook hook);
Task<Result<void>> put_group_tag(Client& client, std::string group, GroupTag tag);

}  // namespace spotkeeper::aws
