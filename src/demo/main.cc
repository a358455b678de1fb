// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <csignal>
#include <string>
#include <vector>

#include "demo/show.h"

int main(int argc, char** argv) {
  using namespace spotkeeper::demo;
  std::signal(SIGPIPE, SIG_DFL);  // `| head`: nobody reads any more
  const auto options = parse_options(std::vector<std::string>(argv + 1, argv + argc));
  if (!options) {
    fmt::print(stderr, "spotkeeper-demo: {}\n", options.error().message);
    return 2;
  }
  if (options->help || options->list) {
    fmt::print("{}", options->help ? help_text() : list_text());
    return 0;
  }
  return run_demo(*options);
}
