// SPDX-License-Identifier: Apache-2.0
#include "aws/elb.h"

#include <utility>

#include "aws/answer.h"

namespace spotkeeper::aws {
namespace {

constexpr const char* kDelay = "deregistration_delay.timeout_seconds";

Call elb_call(const char* action, const std::string& target_group_arn,
              const std::vector<Target>& targets, Millis at_most) {
  Call call{.service = &kElb, .action = action, .object = target_group_arn, .at_most = at_most};
  call.form.emplace_back("TargetGroupArn", target_group_arn);
  for (size_t i = 0; i < targets.size(); ++i) {
    const std::string member = "Targets.member." + std::to_string(i + 1) + ".";
    call.form.emplace_back(member + "Id", targets[i].id);
    if (targets[i].port) call.form.emplace_back(member + "Port", std::to_string(*targets[i].port));
  }
  return call;
}

Error with_kind(Error error) {
  if (error.reason == "InvalidTarget") error.kind = ErrorKind::kGone;
  return error;
}

}  // namespace

Result<std::vector<TargetHealth>> decode_target_health(const Xml& result) {
  std::vector<TargetHealth> all;
  for (const Xml* each : result["TargetHealthDescriptions"].members()) {
    const Xml& target = (*each)["Target"];
    const Xml& health = (*each)["TargetHealth"];
    if (target["Id"].text.empty()) return permanent("target health without Target.Id");
    if (health["State"].text.empty()) {
      return permanent("target health of " + target["Id"].text + " without TargetHealth.State");
    }
    all.push_back({.target = {.id = target["Id"].text, .port = whole_number(target["Port"].text)},
                   .state = health["State"].text,
                   .reason = health["Reason"].text,
                   .description = health["Description"].text});
  }
  return all;
}

Result<TargetGroupAttributes> decode_target_group_attributes(const Xml& result) {
  TargetGroupAttributes attributes;
  for (const Xml* each : result["Attributes"].members()) {
    const std::string& key = (*each)["Key"].text;
    const std::string& value = (*each)["Value"].text;
    if (key != kDelay) {
      attributes.others[key] = value;
      continue;
    }
    const std::optional<int64_t> delay = whole_number(value);
    if (!delay) return permanent(std::string(kDelay) + " is no number of seconds");
    attributes.deregistration_delay_s = *delay;
  }
  return attributes;
}

Task<Result<std::vector<TargetHealth>>> describe_target_health(Client& client,
                                                               std::string target_group_arn,
                                                               std::vector<Target> targets,
                                                               Millis at_most) {
  Call call = elb_call("DescribeTargetHealth", target_group_arn, targets, at_most);
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(with_kind(answer.error()));
  Result<std::vector<TargetHealth>> health = decode_target_health(*answer);
  if (!health) {
    co_return std::unexpected(
        health.error().within("elbv2 DescribeTargetHealth " + target_group_arn));
  }
  co_return health;
}

Task<Result<TargetGroupAttributes>> describe_target_group_attributes(Client& client,
                                                                     std::string target_group_arn,
                                                                     Millis at_most) {
  Call call = elb_call("DescribeTargetGroupAttributes", target_group_arn, {}, at_most);
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  Result<TargetGroupAttributes> attributes = decode_target_group_attributes(*answer);
  if (!attributes) {
    co_return std::unexpected(
        attributes.error().within("elbv2 DescribeTargetGroupAttributes " + target_group_arn));
  }
  co_return attributes;
}

Task<Result<void>> deregister_targets(Client& client, std::string target_group_arn,
                                      std::vector<Target> targets, Millis at_most) {
  if (targets.empty()) co_return Result<void>();
  Call call = elb_call("DeregisterTargets", target_group_arn, targets, at_most);
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (answer) co_return Result<void>();
  // It was not registered, or no longer.
  if (answer.error().reason == "InvalidTarget") co_return Result<void>();
  co_return std::unexpected(answer.error());
}

}  // namespace spotkeeper::aws
