// SPDX-License-Identifier: Apache-2.0
// For the commands that people type on ECS: the region and the container instances they mean.
#pragma once

#include <memory>
#include <vector>

#include "app/aws_access.h"
#include "async/task_group.h"
#include "config/drain_options.h"
#include "core/host.h"
#include "ecs/instance.h"

namespace spotkeeper::app {

// AWS_REGION, AWS_DEFAULT_REGION, or that of a host that is given as an ARN. kPermanent: none.
Result<std::unique_ptr<AwsAccess>> reach_aws(const config::DrainOptions& options, TaskGroup& tasks,
                                             const Clock& clock);

// In their order, each once. kGone, with one line that names it, when one is not there.
Task<Result<std::vector<ecs::Instance>>> find_instances(aws::Client& client,
                                                        config::DrainOptions options);

// What a host is called: its EC2 instance id, or that of its container instance.
core::HostId host_of(const ecs::Instance& instance);

}  // namespace spotkeeper::app
