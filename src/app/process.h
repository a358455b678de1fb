// SPDX-License-Identifier: Apache-2.0
// What the processes that run for ever have in common when they start.
#pragma once

#include <string>

#include "base/result.h"
#include "config/agent_options.h"
#include "config/flags.h"
#include "kube/access.h"
#include "observe/log.h"

namespace spotkeeper::app {

// By the kubeconfig that is named, else by the service account of the pod we run in.
Result<kube::Access> find_cluster(const config::AgentOptions& options);

// As NTH does: lines for people, or one of JSON; without secrets.
void say_configuration(observe::Log& log, const std::string& command, const config::Flags& flags);

}  // namespace spotkeeper::app
