// SPDX-License-Identifier: Apache-2.0
// The options of `spotkeeper bootstrap`. Parsed as config/flags.h says. Those that the queue's
// process has as well bear its names and read its variables, so that --check sees what it sees.
#pragma once

#include <string>
#include <vector>

#include "config/flags.h"

namespace spotkeeper::config {

enum class BootstrapMode { kPrint, kCreate, kCheck };

struct BootstrapOptions {
  bool create = false;
  bool check = false;
  bool dry_run = false;
  std::string cluster;
  std::string region;
  std::string router;
  std::string name;   // empty when parsed from nothing: spotkeeper-CLUSTER, or the router's
  std::string queue;  // its name; the same default
  std::string queue_url;
  std::vector<std::string> groups;
  bool launch_hooks = false;
  int hook_timeout_s = 300;
  bool check_tag = true;
  std::string managed_tag = "aws-node-termination-handler/managed";
  bool detach = false;
  std::string identity = "none";
  std::string oidc_issuer;  // without https://
  std::string service_account = "kube-system/spotkeeper-queue";
  std::string output;  // the mode's first, when it is not said

  BootstrapMode mode() const {
    return check ? BootstrapMode::kCheck : create ? BootstrapMode::kCreate : BootstrapMode::kPrint;
  }
};

// The options must outlive the flags.
Flags bootstrap_flags(BootstrapOptions& options);

// Error: bad input, one line. Names are checked by what AWS allows them to be.
Result<BootstrapOptions> parse_bootstrap_options(const std::vector<std::string>& arguments,
                                                 const Environment& environment);

}  // namespace spotkeeper::config
