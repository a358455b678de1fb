// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "emulator/serve.h"

namespace {

void print_usage() {
  fmt::print(
      "spotkeeper-world: an empty emulated Kubernetes cluster on loopback, for development\n\n"
      "Usage:\n  spotkeeper-world [options]\n\n"
      "  --port N               port of 127.0.0.1; 0, the default: any free one\n"
      "  --speed X              its clock moves X times as fast as ours [1]\n"
      "  --seed N               of its random delays [1]\n"
      "  --deny VERB/RESOURCE   nobody may do that, e.g. patch/pods/status; may be repeated\n"
      "  --administrator NAME   who may do everything: without a token, or with this name as "
      "token\n"
      "  --audit-log FILE       each request, as the API server's audit log has it\n\n"
      "The first line it prints is {{\"url\": …}}. It ends on SIGTERM.\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && (arguments.front() == "--help" || arguments.front() == "-h")) {
    print_usage();
    return 0;
  }
  auto options = spotkeeper::emulator::parse_serve_options(arguments);
  if (!options) {
    fmt::print(stderr, "spotkeeper-world: {}; see --help\n", options.error().message);
    return 2;
  }
  return spotkeeper::emulator::serve_world(std::move(*options));
}
