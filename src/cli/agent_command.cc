// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "app/agent.h"
#include "cli/command.h"
#include "config/agent_options.h"
#include "config/policy_file.h"

namespace spotkeeper::cli {
namespace {

int run(const std::vector<std::string>& arguments) {
  auto options = config::parse_agent_options(arguments, from_environment);
  if (!options) {
    fmt::print(stderr, "spotkeeper agent: {}\n", options.error().message);
    return 2;
  }
  // As NTH is switched over.
  if (options->nth.queue_mode) return queue_command().run(arguments);
  auto rules = config::read_policy_file(options->policy_file);
  if (!rules) {
    fmt::print(stderr, "spotkeeper agent: {}\n", rules.error().message);
    return 2;
  }
  options->rules = std::move(*rules);
  return app::run_agent(*options);
}

}  // namespace

Command agent_command() {
  static config::AgentOptions shown;
  return {
      .name = "agent",
      .summary = "drain this host when AWS announces its end",
      .usage = "spotkeeper agent [options]     each option also by its environment variable",
      .description =
          "Polls the instance metadata of the host it runs on. On a Spot interruption notice the "
          "node is cordoned, and every pod is told to end in time for its grace period; a "
          "disruption budget is respected until the last moment at which the pod can still end "
          "well. Runs until SIGTERM; a drain that runs is finished first.",
      .examples = {{"spotkeeper agent --node-name ip-10-0-1-7.ec2.internal",
                    "in a DaemonSet's pod"},
                   {"spotkeeper agent --platform ecs", "on a container instance of an ECS cluster"},
                   {"spotkeeper agent --node-name worker-1 --kubeconfig ~/.kube/config --dry-run",
                    "from elsewhere, changing nothing"}},
      .exit_status = {"0  ended in order", "1  failure of its own", "2  wrong option or file"},
      .flags = config::agent_flags(shown),
      .run = run};
}

}  // namespace spotkeeper::cli
