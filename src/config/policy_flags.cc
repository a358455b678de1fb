// SPDX-License-Identifier: Apache-2.0
#include "config/policy_flags.h"

namespace spotkeeper::config {
namespace {

Expected read_hand_over(core::HandOver& target, const std::string& value) {
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
}

Setter hand_over(core::HandOver& target) {
  return {[&target](const std::string& value) { return read_hand_over(target, value); },
          [&target]() -> std::string {
            if (target == core::HandOver::kNever) return "never";
            return target == core::HandOver::kAlways ? "always" : "interruptions";
          }};
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

Flag qps_flag(const std::string& group, int& target) {
  return {"kube-api-qps",
          "KUBE_API_QPS",
          group,
          "N",
          "requests a second to the API server, in the long run",
          number(target, 1, 10'000)};
}

Flag burst_flag(const std::string& group, int& target) {
  return {
      "kube-api-burst",          "KUBE_API_BURST", group, "N", "requests to the API server at once",
      number(target, 1, 100'000)};
}

}  // namespace spotkeeper::config
