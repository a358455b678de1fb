// SPDX-License-Identifier: Apache-2.0
#include "aws/autoscaling.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "aws/answer.h"

namespace spotkeeper::aws {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kMostDescribed = 50;
constexpr int kMostPages = 100;  // of fifty instances

Call asg_call(const char* action, const std::string& object, Millis at_most) {
  return {.service = &kAutoScaling, .action = action, .object = object, .at_most = at_most};
}

Call action_call(const char* name, const LifecycleAction& action, Millis at_most) {
  Call call = asg_call(name, action.group + "/" + action.instance, at_most);
  call.form = {{"AutoScalingGroupName", action.group}, {"LifecycleHookName", action.hook}};
  if (!action.token.empty()) call.form.emplace_back("LifecycleActionToken", action.token);
  call.form.emplace_back("InstanceId", action.instance);
  return call;
}

Task<Result<void>> done(Client& client, Call call) {
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

// All pages of what `call` asks for.
Task<Result<void>> add_instances(Client& client, Call call, Steady::time_point until,
                                 std::vector<AsgInstance>* all) {
  std::string token;
  for (int page = 0; page < kMostPages; ++page) {
    Call part = call;
    if (!token.empty()) part.form.emplace_back("NextToken", token);
    part.at_most = std::max(std::chrono::ceil<Millis>(until - Steady::now()), Millis(0));
    const Result<Xml> answer = co_await client.query(std::move(part));
    if (!answer) co_return std::unexpected(answer.error());
    Result<std::vector<AsgInstance>> found = decode_auto_scaling_instances(*answer);
    if (!found) co_return std::unexpected(found.error().within("autoscaling " + call.action));
    std::ranges::move(*found, std::back_inserter(*all));
    std::string next = (*answer)["NextToken"].text;
    if (next.empty()) co_return Result<void>();
    if (next == token) break;
    token = std::move(next);
  }
  co_return permanent("autoscaling " + call.action + ": pages without an end");
}

}  // namespace

Result<std::vector<LifecycleHook>> decode_lifecycle_hooks(const Xml& result) {
  std::vector<LifecycleHook> hooks;
  for (const Xml* each : result["LifecycleHooks"].members()) {
    const std::string& name = (*each)["LifecycleHookName"].text;
    if (name.empty()) return permanent("lifecycle hook without LifecycleHookName");
    hooks.push_back({.name = name,
                     .group = (*each)["AutoScalingGroupName"].text,
                     .transition = (*each)["LifecycleTransition"].text,
                     .heartbeat_timeout_s = whole_number((*each)["HeartbeatTimeout"].text),
                     .global_timeout_s = whole_number((*each)["GlobalTimeout"].text),
                     .default_result = (*each)["DefaultResult"].text});
  }
  return hooks;
}

Result<std::vector<AsgInstance>> decode_auto_scaling_instances(const Xml& result) {
  std::vector<AsgInstance> instances;
  for (const Xml* each : result["AutoScalingInstances"].members()) {
    const std::string& id = (*each)["InstanceId"].text;
    if (id.empty()) return permanent("instance without InstanceId");
    instances.push_back(
        {.id = id,
         .group = (*each)["AutoScalingGroupName"].text,
         .lifecycle_state = (*each)["LifecycleState"].text,
         .zone = (*each)["AvailabilityZone"].text,
         .launch_template = (*each)["LaunchTemplate"]["LaunchTemplateId"].text,
         .protected_from_scale_in = (*each)["ProtectedFromScaleIn"].text == "true"});
  }
  return instances;
}

Task<Result<void>> complete_lifecycle_action(Client& client, LifecycleAction action,
                                             std::string result, Millis at_most) {
  Call call = action_call("CompleteLifecycleAction", action, at_most);
  call.form.emplace_back("LifecycleActionResult", std::move(result));
  co_return co_await done(client, std::move(call));
}

Task<Result<void>> record_heartbeat(Client& client, LifecycleAction action, Millis at_most) {
  Call call = action_call("RecordLifecycleActionHeartbeat", action, at_most);
  co_return co_await done(client, std::move(call));
}

Task<Result<std::vector<LifecycleHook>>> describe_lifecycle_hooks(Client& client, std::string group,
                                                                  Millis at_most) {
  Call call = asg_call("DescribeLifecycleHooks", group, at_most);
  call.form = {{"AutoScalingGroupName", group}};
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  Result<std::vector<LifecycleHook>> hooks = decode_lifecycle_hooks(*answer);
  if (!hooks) {
    co_return std::unexpected(hooks.error().within("autoscaling DescribeLifecycleHooks " + group));
  }
  co_return hooks;
}

Task<Result<std::vector<AsgInstance>>> describe_auto_scaling_instances(Client& client,
                                                                       std::vector<std::string> ids,
                                                                       Millis at_most) {
  const auto until = Steady::now() + at_most;
  std::vector<AsgInstance> all;
  for (size_t begin = 0; begin < ids.size(); begin += kMostDescribed) {
    Call call = asg_call("DescribeAutoScalingInstances", "", at_most);
    for (size_t i = begin; i < std::min(begin + kMostDescribed, ids.size()); ++i) {
      call.form.emplace_back("InstanceIds.member." + std::to_string(i - begin + 1), ids[i]);
    }
    call.form.emplace_back("MaxRecords", std::to_string(kMostDescribed));
    const Result<void> added = co_await add_instances(client, std::move(call), until, &all);
    if (!added) co_return std::unexpected(added.error());
  }
  co_return all;
}

Task<Result<void>> detach_instance(Client& client, std::string group, std::string instance,
                                   bool decrement, Millis at_most) {
  Call call = asg_call("DetachInstances", group + "/" + instance, at_most);
  call.form = {{"AutoScalingGroupName", group},
               {"InstanceIds.member.1", instance},
               {"ShouldDecrementDesiredCapacity", decrement ? "true" : "false"}};
  co_return co_await done(client, std::move(call));
}

Task<Result<void>> terminate_instance(Client& client, std::string instance, bool decrement,
                                      Millis at_most) {
  Call call = asg_call("TerminateInstanceInAutoScalingGroup", instance, at_most);
  call.form = {{"InstanceId", instance},
               {"ShouldDecrementDesiredCapacity", decrement ? "true" : "false"}};
  co_return co_await done(client, std::move(call));
}

}  // namespace spotkeeper::aws
