// SPDX-License-Identifier: Apache-2.0
// The halves of `spotkeeper bootstrap` that speak with AWS: --create and --check. Exit status as of
// app/bootstrap.h.
#pragma once

#include "config/bootstrap_options.h"

namespace spotkeeper::app {

int run_bootstrap_in_aws(const config::BootstrapOptions& options);

}  // namespace spotkeeper::app
