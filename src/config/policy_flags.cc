// SPDX-License-Identifier: Apache-2.0
#include "config/policy_flags.h"

namespace spotkeeper::config {
namespace {

Setter hand_over(core::HandOver& target) {
  return [&target](const std::string& value) -> Expected {
    if (value == "never") {
      target = core::HandOver::kNever;
    } else if (value == "interruptions") {
      target = core::HandOver::kInterruptions;
    } else if (value == "always") {
      target = core::HandOver::kAlways;
    } else {
      return "never, interruptions or always";
    }
    return {};
  };
}

}  // namespace

Flag policy_file_flag(const std::string& env, const std::string& group, std::string& target) {
  const bool agent = !env.empty();
  return {"policy-file",
          env,
          group,
          "FILE",
          std::string("rules in YAML: which pods are moved how") +
              (agent ? "; read again when it changes" : ""),
          text(target)};
}

Flag hand_over_flag(const std::string& env, const std::string& group, core::HandOver& target) {
  return {
      "hand-over",
      env,
      group,
      "WHEN",
      "a Deployment's replacement starts before its pod goes: never; at interruptions, which end "
      "the host; or always, where it only may end, too (default: interruptions)",
      hand_over(target),
      '\0',
      {"never", "interruptions", "always"}};
}

}  // namespace spotkeeper::config
