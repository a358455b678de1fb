// SPDX-License-Identifier: Apache-2.0
// Options of aws-node-termination-handler (NTH) that have nothing to do on the node: known, so that
// nobody's DaemonSet is refused, read as NTH reads them, and told of in one line. Most of them are
// for queue mode: config/queue_options.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/flags.h"

namespace spotkeeper::config {

struct NthOptions {
  bool queue_mode = false;
  int heartbeat_interval = -1;
  int heartbeat_until = -1;
  std::optional<int> grace_period;    // deprecated: pod-termination-grace-period
  bool pod_grace_given = false;       // the new name
  std::vector<std::string> of_queue;  // given, and only for queue mode
  std::vector<std::string> idle;      // given, and without effect here
};

// They must be outlived by the options.
Flags nth_flags(NthOptions& options);

// What cannot be run with on the node: an Error (kPermanent), one line.
Result<void> check_nth_options(const NthOptions& options);

// What was given and has no effect, or is deprecated: each a line for the log, as a warning.
std::vector<std::string> nth_warnings(const NthOptions& options);

}  // namespace spotkeeper::config
