// SPDX-License-Identifier: Apache-2.0
#include "aws/autoscaling_admin.h"

#include <charconv>
#include <utility>

namespace spotkeeper::aws {
namespace {

Call group_call(const char* action, const std::string& group, Form form) {
  return {.service = &kAutoScaling, .action = action, .form = std::move(form), .object = group};
}

int number(const std::string& text) {
  int value = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
  return done.ec == std::errc() ? value : 0;
}

}  // namespace

Task<Result<std::optional<std::vector<GroupTag>>>> tags_of_group(Client& client,
                                                                 std::string group) {
  Call call =
      group_call("DescribeAutoScalingGroups", group, {{"AutoScalingGroupNames.member.1", group}});
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  for (const Xml* each : (*answer)["AutoScalingGroups"].members()) {
    if ((*each)["AutoScalingGroupName"].text != group) continue;
    std::vector<GroupTag> tags;
    for (const Xml* tag : (*each)["Tags"].members()) {
      tags.push_back({.key = (*tag)["Key"].text,
                      .value = (*tag)["Value"].text,
                      .propagate_at_launch = (*tag)["PropagateAtLaunch"].text == "true"});
    }
    co_return std::optional(std::move(tags));
  }
  co_return std::optional<std::vector<GroupTag>>();
}

Task<Result<std::vector<GroupHook>>> hooks_of_group(Client& client, std::string group) {
  Call call = group_call("DescribeLifecycleHooks", group, {{"AutoScalingGroupName", group}});
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  std::vector<GroupHook> hooks;
  for (const Xml* each : (*answer)["LifecycleHooks"].members()) {
    hooks.push_back({.name = (*each)["LifecycleHookName"].text,
                     .transition = (*each)["LifecycleTransition"].text,
                     .timeout_s = number((*each)["HeartbeatTimeout"].text),
                     .default_result = (*each)["DefaultResult"].text});
  }
  co_return hooks;
}

Task<Result<void>> put_hook(Client& client, std::string group, GroupHook hook) {
  Call call = group_call("PutLifecycleHook", group,
                         {{"AutoScalingGroupName", group},
                          {"LifecycleHookName", hook.name},
                          {"LifecycleTransition", hook.transition},
                          {"HeartbeatTimeout", std::to_string(hook.timeout_s)},
                          {"DefaultResult", hook.default_result}});
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

Task<Result<void>> put_group_tag(Client& client, std::string group, GroupTag tag) {
  const std::string member = "Tags.member.1.";
  Call call =
      group_call("CreateOrUpdateTags", group,
                 {{member + "ResourceId", group},
                  {member + "ResourceType", "auto-scaling-group"},
                  {member + "Key", tag.key},
                  {member + "Value", tag.value},
                  {member + "PropagateAtLaunch", tag.propagate_at_launch ? "true" : "false"}});
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

}  // namespace spotkeeper::aws
