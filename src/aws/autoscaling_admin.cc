// SPDX-License-Identifier: Apache-2.0
#include "aws/autoscaling_admin.h"

#include <utility>

namespace spotkeeper::aws {
namespace {

Call group_call(const char* action, const std::string& group, Form form) {
  return {.service = &kAutoScaling, .action = action, .form = std::move(form), .object = group};
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

Task<Result<void>> put_hook(Client& client, LifecycleHook hook) {
  Form form{{"AutoScalingGroupName", hook.group},
            {"LifecycleHookName", hook.name},
            {"LifecycleTransition", hook.transition}};
  if (hook.heartbeat_timeout_s) {
    form.emplace_back("HeartbeatTimeout", std::to_string(*hook.heartbeat_timeout_s));
  }
  if (!hook.default_result.empty()) form.emplace_back("DefaultResult", hook.default_result);
  Call call = group_call("PutLifecycleHook", hook.group, std::move(form));
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
