// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/terraform.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <utility>

#include "bootstrap/hcl.h"

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;
using Blocks = std::vector<HclBlock>;

constexpr const char* kQueueArn = "${aws_sqs_queue.queue.arn}";
constexpr const char* kTopicArn = "${aws_sns_topic.router.arn}";

HclBlock resource(const char* type, const std::string& name, json::object attributes) {
  return {.type = "resource", .labels = {type, name}, .attributes = std::move(attributes)};
}

HclBlock output(const char* name, const char* value) {
  return {.type = "output", .labels = {name}, .attributes = {{"value", value}}};
}

// A resource's name: letters, digits, "_" and "-", and no digit first.
std::string id_of(const char* prefix, const std::string& name) {
  std::string id = prefix;
  for (const char c : name) {
    id += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '_';
  }
  return id;
}

void add_provider(Blocks& out, const Plan& plan) {
  const json::object aws{{"source", "hashicorp/aws"}, {"version", ">= 5.34"}};
  out.push_back({.type = "terraform",
                 .blocks = {{.type = "required_providers", .attributes = {{"aws", aws}}}}});
  out.push_back(
      {.type = "provider", .labels = {"aws"}, .attributes = {{"region", plan.place.region}}});
  out.push_back({.type = "data", .labels = {"aws_caller_identity", "current"}});
  out.push_back({.type = "data", .labels = {"aws_partition", "current"}});
}

void add_queue(Blocks& out, const Plan& plan) {
  const Queue& queue = *plan.queue;
  out.push_back(resource("aws_sqs_queue", "dead_letters",
                         {{"name", queue.dead_name},
                          {"message_retention_seconds", kDeadRetention_s},
                          {"sqs_managed_sse_enabled", true}}));
  out.push_back(
      resource("aws_sqs_queue", "queue",
               {{"name", queue.name},
                {"message_retention_seconds", kRetention_s},
                {"visibility_timeout_seconds", kVisibility_s},
                {"receive_wait_time_seconds", 20},
                {"sqs_managed_sse_enabled", true},
                {"json:redrive_policy",
                 json::object{{"deadLetterTargetArn", "${aws_sqs_queue.dead_letters.arn}"},
                              {"maxReceiveCount", kMaxReceives}}}}));
  out.push_back(resource(
      "aws_sqs_queue_redrive_allow_policy", "dead_letters",
      {{"queue_url", "${aws_sqs_queue.dead_letters.id}"},
       {"json:redrive_allow_policy", json::object{{"redrivePermission", "byQueue"},
                                                  {"sourceQueueArns", json::array{kQueueArn}}}}}));
  out.push_back(
      resource("aws_sqs_queue_policy", "queue",
               {{"queue_url", "${aws_sqs_queue.queue.id}"}, {"json:policy", queue.policy}}));
}

void add_topic(Blocks& out, const Plan& plan) {
  if (plan.is_router()) {
    out.push_back(resource("aws_sns_topic", "router", {{"name", plan.topic->name}}));
    out.push_back(resource("aws_sns_topic_policy", "router",
                           {{"arn", kTopicArn}, {"json:policy", plan.topic->policy}}));
    return;
  }
  // Raw: the message is the event, as EventBridge itself would have sent it.
  out.push_back(resource("aws_sns_topic_subscription", "queue",
                         {{"topic_arn", plan.topic->arn},
                          {"protocol", "sqs"},
                          {"endpoint", kQueueArn},
                          {"raw_message_delivery", true}}));
}

void add_rules(Blocks& out, const Plan& plan) {
  for (const Rule& rule : plan.rules) {
    out.push_back(resource(
        "aws_cloudwatch_event_rule", rule.kind,
        {{"name", rule.name}, {"description", rule.title}, {"json:event_pattern", rule.pattern}}));
    out.push_back(resource("aws_cloudwatch_event_target", rule.kind,
                           {{"rule", "${aws_cloudwatch_event_rule." + rule.kind + ".name}"},
                            {"target_id", "spotkeeper"},
                            {"arn", plan.topic ? kTopicArn : kQueueArn}}));
  }
}

void add_hooks(Blocks& out, const Plan& plan) {
  for (const Hook& hook : plan.hooks) {
    out.push_back(resource("aws_autoscaling_lifecycle_hook",
                           id_of(hook.launch ? "launch_" : "terminate_", hook.group),
                           {{"name", hook.name},
                            {"autoscaling_group_name", hook.group},
                            {"lifecycle_transition", hook.transition()},
                            {"heartbeat_timeout", hook.timeout_s},
                            {"default_result", hook.default_result}}));
  }
  if (plan.wish.managed_tag.empty()) return;
  for (const std::string& group : plan.wish.groups) {
    HclBlock tag = resource("aws_autoscaling_group_tag", id_of("managed_", group),
                            {{"autoscaling_group_name", group}});
    tag.blocks.push_back(
        {.type = "tag",
         .attributes = {
             {"key", plan.wish.managed_tag}, {"value", "true"}, {"propagate_at_launch", true}}});
    out.push_back(std::move(tag));
  }
}

void add_identity(Blocks& out, const Plan& plan) {
  if (!plan.policy) return;
  out.push_back(resource("aws_iam_policy", "process",
                         {{"name", plan.policy->name}, {"json:policy", plan.policy->document}}));
  out.push_back(output("policy_arn", "${aws_iam_policy.process.arn}"));
  if (!plan.role) return;
  out.push_back(
      resource("aws_iam_role", "process",
               {{"name", plan.role->name}, {"json:assume_role_policy", plan.role->trust}}));
  out.push_back(resource(
      "aws_iam_role_policy_attachment", "process",
      {{"role", "${aws_iam_role.process.name}"}, {"policy_arn", "${aws_iam_policy.process.arn}"}}));
  out.push_back(output("role_arn", "${aws_iam_role.process.arn}"));
  if (plan.wish.identity != Identity::kPodIdentity) return;
  out.push_back(resource("aws_eks_pod_identity_association", "process",
                         {{"cluster_name", plan.wish.cluster},
                          {"namespace", plan.wish.service_account_namespace},
                          {"service_account", plan.wish.service_account},
                          {"role_arn", "${aws_iam_role.process.arn}"}}));
}

}  // namespace

Place terraform_place(const std::string& region) {
  return {.partition = "${data.aws_partition.current.partition}",
          .region = region,
          .account = "${data.aws_caller_identity.current.account_id}"};
}

std::string to_terraform(const Plan& plan) {
  Blocks out;
  add_provider(out, plan);
  if (plan.queue) add_queue(out, plan);
  if (plan.topic) add_topic(out, plan);
  add_rules(out, plan);
  add_hooks(out, plan);
  add_identity(out, plan);
  if (plan.queue) out.push_back(output("queue_url", "${aws_sqs_queue.queue.id}"));
  if (plan.is_router()) out.push_back(output("topic_arn", kTopicArn));
  return to_hcl(out);
}

std::vector<std::string> terraform_notes(const Plan& plan) {
  std::vector<std::string> notes{"terraform init && terraform apply"};
  if (!plan.wish.groups.empty() && !plan.wish.managed_tag.empty()) {
    notes.emplace_back("Instances that run already have the tag only once they are tagged, too.");
  }
  return notes;
}

}  // namespace spotkeeper::bootstrap
