// SPDX-License-Identifier: Apache-2.0
// Runs a program to its end and collects what it prints; no shell. Its stderr is ours. The event
// loop is never blocked. Its end is its own: whatever it has started and left behind is neither
// waited for nor killed, even where it holds the program's stdout open. Whoever leaves the task
// before that end (time-out, cancellation) kills the program by its id, with what it has started
// itself, and reaps it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"

namespace spotkeeper::kube {

struct Program {
  std::vector<std::string> argv;  // argv[0] without a slash is looked up in our PATH
  std::vector<std::string> env;   // "NAME=value", all of it
  bool inherits_stdin = false;    // else /dev/null
};

struct ProgramEnd {
  std::string output;
  int exit_code = 0;
  int signal = 0;  // that ended it, else 0
};

// kPermanent when it cannot be started; then `reason` is "NotFound" where there is no such program.
// kRetryable when it ran into `at_most` or printed more than `most_output` bytes.
Task<Result<ProgramEnd>> run_program(Program program, size_t most_output, Millis at_most);

}  // namespace spotkeeper::kube
