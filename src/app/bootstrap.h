// SPDX-License-Identifier: Apache-2.0
// `spotkeeper bootstrap`: what queue mode needs in AWS, printed, created or checked.
#pragma once

#include "bootstrap/plan.h"
#include "config/bootstrap_options.h"

namespace spotkeeper::app {

// Exit status: 0 printed, created, or nothing wrong; 1 something is wrong, or AWS refused or could
// not be reached; 2 a wrong option.
int run_bootstrap(const config::BootstrapOptions& options);

bootstrap::Wish wish_of(const config::BootstrapOptions& options);

}  // namespace spotkeeper::app
