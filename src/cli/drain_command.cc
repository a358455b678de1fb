// SPDX-License-Identifier: Apache-2.0
// `plan` and `drain`: one plan, shown or carried out.
#include <fmt/format.h>

#include <utility>

#include "app/by_hand.h"
#include "cli/command.h"
#include "config/drain_options.h"
#include "config/policy_file.h"

namespace spotkeeper::cli {
namespace {

using config::HandCommand;

int run_parsed(HandCommand command, const char* name, const std::vector<std::string>& arguments) {
  auto options = config::parse_drain_options(command, arguments, from_environment);
  if (!options) {
    fmt::print(stderr, "{}: {}\n", name, options.error().message);
    return 2;
  }
  auto rules = config::read_policy_file(options->policy_file);
  if (!rules) {
    fmt::print(stderr, "{}: {}\n", name, rules.error().message);
    return 2;
  }
  options->rules = std::move(*rules);
  if (const auto hosts = config::read_hosts(*options); !hosts) {
    fmt::print(stderr, "{}: {}\n", name, hosts.error().message);
    return 2;
  }
  return command == HandCommand::kPlan ? app::run_plan(*options, from_environment)
                                       : app::run_drain(*options, from_environment);
}

}  // namespace

Command plan_command() {
  static config::DrainOptions shown;
  return {.name = "plan",
          .summary = "show what a drain would do to each pod, when, and why",
          .usage = "spotkeeper plan HOST... | --selector LABELS | -f FILE   [options]",
          .description =
              "A HOST is a node's name or its EC2 instance id. Shows for each pod when it would be "
              "asked to leave at the earliest, its last moment (from then on no disruption budget "
              "holds it), its grace period, and what stands in the way now. Changes nothing.",
          .examples = {{"spotkeeper plan ip-10-0-1-7.ec2.internal",
                        "if a Spot notice came now, two minutes before the end"},
                       {"spotkeeper plan i-0123456789abcdef0 --deadline 5m -o yaml",
                        "by instance id, with other times, for a program"},
                       {"spotkeeper plan -l lifecycle=Ec2Spot", "every Spot node"}},
          .exit_status = {"0  shown", "1  the cluster could not be read",
                          "2  wrong option, kubeconfig or host"},
          .flags = config::hand_flags(HandCommand::kPlan, shown),
          .takes_hosts = true,
          .run = [](const std::vector<std::string>& arguments) {
            return run_parsed(HandCommand::kPlan, "spotkeeper plan", arguments);
          }};
}

Command drain_command() {
  static config::DrainOptions shown;
  return {
      .name = "drain",
      .summary = "drain hosts now, by the same plan as at a notice",
      .usage = "spotkeeper drain HOST... | --selector LABELS | -f FILE   [options]",
      .description =
          "A HOST is a node's name or its EC2 instance id. Cordons it and asks its pods to "
          "leave as their disruption budgets allow. With --deadline no budget holds a pod "
          "beyond its last moment; without, every budget is respected for as long as it "
          "takes. Shows what happens, live, and ends with a post-mortem. Static and "
          "DaemonSet pods stay.",
      .examples =
          {{"spotkeeper drain ip-10-0-1-7.ec2.internal --deadline 2m",
            "as if its Spot notice had come"},
           {"spotkeeper drain i-0123456789abcdef0 --dry-run", "show the plan, change nothing"},
           {"spotkeeper drain node-7 -o json > post-mortem.json",
            "progress to stderr, the post-mortem as one document"},
           {"spotkeeper drain -l pool=old --max-unavailable 10% --timeout 30m",
            "an instance refresh: in waves, every budget respected"},
           {"spotkeeper drain -f hosts.txt --deadline 2m",
            "a pool that is reclaimed: all hosts at once"},
           {"aws autoscaling describe-auto-scaling-groups … | spotkeeper plan -f -",
            "hosts from a pipe, one a line"},
           {"spotkeeper drain --platform ecs --cluster prod i-0123456789abcdef0 --deadline 2m",
            "a container instance of an ECS cluster, by instance id or ARN"},
           {"spotkeeper drain node-7 --undo",
            "take back the cordon and taint of an earlier drain"}},
      .exit_status = {"0    every pod was told in time and has left",
                      "1    a pod was not told in time, --timeout is over (with --max-unavailable: "
                      "of one host, and the rest was not begun), or a failure",
                      "2    wrong option, kubeconfig or host",
                      "130  interrupted; marks were taken back or left, as answered"},
      .flags = config::hand_flags(HandCommand::kDrain, shown),
      .takes_hosts = true,
      .run = [](const std::vector<std::string>& arguments) {
        return run_parsed(HandCommand::kDrain, "spotkeeper drain", arguments);
      }};
}

}  // namespace spotkeeper::cli
