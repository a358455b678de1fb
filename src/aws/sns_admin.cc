// SPDX-License-Identifier: Apache-2.0
#include "aws/sns_admin.h"

#include <utility>

namespace spotkeeper::aws {
namespace {

Call topic_call(const char* action, const std::string& topic, Form form) {
  return {.service = &kSns, .action = action, .form = std::move(form), .object = topic};
}

Task<Result<void>> done(Client& client, Call call) {
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

}  // namespace

Task<Result<std::map<std::string, std::string>>> topic_attributes(Client& client, std::string arn) {
  Call call = topic_call("GetTopicAttributes", arn, {{"TopicArn", arn}});
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  std::map<std::string, std::string> attributes;
  for (const Xml& entry : (*answer)["Attributes"].children) {
    attributes[entry["key"].text] = entry["value"].text;
  }
  co_return attributes;
}

Task<Result<std::vector<Subscription>>> subscriptions_of_topic(Client& client, std::string arn) {
  std::vector<Subscription> all;
  std::string next;
  do {
    Form form{{"TopicArn", arn}};
    if (!next.empty()) form.emplace_back("NextToken", next);
    Call call = topic_call("ListSubscriptionsByTopic", arn, std::move(form));
    const Result<Xml> answer = co_await client.query(std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    for (const Xml* each : (*answer)["Subscriptions"].members()) {
      all.push_back({.arn = (*each)["SubscriptionArn"].text, .endpoint = (*each)["Endpoint"].text});
    }
    next = (*answer)["NextToken"].text;
  } while (!next.empty());
  co_return all;
}

Task<Result<std::string>> create_topic(Client& client, std::string name) {
  Call call = topic_call("CreateTopic", name, {{"Name", name}});
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return (*answer)["TopicArn"].text;
}

Task<Result<void>> set_topic_policy(Client& client, std::string arn, std::string policy) {
  Call call = topic_call(
      "SetTopicAttributes", arn,
      {{"TopicArn", arn}, {"AttributeName", "Policy"}, {"AttributeValue", std::move(policy)}});
  return done(client, std::move(call));
}

Task<Result<void>> subscribe_queue(Client& client, std::string topic_arn, std::string queue_arn) {
  Call call = topic_call("Subscribe", topic_arn,
                         {{"TopicArn", topic_arn},
                          {"Protocol", "sqs"},
                          {"Endpoint", std::move(queue_arn)},
                          {"Attributes.entry.1.key", "RawMessageDelivery"},
                          {"Attributes.entry.1.value", "true"}});
  return done(client, std::move(call));
}

}  // namespace spotkeeper::aws
