// SPDX-License-Identifier: Apache-2.0
#include "config/agent_options.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::config {
namespace {

// NTH's default. A Spot notice never comes earlier than this before the end.
constexpr int kWholeNotice = 120;

const Option* find_option(const std::string& flag) {
  const auto& table = agent_option_table();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Option& o) { return flag == o.flag; });
  return found == table.end() ? nullptr : &*found;
}

Result<void> set(AgentOptions& options, const Option& option, const std::string& where,
                 const std::string& text) {
  const std::optional<std::string> expected = option.set(options, text);
  if (!expected) return {};
  return permanent(fmt::format("{}: expected {}, got '{}'", where, *expected, text));
}

// -x, --x, --x=v, --x v; a switch takes its value only behind "=".
Result<void> take_arguments(AgentOptions& options, const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const size_t dashes = argument.starts_with("--") ? 2 : argument.starts_with("-") ? 1 : 0;
    if (dashes == 0 || argument.size() == dashes) {
      return permanent(
          fmt::format("'{}': expected an option; see 'spotkeeper agent --help'", argument));
    }
    const size_t equals = argument.find('=');
    const std::string flag =
        argument.substr(dashes, equals == std::string::npos ? std::string::npos : equals - dashes);
    const Option* option = find_option(flag);
    if (option == nullptr) {
      return permanent(
          fmt::format("--{}: there is no such option; see 'spotkeeper agent --help'", flag));
    }
    std::string text = "true";
    if (equals != std::string::npos) {
      text = argument.substr(equals + 1);
    } else if (option->value[0] != '\0') {
      if (i + 1 == arguments.size()) {
        return permanent(fmt::format("--{}: expected {} behind it", flag, option->value));
      }
      text = arguments[++i];
    }
    if (auto done = set(options, *option, "--" + flag, text); !done) return done;
  }
  return {};
}

}  // namespace

Result<AgentOptions> parse_agent_options(const std::vector<std::string>& arguments,
                                         const Environment& environment) {
  AgentOptions options;
  for (const Option& option : agent_option_table()) {
    const std::optional<std::string> value = environment(option.env);
    if (!value || value->empty()) continue;
    auto done = set(options, option, fmt::format("environment variable {}", option.env), *value);
    if (!done) return std::unexpected(done.error());
  }
  if (auto done = take_arguments(options, arguments); !done) return std::unexpected(done.error());
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
