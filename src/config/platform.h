// SPDX-License-Identifier: Apache-2.0
// Where a host is managed, and the options that only ECS has.
#pragma once

#include <string>

#include "base/clock.h"
#include "config/flags.h"

namespace spotkeeper::config {

enum class Platform {
  kAuto,  // ECS when the ECS agent's introspection answers on this host, else Kubernetes
  kKubernetes,
  kEcs,
};

// "auto", "kubernetes", "ecs".
const char* to_string(Platform platform);

// "auto" only where `may_be_auto`.
Flag platform_flag(const char* env, const char* group, bool may_be_auto, Platform& target);

struct EcsOptions {
  std::string cluster;  // name or ARN; empty: as introspection says, or "default"
  std::string introspection_url = "http://localhost:51678";
  Millis stop_timeout{30'000};  // of containers whose definition says nothing
  bool deregister = false;
  bool deregister_targets = true;
  bool force_new_deployment = false;
};

// The agent's flags; what is drained by hand has only the cluster's (cluster_flag). They must be
// outlived by the options.
Flags ecs_flags(EcsOptions& options);
Flag cluster_flag(const char* group, EcsOptions& options);

}  // namespace spotkeeper::config
