// SPDX-License-Identifier: Apache-2.0
// The agent's host as a Node of a Kubernetes cluster.
#pragma once

#include "app/platform.h"
#include "config/agent_options.h"
#include "effects/kubernetes.h"
#include "kube/access.h"

namespace spotkeeper::app {

// What the effects make of the options.
effects::Kubernetes::Options effect_options(const config::AgentOptions& options);

// The options must outlive what it makes.
MakePlatform on_kubernetes(const config::AgentOptions& options, kube::Access access);

}  // namespace spotkeeper::app
