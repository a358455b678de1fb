// SPDX-License-Identifier: Apache-2.0
#include "app/asg.h"

#include <boost/json/value.hpp>
#include <utility>
#include <vector>

#include "async/timing.h"
#include "aws/autoscaling.h"
#include "kube/calls.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kLook{1'000};
constexpr Millis kLookForLeftovers{30'000};
// EC2 and Auto Scaling show by then what was launched.
constexpr Millis kEventually = std::chrono::minutes(10);
// Two minutes are announced, and an interruption may come late.
constexpr Millis kLate = std::chrono::minutes(12);
constexpr const char* kDetached = "spotkeeper.io/detached";  // when, RFC 3339

Task<Result<void>> remember(kube::Api& api, std::string node, Time now) {
  boost::json::value patch{{"metadata", {{"annotations", {{kDetached, format_time_s(now)}}}}}};
  const auto done = co_await kube::patch_node(api, std::move(node), std::move(patch));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<void>();
}

}  // namespace

aws::LifecycleAction hook_of(const sources::QueueEvent& event) {
  aws::LifecycleAction action{
      .group = event.group, .hook = {}, .token = {}, .instance = event.instance.value};
  if (event.hook) {
    action.group = event.hook->group;
    action.hook = event.hook->hook;
    action.token = event.hook->token;
  }
  return action;
}

Asg::Asg(const config::QueueOptions& options, aws::Client& client, kube::Api& api,
         const effects::NodeBook& nodes, Instances& instances, LifecycleHooks& hooks,
         const Clock& clock, Counters& counters, observe::Log& log)
    : options_(options),
      client_(client),
      api_(api),
      nodes_(nodes),
      instances_(instances),
      hooks_(hooks),
      clock_(clock),
      counters_(counters),
      log_(log) {}

// The node may not be there yet: the message is given back between two looks then.
Task<Launch> Asg::launch(sources::QueueEvent event, bool known) {
  const aws::LifecycleAction action = hook_of(event);
  if (!known && clock_.now() >= event.at + kEventually) {
    const bool waits = co_await waits_to_begin(event.instance.value);
    if (!waits) {
      log_.info("EC2 knows no such instance, and its launch hook waits no more",
                {{"instance-id", event.instance.value}, {"lifecycleHookName", action.hook}});
      co_return Launch::kOver;
    }
  }
  const Time until = clock_.now() + Millis(Seconds(options_.visibility)) / 2;
  const Millis patience = options_.abandon_launch_after;
  log_.info("Waiting for node to be ready before completing ASG launch lifecycle",
            {{"instance-id", event.instance.value}});
  for (;;) {
    const kube::Node* node = nodes_.by_instance(event.instance.value);
    if (node != nullptr && node->ready) {
      co_await hooks_.complete(action, "CONTINUE");
      break;
    }
    if (patience > Millis(0) && clock_.now() >= event.at + patience) {
      log_.warning("the node is not Ready: its launch is abandoned",
                   {{"instance-id", event.instance.value}});
      co_await hooks_.complete(action, "ABANDON");
      break;
    }
    if (node == nullptr && clock_.now() >= until) {
      co_return Launch::kWaits;
    }
    co_await sleep_for(kLook);
  }
  co_return Launch::kAnswered;
}

// As far as nobody says otherwise. An instance waits for its launch hooks in Pending:Wait, into a
// warm pool in Warmed:Pending:Wait (Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance
// lifecycle", "Use lifecycle hooks with a warm pool").
Task<bool> Asg::waits_to_begin(std::string instance) {
  std::vector<std::string> ids{std::move(instance)};
  const auto groups = co_await aws::describe_auto_scaling_instances(client_, std::move(ids));
  if (!groups) co_return true;
  co_return !groups->empty() && groups->front().lifecycle_state.ends_with("Pending:Wait");
}

// Its replacement starts now instead of when it has ended. Groups of EKS manage their instances
// themselves.
Task<> Asg::detach(std::string id) {
  const auto known = co_await instances_.find(id);
  if (known && *known && (*known)->tags.contains("eks:nodegroup-name")) co_return;
  const auto groups = co_await aws::describe_auto_scaling_instances(client_, {id});
  if (!groups) {
    log_.warning("the instance is not detached: " + groups.error().message, {{"instance-id", id}});
    co_return;
  }
  if (groups->empty()) {
    log_.info("the instance is in no Auto Scaling group: nothing to detach from",
              {{"instance-id", id}});
    co_return;
  }
  const aws::AsgInstance& instance = groups->front();
  if (!known || !*known || instance.lifecycle_state != "InService") co_return;
  if (options_.agent.dry_run) {
    log_.info("the instance would have been detached, but dry-run flag was set",
              {{"instance-id", id}, {"asgName", instance.group}});
    co_return;
  }
  // Before it is detached: else nobody would know of it if we ended here.
  const kube::Node* node = nodes_.by_instance(id);
  if (node != nullptr) {
    const Result<void> noted = co_await remember(api_, node->name, clock_.now());
    if (!noted) {
      log_.warning("the instance is not detached, for that cannot be written on its node: " +
                       noted.error().message,
                   {{"instance-id", id}});
      co_return;
    }
  }
  const auto done = co_await aws::detach_instance(client_, instance.group, id, false);
  counters_.count("detached", {{"outcome", done ? "detached" : "failed"}});
  if (done) {
    log_.info("the instance is detached, so that its replacement starts now",
              {{"instance-id", id}, {"asgName", instance.group}});
  } else {
    log_.warning("the instance is not detached: " + done.error().message, {{"instance-id", id}});
  }
}

Task<> Asg::end_leftovers() {
  for (;;) {
    co_await sleep_for(kLookForLeftovers);
    std::vector<std::pair<std::string, std::string>> late;
    for (const auto& [name, node] : nodes_.all()) {
      const auto note = node.annotations.find(kDetached);
      Time at{};
      if (note == node.annotations.end() || !parse_time(note->second, at)) continue;
      if (clock_.now() > at + kLate) late.emplace_back(name, effects::instance_of(node));
    }
    for (auto& [name, instance] : late) co_await end_leftover(std::move(name), std::move(instance));
  }
}

// In a group again, or not running: it is not ours to end.
Task<> Asg::end_leftover(std::string node, std::string instance) {
  instances_.forget(instance);  // by now it may have ended
  const auto known = co_await instances_.find(instance);
  if (!known || !*known || (*known)->state != "running") co_return;
  std::vector<std::string> ids{instance};
  const auto groups = co_await aws::describe_auto_scaling_instances(client_, ids);
  if (!groups || !groups->empty() || options_.agent.dry_run) co_return;
  const auto done = co_await aws::terminate_instances(client_, std::move(ids));
  counters_.count("leftovers", {{"outcome", done ? "terminated" : "failed"}});
  if (done) {
    log_.warning("detached, and its interruption has not come: the instance is terminated",
                 {{"node", node}, {"instance-id", instance}});
  } else {
    log_.warning("detached, and its interruption has not come: it could not be terminated: " +
                     done.error().message,
                 {{"node", node}, {"instance-id", instance}});
  }
}

}  // namespace spotkeeper::app
