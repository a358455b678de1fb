// SPDX-License-Identifier: Apache-2.0
#include "app/lifecycle_hooks.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "async/timing.h"
#include "base/backoff.h"

namespace spotkeeper::app {
namespace {

constexpr double kEarlier = 0.1;  // of the interval, at most: a storm's heartbeats are spread
constexpr double kInTime = 0.8;   // of the hook's timeout
constexpr int64_t kLongestHook = 172'800;  // s
constexpr Millis kHeartbeatAtMost{10'000};
constexpr size_t kMostGroups = 1'000;

observe::Fields fields_of(const aws::LifecycleAction& action) {
  return {{"asgName", action.group},
          {"lifecycleHookName", action.hook},
          {"instanceID", action.instance}};
}

observe::Fields with(observe::Fields fields, const Error& error) {
  fields.emplace_back("error", error.message);
  return fields;
}

}  // namespace

LifecycleHooks::LifecycleHooks(TaskGroup& group, aws::Client& client, const Clock& clock,
                               Options options, Counters& counters, observe::Log& log)
    : group_(group),
      client_(client),
      clock_(clock),
      options_(options),
      counters_(counters),
      log_(log) {}

std::string LifecycleHooks::name_of(const aws::LifecycleAction& action) {
  return "heartbeats " + action.group + " " + action.hook + " " + action.instance;
}

void LifecycleHooks::begin(const aws::LifecycleAction& action) {
  if (options_.interval <= Seconds(0) || options_.dry_run) return;
  group_.cancel(name_of(action));
  group_.spawn(name_of(action), beat(action));
}

Task<> LifecycleHooks::beat(aws::LifecycleAction action) {
  const Time began = clock_.now();
  const Time until = began + options_.until;
  Millis interval = options_.interval;
  const auto hook = co_await describe(action);
  if (hook && Seconds(*hook->heartbeat_timeout_s) * kInTime < interval) {
    interval = std::chrono::duration_cast<Millis>(Seconds(*hook->heartbeat_timeout_s) * kInTime);
    log_.warning("the heartbeat interval is too long for the hook's timeout, and is shortened",
                 fields_of(action));
  }
  for (;;) {
    const auto earlier = Millis(
        static_cast<int64_t>(static_cast<double>(interval.count()) * kEarlier * random_unit()));
    const Time next = clock_.now() + interval - earlier;
    co_await sleep_for(std::min(next, until) - clock_.now());
    if (clock_.now() >= until) {
      log_.info("Heartbeat deadline exceeded, stopping heartbeat", fields_of(action));
      co_return;
    }
    const auto sent = co_await aws::record_heartbeat(client_, action, kHeartbeatAtMost);
    counters_.count("lifecycle_heartbeats", {{"outcome", sent ? "sent" : "failed"}});
    if (sent) {
      log_.debug("Successfully sent lifecycle heartbeat", fields_of(action));
      continue;
    }
    log_.warning("Failed to send lifecycle heartbeat", with(fields_of(action), sent.error()));
    if (sent.error().reason == aws::kValidationError) co_return;  // nothing waits any more
  }
}

Task<std::optional<aws::LifecycleHook>> LifecycleHooks::describe(aws::LifecycleAction action) {
  if (!hooks_.contains(action.group)) {
    auto described = co_await aws::describe_lifecycle_hooks(client_, action.group);
    if (!described) {
      log_.warning("the lifecycle hook cannot be described",
                   with(fields_of(action), described.error()));
      co_return std::nullopt;
    }
    if (hooks_.size() >= kMostGroups) hooks_.clear();
    hooks_[action.group] = std::move(*described);
  }
  const std::vector<aws::LifecycleHook>& hooks = hooks_[action.group];
  const auto hook = std::ranges::find(hooks, action.hook, &aws::LifecycleHook::name);
  if (hook == hooks.end() || !hook->heartbeat_timeout_s) co_return std::nullopt;
  co_return *hook;
}

Task<std::optional<Seconds>> LifecycleHooks::patience(aws::LifecycleAction action) {
  const auto hook = co_await describe(std::move(action));
  if (!hook) co_return std::nullopt;
  const Seconds timeout(*hook->heartbeat_timeout_s);
  if (options_.interval <= Seconds(0)) co_return timeout;
  // The last heartbeat, and what it gives.
  const Seconds global(hook->global_timeout_s.value_or(kLongestHook));
  co_return std::min(options_.until + timeout, global);
}

Task<> LifecycleHooks::complete(aws::LifecycleAction action, std::string result) {
  if (options_.dry_run) {
    log_.info("the lifecycle hook would have been completed, but dry-run flag was set",
              fields_of(action));
    co_return;
  }
  if (options_.completion_delay > Seconds(0)) co_await sleep_for(options_.completion_delay);
  for (int attempt = 1;; ++attempt) {
    const auto done = co_await aws::complete_lifecycle_action(client_, action, result);
    if (done || done.error().reason == aws::kValidationError) {
      group_.cancel(name_of(action));
      counters_.count("lifecycle_actions", {{"outcome", done ? "completed" : "over"}});
      auto fields = fields_of(action);
      fields.emplace_back("result", result);
      if (!done) fields.emplace_back("error", done.error().message);
      log_.info(done ? "Completed ASG Lifecycle Hook" : "the lifecycle hook waits no more", fields);
      co_return;
    }
    counters_.count("lifecycle_actions", {{"outcome", "failed"}});
    if (is_said(attempt)) {
      log_.warning("the lifecycle hook is not completed yet",
                   with(fields_of(action), done.error()));
    }
    const Backoff backoff{
        .attempt = attempt, .base = Millis(500), .cap = Millis(20'000), .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
}

}  // namespace spotkeeper::app
