// SPDX-License-Identifier: Apache-2.0
// Which targets of a load balancer's target group are the host's own, and whether they may be taken
// out of it now. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/ecs.h"
#include "aws/elb.h"
#include "base/clock.h"

namespace spotkeeper::ecs {

// Of the registered targets those that lead to this task: by its host's id and the port its
// container is reached at there (which is the container's own where it is in the host's network, of
// which ECS lists no bindings), or by its own address (awsvpc). Empty: it was not found, which is
// not to say that it is out.
std::vector<aws::Target> targets_of(const std::vector<aws::TargetHealth>& registered,
                                    const aws::EcsTask& task, const std::string& network_mode,
                                    const aws::EcsLoadBalancer& balancer,
                                    const std::string& ec2_instance_id);

// Whether the target group has a healthy target beside those: who is the last one serves on.
bool others_serve(const std::vector<aws::TargetHealth>& registered,
                  const std::vector<aws::Target>& own);

// Of the host's own targets those that take new connections, or would.
std::vector<aws::Target> not_draining(const std::vector<aws::TargetHealth>& registered,
                                      const std::vector<aws::Target>& own);

// Still answers the connections it had.
bool any_draining(const std::vector<aws::TargetHealth>& registered,
                  const std::vector<aws::Target>& own);

// Until when the last healthy target serves on: what is left then is worth more to the connections
// it has (`delay`: delay_that_fits(), as the task's grace has it). It is a few looks before the
// task is stopped, which would come first otherwise.
inline constexpr Seconds kBeforeStop{4};
Time serves_until(Time end, Seconds stop_timeout, Seconds delay);

// "i-0123:32768"
std::string to_string(const aws::Target& target);

}  // namespace spotkeeper::ecs
