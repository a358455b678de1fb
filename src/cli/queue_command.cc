// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "app/queue.h"
#include "cli/command.h"
#include "config/policy_file.h"
#include "config/queue_options.h"

namespace spotkeeper::cli {
namespace {

int run(const std::vector<std::string>& arguments) {
  auto options = config::parse_queue_options(arguments, from_environment);
  if (!options) {
    fmt::print(stderr, "spotkeeper queue: {}\n", options.error().message);
    return 2;
  }
  auto rules = config::read_policy_file(options->agent.policy_file);
  if (!rules) {
    fmt::print(stderr, "spotkeeper queue: {}\n", rules.error().message);
    return 2;
  }
  options->agent.rules = std::move(*rules);
  return app::run_queue(*options);
}

}  // namespace

Command queue_command() {
  static config::QueueOptions shown;
  return {
      .name = "queue",
      .summary = "drain any node of a cluster when an SQS queue tells of its end",
      .usage =
          "spotkeeper queue --queue-url URL [options]     each option also by its "
          "environment variable",
      .description =
          "Hears of every instance by EventBridge's events and Auto Scaling's lifecycle hooks in "
          "an SQS queue, and drains the node that it is. Lifecycle hooks are completed when its "
          "pods are gone. Runs until SIGTERM; what is in hand is given to other replicas then, or "
          "to the next start. Several replicas share the work.",
      .examples = {{"spotkeeper queue --queue-url "
                    "https://sqs.eu-west-1.amazonaws.com/123456789012/spotkeeper",
                    "in a Deployment's pod"},
                   {"spotkeeper queue --queue-url URL --kubeconfig ~/.kube/config --dry-run",
                    "from elsewhere, changing nothing"}},
      .exit_status = {"0  ended in order", "1  failure of its own", "2  wrong option or file"},
      .flags = config::queue_flags(shown),
      .run = run};
}

}  // namespace spotkeeper::cli
