// SPDX-License-Identifier: Apache-2.0
#include "ecs/policy.h"

#include "ecs/ecs.h"
#include "ecs/task_units.h"

namespace spotkeeper::ecs {

core::Policy policy_on_ecs(core::Policy policy) {
  policy.grace_override.reset();  // StopTask takes none
  policy.renew_every.reset();     // a container instance bears no record of who drains it
  policy.hand_over = core::HandOver::kNever;
  policy.requests_per_s = kRequestsPerS;
  policy.request_burst = kRequestBurst;
  policy.taint = policy.no_execute_at_end = policy.out_of_service = false;
  policy.exclude_from_load_balancers = policy.signal_daemons = policy.early_word = false;
  policy.rules.push_back(standalone_rule());
  return policy;
}

}  // namespace spotkeeper::ecs
