// SPDX-License-Identifier: Apache-2.0
// Flags that the agent and the commands that people type have in common.
#pragma once

#include <string>

#include "config/flags.h"
#include "core/policy.h"

namespace spotkeeper::config {

// `env`: empty where there is none. The target must outlive the Flag.
Flag policy_file_flag(const std::string& env, const std::string& group, std::string& target);
Flag hand_over_flag(const std::string& env, const std::string& group, core::HandOver& target);
Flag qps_flag(const std::string& group, int& target);
Flag burst_flag(const std::string& group, int& target);

}  // namespace spotkeeper::config
