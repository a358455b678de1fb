// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/plan.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "bootstrap/policies.h"

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;

Rule rule(const std::string& name, const char* kind, const char* title, const char* source,
          const char* detail_type, json::object detail = {}) {
  json::object pattern{{"source", json::array{source}}, {"detail-type", json::array{detail_type}}};
  if (!detail.empty()) pattern["detail"] = std::move(detail);
  return {.kind = kind,
          .name = name + "-" + kind,
          .title = std::string("spotkeeper: ") + title,
          .pattern = std::move(pattern)};
}

std::vector<Hook> hooks_of(const Wish& wish) {
  std::vector<Hook> hooks;
  for (const std::string& group : wish.groups) {
    hooks.push_back({.name = wish.name + "-terminate",
                     .group = group,
                     .launch = false,
                     .timeout_s = wish.hook_timeout_s,
                     .default_result = "CONTINUE"});
    if (!wish.launch_hooks) continue;
    hooks.push_back({.name = wish.name + "-launch",
                     .group = group,
                     .launch = true,
                     .timeout_s = wish.hook_timeout_s,
                     .default_result = "ABANDON"});
  }
  return hooks;
}

}  // namespace

std::string Place::arn(const std::string& service, const std::string& resource) const {
  return "arn:" + partition + ":" + service + ":" + region + ":" + account + ":" + resource;
}

std::string Place::global_arn(const std::string& service, const std::string& resource) const {
  return "arn:" + partition + ":" + service + "::" + account + ":" + resource;
}

const char* Hook::transition() const {
  return launch ? "autoscaling:EC2_INSTANCE_LAUNCHING" : "autoscaling:EC2_INSTANCE_TERMINATING";
}

std::vector<Rule> all_rules(const std::string& name) {
  const char* ec2 = "aws.ec2";
  const char* groups = "aws.autoscaling";
  return {
      rule(name, "spot", "a Spot instance ends in two minutes", ec2,
           "EC2 Spot Instance Interruption Warning"),
      rule(name, "rebalance", "a Spot instance is likelier to end", ec2,
           "EC2 Instance Rebalance Recommendation"),
      // Who begins or runs is no news: half of the messages.
      rule(name, "state", "an instance stops or ends", ec2,
           "EC2 Instance State-change Notification",
           {{"state", json::array{"stopping", "stopped", "shutting-down", "terminated"}}}),
      rule(name, "capacity", "an instance in a capacity reservation ends", ec2,
           "EC2 Capacity Reservation Instance Interruption Warning"),
      rule(name, "terminate", "an Auto Scaling group ends an instance", groups,
           "EC2 Instance-terminate Lifecycle Action"),
      rule(name, "launch", "an Auto Scaling group starts an instance", groups,
           "EC2 Instance-launch Lifecycle Action"),
      rule(
          name, "health", "maintenance of an instance is scheduled", "aws.health",
          "AWS Health Event",
          {{"service", json::array{"EC2"}}, {"eventTypeCategory", json::array{"scheduledChange"}}}),
  };
}

Plan make_plan(Wish wish, Place place) {
  Plan plan;
  const bool is_router = wish.cluster.empty();
  if (!wish.router.empty()) {
    const std::string arn = place.arn("sns", wish.router);
    plan.topic = Topic{.name = wish.router, .arn = arn, .policy = topic_policy(arn)};
  }
  if (is_router || wish.router.empty()) plan.rules = all_rules(wish.name);
  if (!is_router) {
    Queue queue{.name = wish.queue,
                .arn = place.arn("sqs", wish.queue),
                .dead_name = wish.queue + "-dead",
                .dead_arn = place.arn("sqs", wish.queue + "-dead"),
                .policy = {}};
    queue.policy = queue_policy(wish, place, queue.arn);
    plan.hooks = hooks_of(wish);
    plan.policy = Policy{.name = wish.name + "-queue",
                         .arn = place.global_arn("iam", "policy/" + wish.name + "-queue"),
                         .document = process_policy(wish, place, queue.arn)};
    if (wish.identity != Identity::kNone) {
      plan.role = Role{.name = wish.name, .trust = trust_policy(wish, place)};
    }
    plan.queue = std::move(queue);
  }
  plan.wish = std::move(wish);
  plan.place = std::move(place);
  return plan;
}

}  // namespace spotkeeper::bootstrap
