// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command.h"

namespace spotkeeper::cli {

std::vector<Command> all_commands() {
  return {agent_command(),     queue_command(), plan_command(),      drain_command(),
          bootstrap_command(), demo_command(),  completion_command()};
}

namespace {

int run_command(const Command& command, const std::vector<std::string>& arguments) {
  const auto asks_help = [](const std::string& a) { return a == "--help" || a == "-h"; };
  if (!command.own_help && std::any_of(arguments.begin(), arguments.end(), asks_help)) {
    fmt::print("{}", help_of(command));
    return 0;
  }
  return command.run(arguments);
}

int run(const std::vector<std::string>& arguments) {
  const std::string first = arguments.empty() ? std::string() : arguments.front();
  if (first == "--version" || first == "version") {
    fmt::print("spotkeeper {}\n", SPOTKEEPER_VERSION);
    return 0;
  }
  if (first == "--help" || first == "-h" || first == "help") {
    fmt::print("{}", help_of_all());
    return 0;
  }
  // As aws-node-termination-handler is started. Nothing at all is said by somebody who asks.
  const auto is_set = [](const char* name) { return !from_environment(name).value_or("").empty(); };
  if (first.empty() && !is_set("NODE_NAME") && !is_set("SPOTKEEPER_PLATFORM") &&
      !is_set("ENABLE_SQS_TERMINATION_DRAINING")) {
    fmt::print(stderr, "{}", help_of_all());
    return 2;
  }
  if (first.empty() || first.starts_with("-")) return run_command(agent_command(), arguments);
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  const Command hidden = complete_command();
  if (first == hidden.name) return hidden.run(rest);
  for (const Command& command : all_commands()) {
    if (command.name == first) return run_command(command, rest);
  }
  fmt::print(stderr, "spotkeeper: '{}': there is no such command; see 'spotkeeper --help'\n",
             first);
  return 2;
}

}  // namespace
}  // namespace spotkeeper::cli

int main(int argc, char** argv) {
  return spotkeeper::cli::run({argv + 1, argv + argc});
}
