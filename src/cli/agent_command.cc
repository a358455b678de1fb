// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "app/agent.h"
#include "config/agent_options.h"

namespace spotkeeper::cli {
namespace {

std::optional<std::string> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

void print_help() {
  fmt::print(
      "spotkeeper agent: drain this host when AWS announces its end\n\n"
      "Polls the instance metadata of the host it runs on. On a Spot interruption notice the node\n"
      "is cordoned, and every pod is told to end in time for its grace period; a disruption "
      "budget\n"
      "is respected until the last moment at which the pod can still end well.\n\n"
      "Usage:\n  spotkeeper agent [options]     each option also by its environment variable\n\n"
      "Examples:\n"
      "  spotkeeper agent --node-name ip-10-0-1-7.ec2.internal     in a DaemonSet's pod\n"
      "  spotkeeper agent --node-name worker-1 --kubeconfig ~/.kube/config --dry-run\n\n");
  std::string group;
  for (const config::Option& option : config::agent_option_table()) {
    if (group != option.group) {
      group = option.group;
      fmt::print("{}:\n", group);
    }
    const std::string flag =
        fmt::format("--{}{}{}", option.flag, option.value[0] != '\0' ? " " : "", option.value);
    fmt::print("  {:<42} {}\n  {:<42}   [{}]\n", flag, option.help, "", option.env);
  }
  fmt::print("\nExit status: 0 ended in order, 1 failure of its own, 2 wrong option or file.\n");
}

}  // namespace

int agent_command(const std::vector<std::string>& arguments) {
  const auto asks_help = [](const std::string& a) { return a == "--help" || a == "-h"; };
  if (std::any_of(arguments.begin(), arguments.end(), asks_help)) {
    print_help();
    return 0;
  }
  const auto options = config::parse_agent_options(arguments, from_environment);
  if (!options) {
    fmt::print(stderr, "spotkeeper agent: {}\n", options.error().message);
    return 2;
  }
  return app::run_agent(*options);
}

}  // namespace spotkeeper::cli
