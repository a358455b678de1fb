// SPDX-License-Identifier: Apache-2.0
// `spotkeeper agent`: options, help, and the start of the agent.
#pragma once

#include <string>
#include <vector>

namespace spotkeeper::cli {

// `arguments` are those behind "agent". Answers the exit status.
int agent_command(const std::vector<std::string>& arguments);

}  // namespace spotkeeper::cli
