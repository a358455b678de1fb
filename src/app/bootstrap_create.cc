// SPDX-License-Identifier: Apache-2.0
#include "app/bootstrap_create.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

#include "app/bootstrap_look.h"
#include "aws/autoscaling_admin.h"
#include "aws/eventbridge.h"
#include "aws/iam.h"
#include "aws/sns_admin.h"
#include "aws/sqs_admin.h"
#include "bootstrap/allows.h"
#include "bootstrap/pattern.h"
#include "bootstrap/repair.h"

namespace spotkeeper::app {
namespace {

namespace json = boost::json;

enum class State { kMissing, kOther, kThere };

// One step: `apply` is run when it is not there as it should be.
Task<Result<void>> step(const Creating& to, std::string what, State state,
                        std::function<Task<Result<void>>()> apply) {
  if (state == State::kThere) {
    to.step("exists", what);
    co_return Result<void>();
  }
  const bool missing = state == State::kMissing;
  if (to.dry_run) {
    to.step(missing ? "would create" : "would change", what);
    co_return Result<void>();
  }
  Task<Result<void>> applying = apply();
  const Result<void> done = co_await std::move(applying);
  if (!done) co_return std::unexpected(done.error().within(what));
  to.step(missing ? "created" : "changed", what);
  co_return Result<void>();
}

Task<Result<void>> without_answer(Task<Result<std::string>> call) {
  const Result<std::string> done = co_await std::move(call);
  if (!done) co_return std::unexpected(done.error());
  co_return Result<void>();
}

Task<Result<void>> create_queues(const Creating& to) {
  const bootstrap::Queue& queue = *to.plan.queue;
  const auto dead = co_await look_at_queue(to.client, queue.dead_name, queue.dead_arn);
  if (!dead) co_return std::unexpected(dead.error());
  const auto make_dead = [&to, &queue] {
    return without_answer(
        aws::create_queue(to.client, queue.dead_name, bootstrap::dead_queue_attributes(to.plan)));
  };
  auto done = co_await step(to, "queue " + queue.dead_name + " (dead letters)",
                            *dead ? State::kThere : State::kMissing, make_dead);
  if (!done) co_return done;
  const auto there = co_await look_at_queue(to.client, queue.name, queue.arn);
  if (!there) co_return std::unexpected(there.error());
  std::string what = "queue " + queue.name;
  if (!*there) {
    const auto make = [&to, &queue] {
      return without_answer(
          aws::create_queue(to.client, queue.name, bootstrap::queue_attributes(to.plan)));
    };
    co_return co_await step(to, std::move(what), State::kMissing, make);
  }
  const auto changes = bootstrap::queue_changes(to.plan, **there);
  if (!changes.empty()) what += ":";
  for (const auto& change : changes) what += " " + change.first;
  const auto set = [&to, &there, &changes] {
    return aws::set_queue_attributes(to.client, (*there)->url, changes);
  };
  co_return co_await step(to, std::move(what), changes.empty() ? State::kThere : State::kOther,
                          set);
}

Task<Result<void>> create_topic(const Creating& to) {
  const bootstrap::Topic& topic = *to.plan.topic;
  const auto there = co_await look_at_topic(to.client, topic.arn);
  if (!there) co_return std::unexpected(there.error());
  if (!to.plan.is_router()) {
    if (!*there) {
      co_return permanent("topic " + topic.name + ": does not exist; expected a router: " +
                          "'spotkeeper bootstrap --router " + topic.name + " --create' makes it");
    }
    const auto& subscribed = (*there)->subscribed;
    const bool is = std::ranges::find(subscribed, to.plan.queue->arn) != subscribed.end();
    const auto subscribe = [&to, &topic] {
      return aws::subscribe_queue(to.client, topic.arn, to.plan.queue->arn);
    };
    co_return co_await step(to,
                            "subscription of queue " + to.plan.queue->name + " to " + topic.name,
                            is ? State::kThere : State::kMissing, subscribe);
  }
  const auto make = [&to, &topic] {
    return without_answer(aws::create_topic(to.client, topic.name));
  };
  auto done =
      co_await step(to, "topic " + topic.name, *there ? State::kThere : State::kMissing, make);
  if (!done) co_return done;
  // A new topic has a policy, too: who owns it may use it.
  const auto now = co_await look_at_topic(to.client, topic.arn);
  if (!now) co_return std::unexpected(now.error());
  const auto said = *now ? (*now)->attributes : std::map<std::string, std::string>();
  const std::string policy = said.contains("Policy") ? said.at("Policy") : std::string();
  const bootstrap::Send send{.service = "events.amazonaws.com",
                             .action = "sns:Publish",
                             .resource = topic.arn,
                             .source = to.plan.place.arn("events", "rule/" + topic.name + "-spot"),
                             .account = to.plan.place.account};
  const bool open = bootstrap::why_not(policy, send).empty();
  const auto allow = [&to, &topic, &policy] {
    return aws::set_topic_policy(to.client, topic.arn,
                                 bootstrap::merged_policy(policy, topic.policy));
  };
  co_return co_await step(to, "policy of topic " + topic.name,
                          open ? State::kThere : State::kMissing, allow);
}

Task<Result<void>> create_rule(const Creating& to, bootstrap::Rule rule) {
  const auto there = co_await look_at_rule(to.client, rule.name);
  if (!there) co_return std::unexpected(there.error());
  const bool same =
      *there && (*there)->enabled && bootstrap::same_document((*there)->pattern, rule.pattern);
  const State state = same ? State::kThere : *there ? State::kOther : State::kMissing;
  const auto put = [&to, &rule] {
    return aws::put_rule(to.client, rule.name, json::serialize(rule.pattern), rule.title);
  };
  auto done = co_await step(to, "rule " + rule.name, state, put);
  if (!done) co_return done;
  const std::string target = to.plan.target_arn();
  const bool sends =
      *there && std::ranges::find((*there)->targets, target) != (*there)->targets.end();
  const auto aim = [&to, &rule, &target] {
    return aws::put_target(to.client, rule.name, {.id = "spotkeeper", .arn = target});
  };
  co_return co_await step(to, "target of rule " + rule.name,
                          sends ? State::kThere : State::kMissing, aim);
}

Task<Result<void>> create_policy(const Creating& to) {
  const bootstrap::Policy& policy = *to.plan.policy;
  const auto there = co_await aws::policy_document(to.iam, policy.arn);
  const bool missing = !there && there.error().kind == ErrorKind::kGone;
  if (!there && !missing) co_return std::unexpected(there.error());
  const bool same = there && bootstrap::same_document(*there, policy.document);
  const auto put = [&to, &policy, missing] {
    std::string document = json::serialize(policy.document);
    return missing ? aws::create_policy(to.iam, policy.name, std::move(document))
                   : aws::change_policy(to.iam, policy.arn, std::move(document));
  };
  co_return co_await step(to, "policy " + policy.name,
                          same      ? State::kThere
                          : missing ? State::kMissing
                                    : State::kOther,
                          put);
}

Task<Result<void>> create_role(const Creating& to) {
  const bootstrap::Role& role = *to.plan.role;
  const auto there = co_await aws::role_trust(to.iam, role.name);
  const bool missing = !there && there.error().kind == ErrorKind::kGone;
  if (!there && !missing) co_return std::unexpected(there.error());
  const bool same = there && bootstrap::same_document(*there, role.trust);
  const auto put = [&to, &role, missing] {
    std::string trust = json::serialize(role.trust);
    return missing ? aws::create_role(to.iam, role.name, std::move(trust))
                   : aws::change_role_trust(to.iam, role.name, std::move(trust));
  };
  auto done = co_await step(to, "role " + role.name,
                            same      ? State::kThere
                            : missing ? State::kMissing
                                      : State::kOther,
                            put);
  if (!done) co_return done;
  std::vector<std::string> has;
  if (!missing) {
    auto listed = co_await aws::policies_of_role(to.iam, role.name);
    if (!listed) co_return std::unexpected(listed.error());
    has = std::move(*listed);
  }
  const std::string& arn = to.plan.policy->arn;
  const auto attach = [&to, &role, &arn] { return aws::attach_policy(to.iam, role.name, arn); };
  co_return co_await step(
      to, "policy of role " + role.name,
      std::ranges::find(has, arn) != has.end() ? State::kThere : State::kMissing, attach);
}

Task<Result<void>> create_hook(const Creating& to, const bootstrap::SeenGroup& group,
                               const bootstrap::Hook& hook) {
  const auto there = std::ranges::find(group.hooks, hook.name, &bootstrap::SeenHook::name);
  const bool missing = there == group.hooks.end();
  const bool same = !missing && there->transition == hook.transition() &&
                    there->timeout_s == hook.timeout_s &&
                    there->default_result == hook.default_result;
  const auto put = [&to, &hook] {
    return aws::put_hook(to.client, {.name = hook.name,
                                     .group = hook.group,
                                     .transition = hook.transition(),
                                     .heartbeat_timeout_s = hook.timeout_s,
                                     .global_timeout_s = std::nullopt,
                                     .default_result = hook.default_result});
  };
  co_return co_await step(to, "hook " + hook.name + " of group " + hook.group,
                          same      ? State::kThere
                          : missing ? State::kMissing
                                    : State::kOther,
                          put);
}

Task<Result<void>> create_in_group(const Creating& to, std::string name) {
  const auto group = co_await look_at_group(to.client, name);
  if (!group) co_return std::unexpected(group.error());
  if (!group->exists) {
    co_return permanent("group " + name + ": does not exist in " + to.plan.place.region +
                        "; expected an Auto Scaling group of account " + to.plan.place.account);
  }
  if (const std::string& key = to.plan.wish.managed_tag; !key.empty()) {
    const auto tag = std::ranges::find(group->tags, key, &bootstrap::SeenTag::key);
    const bool missing = tag == group->tags.end();
    const auto put = [&to, &name, &key] {
      return aws::put_group_tag(to.client, name,
                                {.key = key, .value = "true", .propagate_at_launch = true});
    };
    auto done = co_await step(to, "tag " + key + " of group " + name,
                              missing           ? State::kMissing
                              : tag->propagated ? State::kThere
                                                : State::kOther,
                              put);
    if (!done) co_return done;
  }
  for (const bootstrap::Hook& hook : to.plan.hooks) {
    if (hook.group != name) continue;
    auto done = co_await create_hook(to, *group, hook);
    if (!done) co_return done;
  }
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> create_in_aws(Creating to) {
  if (to.plan.queue) {
    auto done = co_await create_queues(to);
    if (!done) co_return done;
  }
  if (to.plan.topic) {
    auto done = co_await create_topic(to);
    if (!done) co_return done;
  }
  for (const bootstrap::Rule& rule : to.plan.rules) {
    auto done = co_await create_rule(to, rule);
    if (!done) co_return done;
  }
  if (to.plan.policy) {
    auto done = co_await create_policy(to);
    if (!done) co_return done;
  }
  if (to.plan.role) {
    auto done = co_await create_role(to);
    if (!done) co_return done;
  }
  for (const std::string& group : to.plan.wish.groups) {
    auto done = co_await create_in_group(to, group);
    if (!done) co_return done;
  }
  co_return Result<void>();
}

}  // namespace spotkeeper::app
