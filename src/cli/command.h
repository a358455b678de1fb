// SPDX-License-Identifier: Apache-2.0
// A subcommand as a value: what --help, shell completion and main() need to know of it. One file a
// subcommand makes one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/flags.h"

namespace spotkeeper::cli {

struct Example {
  std::string line;
  std::string what;
};

struct Command {
  std::string name;
  std::string summary;  // one line
  std::string usage;
  std::string description;
  std::vector<Example> examples;
  std::vector<std::string> exit_status;
  config::Flags flags;
  // Words that may follow: fixed ones, or nodes of the cluster.
  std::vector<std::string> words = {};
  bool takes_hosts = false;
  bool own_help = false;  // it answers --help itself
  std::function<int(const std::vector<std::string>& arguments)> run;
};

Command agent_command();
Command queue_command();
Command plan_command();
Command drain_command();
Command bootstrap_command();
Command demo_command();
Command completion_command();
Command complete_command();  // hidden: what the completion scripts ask

// In the order of --help.
std::vector<Command> all_commands();

// As a manual page: name, usage, description, options, examples, exit status.
std::string help_of(const Command& command);
std::string help_of_all();

// "bash", "zsh" or "fish": the script that completes commands, flags, their values and hosts.
std::string completion_script(const std::string& shell);

std::optional<std::string> from_environment(const std::string& name);

}  // namespace spotkeeper::cli
