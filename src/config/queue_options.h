// SPDX-License-Identifier: Apache-2.0
// The options of `spotkeeper queue`: NTH's names for flags and environment variables in its queue
// mode, parsed as config/flags.h says. What a drain is done by, and what is told of it, are the
// agent's options; those of instance metadata and of ECS are accepted and without effect.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/agent_options.h"
#include "config/flags.h"

namespace spotkeeper::config {

struct QueueOptions {
  AgentOptions agent;
  std::string queue_url;
  std::string region;    // empty: the queue's
  std::string endpoint;  // instead of AWS's own
  bool check_tag = true;
  std::string managed_tag = "aws-node-termination-handler/managed";
  bool use_provider_id = false;  // it always is
  bool delete_if_node_not_found = false;
  int visibility = 20;        // seconds
  int completion_delay = -1;  // seconds; negative: none
  std::string failed_drain_result = "CONTINUE";
  Millis abandon_launch_after{0};  // 0: a launch is waited for as long as its hook waits
  bool detach = false;             // a doomed instance from its Auto Scaling group, at once
  std::string after_termination = "nothing";  // or delete-node, out-of-service-taint
};

// They must be outlived by the options.
Flags queue_flags(QueueOptions& options);

// `arguments` without the program's name and subcommand.
Result<QueueOptions> parse_queue_options(const std::vector<std::string>& arguments,
                                         const Environment& environment);

}  // namespace spotkeeper::config
