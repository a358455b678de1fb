// SPDX-License-Identifier: Apache-2.0
// What the operator's policy comes to on ECS. Pure.
#pragma once

#include "core/policy.h"

namespace spotkeeper::ecs {

// No grace but a task's own stopTimeout; no taints, labels or hand-overs; ECS's request rates; and
// behind the operator's rules the one for standalone tasks (task_units.h).
core::Policy policy_on_ecs(core::Policy policy);

}  // namespace spotkeeper::ecs
