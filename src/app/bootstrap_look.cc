// SPDX-License-Identifier: Apache-2.0
#include "app/bootstrap_look.h"

#include <set>
#include <utility>

#include "aws/autoscaling.h"
#include "aws/autoscaling_admin.h"
#include "aws/eventbridge.h"
#include "aws/sns_admin.h"
#include "aws/sqs_admin.h"

namespace spotkeeper::app {
namespace {

using bootstrap::Seen;
using bootstrap::SeenGroup;
using bootstrap::SeenQueue;
using bootstrap::SeenRule;
using bootstrap::SeenTopic;

bool is_gone(const Error& error) {
  return error.kind == ErrorKind::kGone;
}

// By what they send to, and by their names: one without a target is found, too.
Task<Result<std::vector<SeenRule>>> look_at_rules(aws::Client& client, bootstrap::Plan plan) {
  const auto sending = co_await aws::rules_of_target(client, plan.target_arn());
  if (!sending) co_return std::unexpected(sending.error());
  std::set<std::string> names(sending->begin(), sending->end());
  for (const bootstrap::Rule& rule :
       bootstrap::all_rules(plan.is_routed() ? plan.wish.router : plan.wish.name)) {
    names.insert(rule.name);
  }
  std::vector<SeenRule> rules;
  for (const std::string& name : names) {
    auto rule = co_await look_at_rule(client, name);
    if (!rule) co_return std::unexpected(rule.error());
    if (*rule) rules.push_back(std::move(**rule));
  }
  co_return rules;
}

}  // namespace

Task<Result<std::optional<SeenQueue>>> look_at_queue(aws::Client& client, std::string name,
                                                     std::string arn) {
  const auto url = co_await aws::queue_url_of(client, name);
  if (!url && is_gone(url.error())) co_return std::optional<SeenQueue>();
  if (!url) co_return std::unexpected(url.error());
  auto attributes = co_await aws::queue_attributes(client, *url);
  if (!attributes && is_gone(attributes.error())) co_return std::optional<SeenQueue>();
  if (!attributes) co_return std::unexpected(attributes.error());
  SeenQueue queue{.url = *url, .arn = std::move(arn), .attributes = std::move(*attributes)};
  co_return std::optional(std::move(queue));
}

Task<Result<std::optional<SeenRule>>> look_at_rule(aws::Client& client, std::string name) {
  const auto rule = co_await aws::describe_rule(client, name);
  if (!rule && is_gone(rule.error())) co_return std::optional<SeenRule>();
  if (!rule) co_return std::unexpected(rule.error());
  const auto targets = co_await aws::targets_of_rule(client, name);
  if (!targets) co_return std::unexpected(targets.error());
  SeenRule seen{.name = rule->name,
                .arn = rule->arn,
                .enabled = rule->state.starts_with("ENABLED"),
                .pattern = rule->pattern,
                .targets = {}};
  for (const aws::EventTarget& target : *targets) seen.targets.push_back(target.arn);
  co_return std::optional(std::move(seen));
}

Task<Result<std::optional<SeenTopic>>> look_at_topic(aws::Client& client, std::string arn) {
  auto attributes = co_await aws::topic_attributes(client, arn);
  if (!attributes && is_gone(attributes.error())) co_return std::optional<SeenTopic>();
  if (!attributes) co_return std::unexpected(attributes.error());
  const auto subscriptions = co_await aws::subscriptions_of_topic(client, arn);
  if (!subscriptions) co_return std::unexpected(subscriptions.error());
  SeenTopic topic{.attributes = std::move(*attributes), .subscribed = {}};
  for (const aws::Subscription& each : *subscriptions) topic.subscribed.push_back(each.endpoint);
  co_return std::optional(std::move(topic));
}

Task<Result<SeenGroup>> look_at_group(aws::Client& client, std::string name) {
  const auto tags = co_await aws::tags_of_group(client, name);
  if (!tags) co_return std::unexpected(tags.error());
  SeenGroup group{.name = name, .exists = tags->has_value(), .hooks = {}, .tags = {}};
  if (!group.exists) co_return group;
  for (const aws::GroupTag& tag : **tags) {
    group.tags.push_back({.key = tag.key, .propagated = tag.propagate_at_launch});
  }
  const auto hooks = co_await aws::describe_lifecycle_hooks(client, name);
  if (!hooks) co_return std::unexpected(hooks.error());
  for (const aws::LifecycleHook& hook : *hooks) {
    group.hooks.push_back({.name = hook.name,
                           .transition = hook.transition,
                           .timeout_s = static_cast<int>(hook.heartbeat_timeout_s.value_or(0)),
                           .default_result = hook.default_result});
  }
  co_return group;
}

Task<Result<Seen>> look_at_aws(aws::Client& client, bootstrap::Plan plan) {
  Seen seen;
  if (plan.queue) {
    auto queue = co_await look_at_queue(client, plan.queue->name, plan.queue->arn);
    if (!queue) co_return std::unexpected(queue.error());
    seen.queue = std::move(*queue);
  }
  if (plan.topic) {
    auto topic = co_await look_at_topic(client, plan.topic->arn);
    if (!topic) co_return std::unexpected(topic.error());
    seen.topic = std::move(*topic);
  }
  auto rules = co_await look_at_rules(client, plan);
  if (!rules) co_return std::unexpected(rules.error());
  seen.rules = std::move(*rules);
  for (const std::string& name : plan.wish.groups) {
    auto group = co_await look_at_group(client, name);
    if (!group) co_return std::unexpected(group.error());
    seen.groups.push_back(std::move(*group));
  }
  co_return seen;
}

}  // namespace spotkeeper::app
