// SPDX-License-Identifier: Apache-2.0
// `spotkeeper plan` and `spotkeeper drain` with --platform ecs: container instances, by ARN or EC2
// instance id. Exit status as of by_hand.h.
#pragma once

#include "config/drain_options.h"

namespace spotkeeper::app {

int run_plan_on_ecs(const config::DrainOptions& options);
int run_drain_on_ecs(const config::DrainOptions& options);

}  // namespace spotkeeper::app
