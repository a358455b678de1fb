// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/cloudformation.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <utility>

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;

json::object ref(const char* id) {
  return {{"Ref", id}};
}
json::object arn_of(const char* id) {
  return {{"Fn::GetAtt", json::array{id, "Arn"}}};
}

// Strings that speak of this account or region are put together by CloudFormation.
json::value substituted(const json::value& value) {
  if (const json::string* text = value.if_string()) {
    if (text->find("${") == json::string::npos) return value;
    return json::object{{"Fn::Sub", *text}};
  }
  if (const json::array* array = value.if_array()) {
    json::array out;
    for (const json::value& element : *array) out.emplace_back(substituted(element));
    return out;
  }
  if (const json::object* object = value.if_object()) {
    json::object out;
    for (const auto& [key, member] : *object) out[key] = substituted(member);
    return out;
  }
  return value;
}

class Template {
 public:
  void add(const std::string& id, const char* type, json::object properties) {
    resources_[id] = json::object{{"Type", type}, {"Properties", std::move(properties)}};
  }
  void output(const char* id, const char* description, json::value value) {
    outputs_[id] = json::object{{"Description", description}, {"Value", std::move(value)}};
  }
  // Letters and digits only, and none twice.
  std::string id(const std::string& prefix, const std::string& name) const {
    std::string plain = prefix;
    for (const char c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) plain += c;
    }
    std::string unique = plain;
    for (int i = 2; resources_.contains(unique); ++i) unique = plain + std::to_string(i);
    return unique;
  }
  json::object finished(const std::string& description) && {
    return {{"AWSTemplateFormatVersion", "2010-09-09"},
            {"Description", description},
            {"Resources", std::move(resources_)},
            {"Outputs", std::move(outputs_)}};
  }

 private:
  json::object resources_;
  json::object outputs_;
};

void add_queue(Template& out, const Plan& plan) {
  const Queue& queue = *plan.queue;
  out.add("DeadLetters", "AWS::SQS::Queue",
          {{"QueueName", queue.dead_name},
           {"MessageRetentionPeriod", kDeadRetention_s},
           {"SqsManagedSseEnabled", true},
           {"RedriveAllowPolicy",
            json::object{{"redrivePermission", "byQueue"},
                         {"sourceQueueArns", json::array{substituted(json::string(queue.arn))}}}}});
  out.add("Queue", "AWS::SQS::Queue",
          {{"QueueName", queue.name},
           {"MessageRetentionPeriod", kRetention_s},
           {"VisibilityTimeout", kVisibility_s},
           {"ReceiveMessageWaitTimeSeconds", 20},
           {"SqsManagedSseEnabled", true},
           {"RedrivePolicy", json::object{{"deadLetterTargetArn", arn_of("DeadLetters")},
                                          {"maxReceiveCount", kMaxReceives}}}});
  out.add("QueuePolicy", "AWS::SQS::QueuePolicy",
          {{"Queues", json::array{ref("Queue")}}, {"PolicyDocument", substituted(queue.policy)}});
  out.output("QueueUrl", "QUEUE_URL of the queue process", ref("Queue"));
}

void add_topic(Template& out, const Plan& plan) {
  if (plan.is_router()) {
    out.add("Topic", "AWS::SNS::Topic", {{"TopicName", plan.topic->name}});
    out.add("TopicPolicy", "AWS::SNS::TopicPolicy",
            {{"Topics", json::array{ref("Topic")}},
             {"PolicyDocument", substituted(plan.topic->policy)}});
    out.output("TopicArn", "what the queues of clusters are subscribed to", ref("Topic"));
  } else {
    // Raw: the message is the event, as EventBridge itself would have sent it.
    out.add("Subscription", "AWS::SNS::Subscription",
            {{"TopicArn", substituted(json::string(plan.topic->arn))},
             {"Protocol", "sqs"},
             {"Endpoint", arn_of("Queue")},
             {"RawMessageDelivery", true}});
  }
}

void add_rules(Template& out, const Plan& plan) {
  const json::object target = plan.topic ? ref("Topic") : arn_of("Queue");
  for (const Rule& rule : plan.rules) {
    std::string kind = rule.kind;
    kind[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(kind[0])));
    out.add(kind + "Rule", "AWS::Events::Rule",
            {{"Name", rule.name},
             {"Description", rule.title},
             {"EventPattern", rule.pattern},
             {"State", "ENABLED"},
             {"Targets", json::array{json::object{{"Id", "spotkeeper"}, {"Arn", target}}}}});
  }
}

void add_hooks(Template& out, const Plan& plan) {
  for (const Hook& hook : plan.hooks) {
    out.add(out.id(hook.launch ? "LaunchHook" : "TerminateHook", hook.group),
            "AWS::AutoScaling::LifecycleHook",
            {{"AutoScalingGroupName", hook.group},
             {"LifecycleHookName", hook.name},
             {"LifecycleTransition", hook.transition()},
             {"HeartbeatTimeout", hook.timeout_s},
             {"DefaultResult", hook.default_result}});
  }
}

void add_identity(Template& out, const Plan& plan) {
  if (!plan.policy) return;
  out.add("Policy", "AWS::IAM::ManagedPolicy",
          {{"ManagedPolicyName", plan.policy->name},
           {"PolicyDocument", substituted(plan.policy->document)}});
  out.output("PolicyArn", "what the queue process may do", ref("Policy"));
  if (!plan.role) return;
  out.add("Role", "AWS::IAM::Role",
          {{"RoleName", plan.role->name},
           {"AssumeRolePolicyDocument", substituted(plan.role->trust)},
           {"ManagedPolicyArns", json::array{ref("Policy")}}});
  out.output("RoleArn", "role of the queue process", arn_of("Role"));
  if (plan.wish.identity != Identity::kPodIdentity) return;
  out.add("Association", "AWS::EKS::PodIdentityAssociation",
          {{"ClusterName", plan.wish.cluster},
           {"Namespace", plan.wish.service_account_namespace},
           {"ServiceAccount", plan.wish.service_account},
           {"RoleArn", arn_of("Role")}});
}

}  // namespace

Place cloudformation_place() {
  return {
      .partition = "${AWS::Partition}", .region = "${AWS::Region}", .account = "${AWS::AccountId}"};
}

json::object to_cloudformation(const Plan& plan) {
  Template out;
  if (plan.queue) add_queue(out, plan);
  if (plan.topic) add_topic(out, plan);
  add_rules(out, plan);
  add_hooks(out, plan);
  add_identity(out, plan);
  return std::move(out).finished(
      plan.is_router() ? "spotkeeper: what EC2 announces, once for all clusters of a region"
                       : "spotkeeper: the queue of cluster " + plan.wish.cluster);
}

std::vector<std::string> cloudformation_notes(const Plan& plan) {
  std::vector<std::string> notes{"aws cloudformation deploy --stack-name " + plan.wish.name +
                                 " --template-file FILE" +
                                 (plan.policy ? " --capabilities CAPABILITY_NAMED_IAM" : "")};
  if (plan.hooks.empty() || plan.wish.managed_tag.empty()) return notes;
  notes.emplace_back("CloudFormation cannot tag a group that it did not make; for each group:");
  for (const std::string& group : plan.wish.groups) {
    notes.push_back("aws autoscaling create-or-update-tags --tags ResourceId=" + group +
                    ",ResourceType=auto-scaling-group,Key=" + plan.wish.managed_tag +
                    ",Value=true,PropagateAtLaunch=true");
  }
  return notes;
}

}  // namespace spotkeeper::bootstrap
