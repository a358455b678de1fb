// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/bootstrap.h"
#include "cli/command.h"
#include "config/bootstrap_options.h"

namespace spotkeeper::cli {
namespace {

int run(const std::vector<std::string>& arguments) {
  const auto options = config::parse_bootstrap_options(arguments, from_environment);
  if (!options) {
    fmt::print(stderr, "spotkeeper bootstrap: {}\n", options.error().message);
    return 2;
  }
  return app::run_bootstrap(*options);
}

}  // namespace

Command bootstrap_command() {
  static config::BootstrapOptions shown;
  return {
      .name = "bootstrap",
      .summary = "print, create or check what queue mode needs in AWS",
      .usage =
          "spotkeeper bootstrap --cluster NAME [--group ASG,...] [--create | --check] [options]",
      .description =
          "Queue mode hears of instances through an SQS queue. This prints, as CloudFormation or "
          "Terraform, the queue with its dead-letter queue and policy, the EventBridge rules that "
          "fill it, lifecycle hooks of the groups, and the IAM policy of the process that reads "
          "it; or creates all that; or checks what is there, and says what to do about it.",
      .examples =
          {{"spotkeeper bootstrap --cluster prod --region eu-west-1 --group workers > queue.yaml",
            "a CloudFormation template"},
           {"spotkeeper bootstrap --cluster prod --region eu-west-1 -o terraform > queue.tf",
            "the same for Terraform"},
           {"spotkeeper bootstrap --cluster prod --group workers --create",
            "now, with the AWS credentials of the environment"},
           {"spotkeeper bootstrap --cluster prod --group workers --check --queue-url "
            "\"$QUEUE_URL\"",
            "what is missing or wrong, the process's URL included"},
           {"spotkeeper bootstrap --router spotkeeper > router.yaml",
            "rules once for all clusters of a region; then each cluster with --router spotkeeper"}},
      .exit_status = {"0  printed; created or there already; or nothing is wrong",
                      "1  something is missing or wrong, or AWS refused or could not be reached",
                      "2  wrong option"},
      .flags = config::bootstrap_flags(shown),
      .run = run};
}

}  // namespace spotkeeper::cli
