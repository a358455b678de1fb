// SPDX-License-Identifier: Apache-2.0
#include "config/agent_options.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::config {
namespace {

// NTH's default. A Spot notice never comes earlier than this before the end.
constexpr int kWholeNotice = 120;

// The DaemonSet controller does not look at PreferNoSchedule.
bool repels_daemons(const std::string& effect) {
  return effect != "PreferNoSchedule";
}

}  // namespace

Result<AgentOptions> parse_agent_options(const std::vector<std::string>& arguments,
                                         const Environment& environment) {
  AgentOptions options;
  const auto others = parse_flags(agent_flags(options), "spotkeeper agent", arguments, environment);
  if (!others) return std::unexpected(others.error());
  if (!others->empty()) {
    return permanent(fmt::format("'{}': expected an option; see 'spotkeeper agent --help'",
                                 on_one_line(others->front())));
  }
  if (auto checked = check_nth_options(options.nth); !checked) {
    return std::unexpected(checked.error());
  }
  if (options.nth.queue_mode) return options;  // of which other options are the right ones
  // Whether it is an ECS host is found out where it is not said.
  if (options.node_name.empty() && options.platform == Platform::kKubernetes) {
    return std::unexpected(no_node_name());
  }
  if (const auto checked = check_drain_options(options); !checked) {
    return std::unexpected(checked.error());
  }
  return options;
}

Result<void> check_drain_options(AgentOptions& options) {
  if (options.nth.grace_period && !options.nth.pod_grace_given) {
    options.pod_termination_grace_period = *options.nth.grace_period;
  }
  if (auto checked = check_telling(options.telling); !checked) return checked;
  if (options.daemon_set_signal && !(options.taint_node && repels_daemons(options.taint_effect))) {
    return permanent(
        "--daemon-set-signal (DAEMON_SET_SIGNAL): needs --taint-node (TAINT_NODE=true) with the "
        "effect NoSchedule or NoExecute, for without that taint DaemonSet pods come back at once");
  }
  return {};
}

Error no_node_name() {
  return {.kind = ErrorKind::kPermanent,
          .message =
              "--node-name: You must provide a node-name to the CLI or NODE_NAME "
              "environment variable"};
}

core::Policy policy_of(const AgentOptions& options) {
  core::Policy policy;
  policy.margin = Seconds(options.margin);
  if (options.enough_grace > 0) {
    policy.enough_grace = Seconds(options.enough_grace);
  } else if (options.platform == Platform::kEcs) {
    policy.enough_grace = core::kFullGrace;
  }
  if (options.pod_termination_grace_period >= 0) {
    // 0 would remove the object and leave the process running: 1 s is the shortest grace.
    policy.grace_override = Seconds(std::max(1, options.pod_termination_grace_period));
  }
  if (options.node_termination_grace_period < kWholeNotice) {
    policy.start_before = Seconds(options.node_termination_grace_period);
  }
  policy.mark_only = options.cordon_only;
  policy.recommendation_marks_only = !options.enable_rebalance_draining;
  policy.recommendation_is_soft = options.enable_rebalance_soft_signal &&
                                  !options.enable_rebalance_monitoring &&
                                  !options.enable_rebalance_draining;
  policy.dry_run = options.dry_run;
  policy.spare_local_data = !options.delete_local_data;
  policy.rules = options.rules;
  policy.hand_over = options.hand_over;
  policy.requests_per_s = options.kube_api_qps;
  policy.request_burst = options.kube_api_burst;
  policy.early_word = options.early_word;
  policy.exclude_from_load_balancers = options.exclude_from_load_balancers;
  policy.out_of_service = options.enable_out_of_service_taint;
  policy.signal_daemons = options.daemon_set_signal;
  policy.taint = options.taint_node;
  policy.no_execute_at_end = options.taint_node && options.taint_effect == "NoExecute";
  // NoExecute would end every pod at the mark, before any is told.
  policy.taint_effect = policy.no_execute_at_end ? "NoSchedule" : options.taint_effect;
  return policy;
}

}  // namespace spotkeeper::config
