// SPDX-License-Identifier: Apache-2.0
// Shell completion: every script asks the same question, "spotkeeper __complete WORD…", and this
// program answers, one candidate a line, so that the scripts stay small and never get stale.
#include <fmt/format.h>

#include <algorithm>

#include "app/hosts.h"
#include "cli/command.h"

namespace spotkeeper::cli {
namespace {

constexpr const char* kBash =
    R"(# bash completion of spotkeeper: source <(spotkeeper completion bash)
_spotkeeper() {
  local IFS=$'\n'
  COMPREPLY=($(spotkeeper __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _spotkeeper spotkeeper
)";

constexpr const char* kZsh = R"(#compdef spotkeeper
# zsh completion of spotkeeper: source <(spotkeeper completion zsh)
_spotkeeper() {
  local -a candidates
  candidates=("${(@f)$(spotkeeper __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _spotkeeper spotkeeper
)";

constexpr const char* kFish =
    R"(# fish completion of spotkeeper: spotkeeper completion fish | source
complete -c spotkeeper -f -a '(spotkeeper __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
)";

// What is there, so that one is completed by what comes next.
std::vector<std::string> candidates(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  if (words.size() <= 1) {
    for (const Command& command : all_commands()) all.push_back(command.name);
    all.insert(all.end(), {"--help", "--version"});
    return all;
  }
  const std::vector<Command> commands = all_commands();
  const auto command = std::find_if(commands.begin(), commands.end(),
                                    [&](const Command& c) { return c.name == words.front(); });
  if (command == commands.end()) return all;
  const std::string& before = words[words.size() - 2];
  for (const config::Flag& flag : command->flags) {
    const bool is_before = before == "--" + flag.name || before == "-" + flag.name ||
                           (flag.letter != '\0' && before == std::string{'-', flag.letter});
    if (is_before && !flag.value.empty()) return flag.choices;  // none: the shell's own, files
  }
  if (words.back().starts_with("-")) {
    for (const config::Flag& flag : command->flags) all.push_back("--" + flag.name);
    all.emplace_back("--help");
    return all;
  }
  all = command->words;
  if (command->takes_hosts) {
    const std::vector<std::string> hosts = app::host_names(from_environment);
    all.insert(all.end(), hosts.begin(), hosts.end());
  }
  return all;
}

int complete(const std::vector<std::string>& words) {
  const std::string begun = words.empty() ? std::string() : words.back();
  for (const std::string& candidate : candidates(words)) {
    if (candidate.starts_with(begun)) fmt::print("{}\n", candidate);
  }
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  const std::string script =
      arguments.size() == 1 ? completion_script(arguments.front()) : std::string();
  if (script.empty()) {
    fmt::print(stderr,
               "spotkeeper completion: expected bash, zsh or fish; see "
               "'spotkeeper completion --help'\n");
    return 2;
  }
  fmt::print("{}", script);
  return 0;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

Command completion_command() {
  return {.name = "completion",
          .summary = "print a shell's completion script",
          .usage = "spotkeeper completion bash|zsh|fish",
          .description =
              "Completes commands, options, their values, and the nodes of the cluster "
              "that the kubeconfig names.",
          .examples = {{"source <(spotkeeper completion bash)", "in ~/.bashrc"},
                       {"spotkeeper completion fish | source", "in ~/.config/fish/config.fish"}},
          .exit_status = {"0  printed", "2  no such shell"},
          .flags = {},
          .words = {"bash", "zsh", "fish"},
          .run = run};
}

Command complete_command() {
  Command command;
  command.name = "__complete";
  command.run = complete;
  return command;
}

}  // namespace spotkeeper::cli
