// SPDX-License-Identifier: Apache-2.0
// The agent's host as a container instance of an ECS cluster.
#pragma once

#include "app/platform.h"
#include "config/agent_options.h"

namespace spotkeeper::app {

// The options must outlive what it makes.
MakePlatform on_ecs(const config::AgentOptions& options);

// Whether this is an ECS host, as far as it says so within a second or two: its ECS agent's
// introspection answers.
bool is_ecs_host(const config::AgentOptions& options);

}  // namespace spotkeeper::app
