// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/agent_command.h"

namespace {

void print_usage(FILE* to) {
  fmt::print(to,
             "spotkeeper {}: keeps containers running on EC2 Spot\n\n"
             "Usage:\n"
             "  spotkeeper agent [options]   drain this host when AWS announces its end\n"
             "  spotkeeper [options]         the same, as aws-node-termination-handler is started\n"
             "  spotkeeper --version\n\n"
             "'spotkeeper agent --help' lists the options.\n",
             SPOTKEEPER_VERSION);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string first = arguments.empty() ? std::string() : arguments.front();
  if (first == "--version" || first == "version") {
    fmt::print("spotkeeper {}\n", SPOTKEEPER_VERSION);
    return 0;
  }
  if (first == "--help" || first == "-h" || first == "help") {
    print_usage(stdout);
    return 0;
  }
  if (first == "agent")
    return spotkeeper::cli::agent_command({arguments.begin() + 1, arguments.end()});
  if (first.empty() || first.starts_with("-")) return spotkeeper::cli::agent_command(arguments);
  fmt::print(stderr, "spotkeeper: '{}': there is no such command; see 'spotkeeper --help'\n",
             first);
  return 2;
}
