// SPDX-License-Identifier: Apache-2.0
#include "config/agent_options.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::config {
namespace {

// NTH's default. A Spot notice never comes earlier than this before the end.
constexpr int kWholeNotice = 120;

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
  if (options.node_name.empty()) {
    return permanent(
        "--node-name: You must provide a node-name to the CLI or NODE_NAME environment variable");
  }
  return options;
}

core::Policy policy_of(const AgentOptions& options) {
  core::Policy policy;
  policy.margin = Seconds(options.margin);
  policy.enough_grace = Seconds(options.enough_grace);
  if (options.pod_termination_grace_period >= 0) {
    // 0 would remove the object and leave the process running: 1 s is the shortest grace.
    policy.grace_override = Seconds(std::max(1, options.pod_termination_grace_period));
  }
  if (options.node_termination_grace_period < kWholeNotice) {
    policy.start_before = Seconds(options.node_termination_grace_period);
  }
  policy.mark_only = options.cordon_only;
  policy.dry_run = options.dry_run;
  policy.spare_local_data = !options.delete_local_data;
  return policy;
}

}  // namespace spotkeeper::config
