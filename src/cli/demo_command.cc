// SPDX-License-Identifier: Apache-2.0
// `spotkeeper demo`: starts spotkeeper-demo when it stands beside this executable, as git does. The
// emulated world is no part of what runs on production hosts.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/command.h"

namespace spotkeeper::cli {
namespace {

constexpr const char* kName = "spotkeeper-demo";

int run(const std::vector<std::string>& arguments) {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::string demo = failure ? std::string(kName) : (self.parent_path() / kName).string();
  std::vector<std::string> words{kName};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(demo.c_str(), argv.data());
  fmt::print(stderr,
             "spotkeeper demo: {}: {}; it is a program of its own, which 'make demo' builds\n",
             demo, std::strerror(errno));
  return 2;
}

}  // namespace

Command demo_command() {
  return {.name = "demo",
          .summary = "watch an emulated interruption: needs no cluster",
          .usage = "spotkeeper demo [options]     the options of spotkeeper-demo",
          .description = "",
          .examples = {},
          .exit_status = {},
          .flags = {},
          .own_help = true,
          .run = run};
}

}  // namespace spotkeeper::cli
