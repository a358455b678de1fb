// SPDX-License-Identifier: Apache-2.0
// The options of `spotkeeper agent`: NTH's names for flags and environment variables, parsed as
// config/flags.h says.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/flags.h"
#include "config/lifecycle.h"
#include "config/nth_options.h"
#include "config/platform.h"
#include "config/telling.h"
#include "core/journal.h"
#include "core/policy.h"

namespace spotkeeper::config {

struct AgentOptions {
  Platform platform = Platform::kAuto;
  std::string node_name;  // on ECS only what the host is called in the log
  std::string pod_name;
  std::string pod_namespace;
  std::string metadata_url = "http://169.254.169.254";
  int metadata_tries = 3;
  Millis imds_poll_interval{1'000};
  bool enable_spot_interruption_draining = true;
  bool enable_scheduled_event_draining = true;
  bool enable_asg_lifecycle_draining = false;
  bool enable_rebalance_monitoring = false;
  bool enable_rebalance_draining = false;
  bool enable_rebalance_soft_signal = false;
  Millis rebalance_trust{3'600'000};  // 0: for good
  std::string uptime_from_file;       // empty: /proc/uptime
  LifecycleOptions lifecycle;
  bool taint_node = false;
  std::string taint_effect = "NoSchedule";
  bool ignore_daemon_sets = true;
  bool daemon_set_signal = false;
  bool delete_local_data = true;
  int pod_termination_grace_period = -1;    // seconds; negative: each pod's own
  int node_termination_grace_period = 120;  // seconds
  int enough_grace = 0;                     // seconds; 0: 60 s for pods, all of it for ECS tasks
  int margin = 3;                           // seconds
  std::string policy_file;
  std::vector<core::Rule> rules;  // of the policy file, put here by who has read it
  core::HandOver hand_over = core::HandOver::kInterruptions;
  int kube_api_qps = 100;
  int kube_api_burst = 200;
  bool early_word = false;
  bool exclude_from_load_balancers = false;
  bool enable_out_of_service_taint = false;
  bool cordon_only = false;
  bool dry_run = false;
  core::Level log_level = core::Level::kInfo;
  bool json_logging = false;
  std::string kubernetes_service_host;
  std::string kubernetes_service_port;
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
  std::string kubeconfig;
  std::string kube_context;
  Telling telling;
  EcsOptions ecs;
  NthOptions nth;
};

// The options' flags. They must be outlived by the options.
Flags agent_flags(AgentOptions& options);

// `arguments` without the program's name and subcommand.
Result<AgentOptions> parse_agent_options(const std::vector<std::string>& arguments,
                                         const Environment& environment);

// What no flag alone shows to be wrong in how hosts are drained and what is told of it; takes over
// deprecated names.
Result<void> check_drain_options(AgentOptions& options);

// That it is missing, in NTH's words.
Error no_node_name();

// What the core makes of them.
core::Policy policy_of(const AgentOptions& options);

}  // namespace spotkeeper::config
