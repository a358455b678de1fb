// SPDX-License-Identifier: Apache-2.0
// `spotkeeper agent`: instance metadata of its own host in, that host drained. Wires the sources,
// the core, the effects and the log together, and knows the order of shutdown.
#pragma once

#include "config/agent_options.h"

namespace spotkeeper::app {

// Runs until SIGTERM or SIGINT. Exit status: 0 after an orderly end, 1 after a failure of our own,
// 2 when an option or a file it names is wrong.
int run_agent(const config::AgentOptions& options);

}  // namespace spotkeeper::app
