// SPDX-License-Identifier: Apache-2.0
#include "config/nth_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace spotkeeper::config {
namespace {

constexpr const char* kGroup = "Of aws-node-termination-handler, without effect on the node";

enum class Type { kText, kSwitch, kNumber };

struct Row {
  const char* name;
  const char* env;
  Type type;
  const char* help;
};

// In the order of NTH's own list. Its deprecated names stand behind the new ones.
constexpr Row kOfQueue[] = {
    {"queue-url", "QUEUE_URL", Type::kText, "queue mode: the queue"},
    {"check-tag-before-draining", "CHECK_TAG_BEFORE_DRAINING", Type::kSwitch,
     "queue mode: only instances with the tag"},
    {"check-asg-tag-before-draining", "CHECK_ASG_TAG_BEFORE_DRAINING", Type::kSwitch,
     "deprecated: check-tag-before-draining"},
    {"managed-tag", "MANAGED_TAG", Type::kText, "queue mode: that tag"},
    {"managed-asg-tag", "MANAGED_ASG_TAG", Type::kText, "deprecated: managed-tag"},
    {"use-provider-id", "USE_PROVIDER_ID", Type::kSwitch,
     "queue mode: find nodes by their provider id"},
    {"aws-endpoint", "AWS_ENDPOINT", Type::kText, "queue mode: instead of AWS's own"},
    {"complete-lifecycle-action-delay-seconds", "COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS",
     Type::kNumber, "queue mode: pause before a lifecycle hook is completed"},
    {"delete-sqs-msg-if-node-not-found", "DELETE_SQS_MSG_IF_NODE_NOT_FOUND", Type::kSwitch,
     "queue mode: delete messages about nodes that are not there"},
    {"sqs-msg-visibility-timeout-sec", "SQS_MSG_VISIBILITY_TIMEOUT_SEC", Type::kNumber,
     "queue mode: for how long a message is ours"},
};

constexpr Row kIdle[] = {
    {"workers", "WORKERS", Type::kNumber, "there are none: nothing waits for a free one"},
    {"use-apiserver-cache", "USE_APISERVER_CACHE", Type::kSwitch,
     "pods are listed once and watched, which asks no more of the server"},
};

// Of the type, else as NTH would say no.
Setter noted(const Row& row, std::vector<std::string>& given) {
  return [row, &given](const std::string& value) -> Expected {
    std::string text_read;
    bool switch_read = false;
    int number_read = 0;
    Setter read = text(text_read);
    if (row.type == Type::kSwitch) read = boolean(switch_read);
    if (row.type == Type::kNumber) read = number(number_read, INT32_MIN, INT32_MAX);
    Expected expected = read(value);
    const bool known = std::ranges::find(given, row.name) != given.end();
    if (!expected && !known) given.emplace_back(row.name);
    return expected;
  };
}

Flag flag_of(const Row& row, std::vector<std::string>& given) {
  const char* value = row.type == Type::kSwitch ? "" : row.type == Type::kNumber ? "N" : "TEXT";
  return {row.name, row.env, kGroup, value, row.help, noted(row, given)};
}

std::string flag_names(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "--" : ", --") + name;
  return all;
}

}  // namespace

Flags nth_flags(NthOptions& o) {
  Flags flags{
      {"grace-period", "GRACE_PERIOD", kGroup, "SECONDS",
       "deprecated: pod-termination-grace-period",
       [&o](const std::string& value) {
         int seconds = 0;
         Expected expected = number(seconds, INT32_MIN, INT32_MAX)(value);
         if (!expected) o.grace_period = seconds;
         return expected;
       }},
      {"enable-sqs-termination-draining", "ENABLE_SQS_TERMINATION_DRAINING", kGroup, "",
       "true: as 'spotkeeper queue'", boolean(o.queue_mode)},
      {"heartbeat-interval", "HEARTBEAT_INTERVAL", kGroup, "SECONDS",
       "queue mode: between two heartbeats of a lifecycle hook; only -1",
       number(o.heartbeat_interval, INT32_MIN, INT32_MAX)},
      {"heartbeat-until", "HEARTBEAT_UNTIL", kGroup, "SECONDS",
       "queue mode: how long there are heartbeats; only -1",
       number(o.heartbeat_until, INT32_MIN, INT32_MAX)},
      {"aws-region", "AWS_REGION", kGroup, "REGION",
       "queue mode: of the queue; on ECS hosts AWS_REGION is read as every AWS program reads it",
       [](const std::string&) -> Expected { return {}; }},
  };
  for (const Row& row : kOfQueue) flags.push_back(flag_of(row, o.of_queue));
  for (const Row& row : kIdle) flags.push_back(flag_of(row, o.idle));
  return flags;
}

Result<void> check_nth_options(const NthOptions& options) {
  if (!options.queue_mode && (options.heartbeat_interval != -1 || options.heartbeat_until != -1)) {
    return permanent(
        "--heartbeat-interval, --heartbeat-until (HEARTBEAT_INTERVAL, HEARTBEAT_UNTIL): heartbeats "
        "belong to queue mode; leave them out on the node");
  }
  return {};
}

std::vector<std::string> nth_warnings(const NthOptions& options) {
  std::vector<std::string> warnings;
  if (options.grace_period) {
    warnings.push_back(
        fmt::format("--grace-period (GRACE_PERIOD) is deprecated: use --pod-termination-grace-"
                    "period (POD_TERMINATION_GRACE_PERIOD){}",
                    options.pod_grace_given ? ", which is given, too, and counts" : ""));
  }
  if (!options.of_queue.empty()) {
    warnings.push_back(flag_names(options.of_queue) +
                       ": for queue mode only, without effect on the node");
  }
  if (!options.idle.empty()) {
    warnings.push_back(flag_names(options.idle) + ": without effect here, and not needed");
  }
  return warnings;
}

}  // namespace spotkeeper::config
