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

// Requests and Kubernetes events are counted there; that there may be none of the latter is logged.
// The counters and the log must outlive both.
void count_requests(kube::Api& api, effects::Events& events, Counters& counters, observe::Log& log);

// Tidings as Kubernetes events: of a node, and of a pod on it.
effects::KubeEvent event_of(const core::HostId& host, const Scene::Tidings& tidings);
effects::KubeEvent event_of(const kube::Pod& pod, const core::HostId& host,
                            const Scene::Tidings& tidings);

// The options must outlive what it makes.
MakePlatform on_kubernetes(const config::AgentOptions& options, kube::Access access);

}  // namespace spotkeeper::app
