// SPDX-License-Identifier: Apache-2.0
// The options of `spotkeeper plan` and `spotkeeper drain`, in kubectl's habits. Parsed as
// config/flags.h says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/flags.h"
#include "config/platform.h"
#include "core/notice.h"
#include "core/policy.h"
#include "core/waves.h"

namespace spotkeeper::config {

// When the host ends: so long from now, at a moment, or unset: it does not, so far as we know.
struct Deadline {
  std::optional<Millis> in;
  std::optional<Time> at;

  // kNever when unset.
  Time from(Time now) const;
};

struct DrainOptions {
  Platform platform = Platform::kKubernetes;
  std::vector<std::string> hosts;  // node names, instance ids or ARNs of container instances
  std::string host_file;           // which names more of them; "-": stdin
  std::vector<int> host_lines;     // of each host in that file, put here by who has read it
  std::string selector;            // label selector of nodes
  std::string kubeconfig;
  std::string context;
  Deadline deadline;
  int enough_grace = 0;   // seconds; 0: 60 s for pods, all of it for ECS tasks
  int margin = 3;         // seconds
  int grace_period = -1;  // seconds; negative: each pod's own
  std::string policy_file;
  std::vector<core::Rule> rules;  // of the policy file, put here by who has read it
  core::HandOver hand_over = core::HandOver::kInterruptions;
  int kube_api_qps = 100;
  int kube_api_burst = 200;
  std::string output = "table";
  core::NoticeKind notice = core::NoticeKind::kManual;  // plan only: whose rules and habits
  EcsOptions ecs;
  // drain only
  std::optional<core::MaxUnavailable> max_unavailable;  // unset: all hosts at once
  bool taint_node = false;
  bool dry_run = false;
  bool undo = false;
  Millis timeout{0};                 // 0: none
  std::string on_interrupt = "ask";  // "undo", "leave"
};

enum class HandCommand { kPlan, kDrain };

// The options must outlive the flags.
Flags hand_flags(HandCommand command, DrainOptions& options);

Result<DrainOptions> parse_drain_options(HandCommand command,
                                         const std::vector<std::string>& arguments,
                                         const Environment& environment);

// The hosts that the host file names, in its place; see config/host_file.h.
Result<void> read_hosts(DrainOptions& options);

core::Policy policy_of(const DrainOptions& options);

}  // namespace spotkeeper::config
