// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "cli/command.h"

namespace spotkeeper::cli {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kFlagColumn = 30;

// Words of `text` in lines of at most kWidth, each line begun by `indent` blanks.
std::string wrapped(std::string_view text, size_t indent) {
  std::string out;
  std::string line(indent, ' ');
  while (!text.empty()) {
    const size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.size() > indent && line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line += ' ';
    line += word;
  }
  return out + line + "\n";
}

std::string option_text(const config::Flag& flag) {
  std::string head = flag.letter == '\0' ? "  " : fmt::format("  -{}, ", flag.letter);
  head += "--" + flag.name + (flag.value.empty() ? "" : " " + flag.value);
  const std::string help = wrapped(
      flag.env.empty() ? flag.help : fmt::format("{} [{}]", flag.help, flag.env), kFlagColumn);
  if (head.size() + 2 > kFlagColumn) return head + "\n" + help;
  return fmt::format("{:<{}}", head, kFlagColumn) + help.substr(kFlagColumn);
}

}  // namespace

std::string help_of(const Command& command) {
  std::string out = fmt::format("spotkeeper {}: {}\n\nUsage:\n  {}\n\n", command.name,
                                command.summary, command.usage);
  out += wrapped(command.description, 0);
  std::string group;
  for (const config::Flag& flag : command.flags) {
    if (group != flag.group) out += "\n" + flag.group + ":\n";
    group = flag.group;
    out += option_text(flag);
  }
  out += "\nExamples:\n";
  for (const Example& example : command.examples) {
    out += fmt::format("  {}\n      {}\n", example.line, example.what);
  }
  out += "\nExit status:\n";
  for (const std::string& line : command.exit_status) out += "  " + line + "\n";
  return out;
}

std::string help_of_all() {
  std::string out = fmt::format("spotkeeper {}: keeps containers running on EC2 Spot\n\nUsage:\n",
                                SPOTKEEPER_VERSION);
  for (const Command& command : all_commands()) {
    out += fmt::format("  {:<34} {}\n", "spotkeeper " + command.name, command.summary);
  }
  out += fmt::format("  {:<34} {}\n", "spotkeeper [agent's options]",
                     "as aws-node-termination-handler is started");
  out += fmt::format("  {:<34} {}\n\n", "spotkeeper --version", "this program's version");
  return out + "'spotkeeper COMMAND --help' has options, examples and exit status.\n";
}

std::optional<std::string> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace spotkeeper::cli
