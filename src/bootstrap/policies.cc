// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/policies.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;

json::object document(json::array statements) {
  return {{"Version", "2012-10-17"}, {"Statement", std::move(statements)}};
}

json::object may(const char* sid, json::array actions, json::value resource) {
  return {{"Sid", sid},
          {"Effect", "Allow"},
          {"Action", std::move(actions)},
          {"Resource", std::move(resource)}};
}

json::object may_send(const char* service, const char* action, const std::string& arn) {
  return {{"Sid", kSendSid},
          {"Effect", "Allow"},
          {"Principal", json::object{{"Service", service}}},
          {"Action", action},
          {"Resource", arn}};
}

json::array arns_of_groups(const Wish& wish, const Place& place) {
  const std::string any = "autoScalingGroup:*:autoScalingGroupName/";
  json::array arns;
  for (const std::string& group : wish.groups) {
    arns.emplace_back(place.arn("autoscaling", any + group));
  }
  if (arns.empty()) arns.emplace_back(place.arn("autoscaling", any + "*"));
  return arns;
}

}  // namespace

json::object queue_policy(const Wish& wish, const Place& place, const std::string& arn) {
  json::object send = may_send(wish.router.empty() ? "events.amazonaws.com" : "sns.amazonaws.com",
                               "sqs:SendMessage", arn);
  const std::string from =
      wish.router.empty() ? place.arn("events", "rule/*") : place.arn("sns", wish.router);
  send["Condition"] = json::object{{"ArnLike", json::object{{"aws:SourceArn", from}}}};
  json::object tls{
      {"Sid", kTlsSid},
      {"Effect", "Deny"},
      {"Principal", "*"},
      {"Action", "sqs:*"},
      {"Resource", arn},
      {"Condition", json::object{{"Bool", json::object{{"aws:SecureTransport", "false"}}}}}};
  return document({std::move(send), std::move(tls)});
}

json::object topic_policy(const std::string& arn) {
  return document({may_send("events.amazonaws.com", "sns:Publish", arn)});
}

json::object process_policy(const Wish& wish, const Place& place, const std::string& queue_arn) {
  json::array statements;
  statements.emplace_back(may("ReadTheQueue",
                              {"sqs:ReceiveMessage", "sqs:DeleteMessage",
                               "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"},
                              json::string(queue_arn)));
  statements.emplace_back(
      may("AnswerHooks",
          {"autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"},
          arns_of_groups(wish, place)));
  statements.emplace_back(may("FindInstances",
                              {"ec2:DescribeInstances", "autoscaling:DescribeAutoScalingInstances",
                               "autoscaling:DescribeLifecycleHooks"},
                              "*"));
  if (wish.detach) {
    statements.emplace_back(
        may("OnlyToDetach", {"autoscaling:DetachInstances"}, arns_of_groups(wish, place)));
    // No group would end it any more; only of instances that are given to us.
    json::object end = may("OnlyToEndWhatIsDetached", {"ec2:TerminateInstances"},
                           json::string(place.arn("ec2", "instance/*")));
    if (!wish.managed_tag.empty()) {
      end["Condition"] =
          json::object{{"Null", json::object{{"aws:ResourceTag/" + wish.managed_tag, "false"}}}};
    }
    statements.emplace_back(std::move(end));
  }
  return document(std::move(statements));
}

json::object trust_policy(const Wish& wish, const Place& place) {
  json::object statement{{"Sid", "TheServiceAccountOnly"}, {"Effect", "Allow"}};
  if (wish.identity == Identity::kPodIdentity) {
    // Session tags that Pod Identity sets (EKS user guide, "Pod Identity IAM role").
    const std::string tag = "aws:RequestTag/";
    statement["Principal"] = json::object{{"Service", "pods.eks.amazonaws.com"}};
    statement["Action"] = json::array{"sts:AssumeRole", "sts:TagSession"};
    statement["Condition"] =
        json::object{{"StringEquals",
                      json::object{{tag + "eks-cluster-name", wish.cluster},
                                   {tag + "kubernetes-namespace", wish.service_account_namespace},
                                   {tag + "kubernetes-service-account", wish.service_account}}}};
    return document({std::move(statement)});
  }
  statement["Principal"] =
      json::object{{"Federated", place.global_arn("iam", "oidc-provider/" + wish.oidc_issuer)}};
  statement["Action"] = "sts:AssumeRoleWithWebIdentity";
  const std::string subject =
      "system:serviceaccount:" + wish.service_account_namespace + ":" + wish.service_account;
  statement["Condition"] =
      json::object{{"StringEquals", json::object{{wish.oidc_issuer + ":aud", "sts.amazonaws.com"},
                                                 {wish.oidc_issuer + ":sub", subject}}}};
  return document({std::move(statement)});
}

}  // namespace spotkeeper::bootstrap
