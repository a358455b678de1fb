// SPDX-License-Identifier: Apache-2.0
#include "config/queue_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace spotkeeper::config {
namespace {

constexpr const char* kQueue = "Queue";
constexpr const char* kAsg = "Auto Scaling";
constexpr int kLongestHook = 172'800;  // s: no lifecycle hook waits longer

const std::vector<std::string> kResults{"CONTINUE", "ABANDON"};
const std::vector<std::string> kAfter{"nothing", "delete-node", "out-of-service-taint"};

// A name or an ARN is what people have at hand; AWS wants the URL.
Setter queue_url(std::string& target) {
  const Setter read = url(target);
  return {[read](const std::string& value) -> Expected {
            if (value.starts_with("arn:") || value.find('/') == std::string::npos) {
              return "the queue's URL (https://sqs.REGION.amazonaws.com/ACCOUNT/NAME), not its "
                     "name or ARN";
            }
            return read(value);
          },
          [read] { return *read.shown(); }};
}

// Two names of one option: the new one wins, wherever and in whichever order they are given.
struct Names {
  Setter deprecated;
  Setter current;
};
Names two_names(const Setter& setter) {
  const auto given = std::make_shared<bool>(false);
  const auto shown = [setter] { return *setter.shown(); };
  return {.deprecated = {[setter, given](const std::string& value) -> Expected {
                           return *given ? Expected() : setter(value);
                         },
                         shown},
          .current = {[setter, given](const std::string& value) -> Expected {
                        *given = true;
                        return setter(value);
                      },
                      shown}};
}

Result<void> check_heartbeats(const NthOptions& nth) {
  constexpr int kShortest = 30;
  constexpr int kLongest = 3'600;
  const bool any_interval = nth.heartbeat_interval != -1;
  const bool any_until = nth.heartbeat_until != -1;
  if (any_interval && (nth.heartbeat_interval < kShortest || nth.heartbeat_interval > kLongest)) {
    return permanent(
        "--heartbeat-interval (HEARTBEAT_INTERVAL): expected 30 to 3600 seconds, or -1 for none");
  }
  if (any_until && (nth.heartbeat_until < 60 || nth.heartbeat_until > kLongestHook)) {
    return permanent(
        "--heartbeat-until (HEARTBEAT_UNTIL): expected 60 to 172800 seconds, or -1 for all of "
        "them");
  }
  if (any_until && !any_interval) {
    return permanent("--heartbeat-until (HEARTBEAT_UNTIL): needs --heartbeat-interval");
  }
  if (any_until && nth.heartbeat_interval > nth.heartbeat_until) {
    return permanent(
        "--heartbeat-interval (HEARTBEAT_INTERVAL): is more than --heartbeat-until "
        "(HEARTBEAT_UNTIL): there would be no heartbeat");
  }
  return {};
}

Flags own_flags(QueueOptions& o) {
  NthOptions& nth = o.agent.nth;
  const Names check_tag = two_names(boolean(o.check_tag));
  const Names managed_tag = two_names(text(o.managed_tag));
  return {
      {"queue-url", "QUEUE_URL", kQueue, "URL", "the queue (required)", queue_url(o.queue_url)},
      {"aws-region", "AWS_REGION", kQueue, "REGION", "of the queue; default: as its URL says",
       text(o.region)},
      {"aws-endpoint", "AWS_ENDPOINT", kQueue, "URL",
       "instead of AWS's own, of SQS, EC2 and Auto Scaling", url(o.endpoint)},
      {"sqs-msg-visibility-timeout-sec", "SQS_MSG_VISIBILITY_TIMEOUT_SEC", kQueue, "SECONDS",
       "for so long a message is ours; extended while its host is drained (default 20)",
       number(o.visibility, 1, 119)},
      {"check-asg-tag-before-draining", "CHECK_ASG_TAG_BEFORE_DRAINING", kQueue, "",
       "deprecated: check-tag-before-draining, which wins", check_tag.deprecated},
      {"check-tag-before-draining", "CHECK_TAG_BEFORE_DRAINING", kQueue, "",
       "only instances that bear the tag (default true)", check_tag.current},
      {"managed-asg-tag", "MANAGED_ASG_TAG", kQueue, "KEY", "deprecated: managed-tag, which wins",
       managed_tag.deprecated},
      {"managed-tag", "MANAGED_TAG", kQueue, "KEY", "that tag; its value does not matter",
       managed_tag.current},
      {"use-provider-id", "USE_PROVIDER_ID", kQueue, "",
       "nodes are always found by their provider id first", boolean(o.use_provider_id)},
      {"delete-sqs-msg-if-node-not-found", "DELETE_SQS_MSG_IF_NODE_NOT_FOUND", kQueue, "",
       "delete messages about instances that are no node of this cluster, and complete their "
       "lifecycle hooks; default: they are left to others",
       boolean(o.delete_if_node_not_found)},
      {"after-termination", "AFTER_TERMINATION", kQueue, "WHAT",
       "once EC2 says that a node's instance is terminated: nothing, delete-node, or "
       "out-of-service-taint",
       choice(o.after_termination, kAfter), '\0', kAfter},
      {"heartbeat-interval", "HEARTBEAT_INTERVAL", kAsg, "SECONDS",
       "between two heartbeats of a lifecycle hook; -1: none",
       number(nth.heartbeat_interval, -1, 86'400)},
      {"heartbeat-until", "HEARTBEAT_UNTIL", kAsg, "SECONDS",
       "how long there are heartbeats; -1: as long as a hook may wait",
       number(nth.heartbeat_until, -1, 1'000'000)},
      {"complete-lifecycle-action-delay-seconds", "COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS", kAsg,
       "SECONDS", "pause before a lifecycle hook is completed; -1: none",
       number(o.completion_delay, -1, kLongestHook)},
      {"failed-drain-result", "FAILED_DRAIN_RESULT", kAsg, "RESULT",
       "what a lifecycle hook is completed with when pods were left: CONTINUE or ABANDON (which "
       "skips the group's other hooks)",
       choice(o.failed_drain_result, kResults), '\0', kResults},
      {"abandon-launch-after", "ABANDON_LAUNCH_AFTER", kAsg, "DURATION",
       "a launch whose node is not Ready after this is abandoned; 0: never",
       duration(o.abandon_launch_after, Millis(0), Seconds(kLongestHook))},
      {"detach-from-asg", "DETACH_ASG", kAsg, "",
       "at a Spot interruption detach the instance from its group at once, so that its "
       "replacement starts two minutes earlier; never of managed node groups",
       boolean(o.detach)},
  };
}

}  // namespace

Flags queue_flags(QueueOptions& o) {
  Flags flags = own_flags(o);
  for (Flag& flag : agent_flags(o.agent)) {
    if (std::ranges::find(flags, flag.name, &Flag::name) == flags.end()) {
      flags.push_back(std::move(flag));
    }
  }
  return flags;
}

Result<QueueOptions> parse_queue_options(const std::vector<std::string>& arguments,
                                         const Environment& environment) {
  QueueOptions options;
  // As NTH does in this mode; the IMDS mode's options say otherwise.
  options.agent.enable_rebalance_draining = true;
  const Flags flags = queue_flags(options);
  const auto others = parse_flags(flags, "spotkeeper queue", arguments, environment);
  if (!others) return std::unexpected(others.error());
  if (!others->empty()) {
    return permanent(fmt::format("'{}': expected an option; see 'spotkeeper queue --help'",
                                 on_one_line(others->front())));
  }
  if (options.queue_url.empty()) {
    return permanent(
        "--queue-url (QUEUE_URL): expected the URL of the queue, such as "
        "https://sqs.eu-west-1.amazonaws.com/123456789012/spotkeeper");
  }
  if (auto checked = check_heartbeats(options.agent.nth); !checked) {
    return std::unexpected(checked.error());
  }
  if (const auto checked = check_drain_options(options.agent); !checked) {
    return std::unexpected(checked.error());
  }
  return options;
}

}  // namespace spotkeeper::config
