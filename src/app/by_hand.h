// SPDX-License-Identifier: Apache-2.0
// `spotkeeper plan` and `spotkeeper drain`: what the agent does, at a person's word, from wherever
// there is a kubeconfig.
#pragma once

#include "config/drain_options.h"

namespace spotkeeper::app {

// Exit status of both: 0 done; 1 a pod was not told in time, time ran out, or the cluster could not
// be reached; 2 a wrong option, kubeconfig or host; 130 interrupted.

// Shows what would happen to each pod; changes nothing.
int run_plan(const config::DrainOptions& options, const config::Environment& environment);

// Drains, takes an earlier mark back, or (--dry-run) shows the plan.
int run_drain(const config::DrainOptions& options, const config::Environment& environment);

}  // namespace spotkeeper::app
