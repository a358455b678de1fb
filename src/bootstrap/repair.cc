// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/repair.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "base/json.h"
#include "bootstrap/allows.h"

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;
using Attributes = std::map<std::string, std::string>;

std::string at(const Attributes& attributes, const char* name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string() : found->second;
}

int number(const std::string& text) {
  int value = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
  return done.ec == std::errc() ? value : 0;
}

// What it has to be; empty: it is. A dead-letter queue of somebody's own stays it.
std::string redrive_of(const Plan& plan, const std::string& there) {
  if (there.empty()) return queue_attributes(plan).at("RedrivePolicy");
  boost::system::error_code broken;
  json::value redrive = json::parse(there, broken);
  const int64_t most =
      number_at(redrive, {"maxReceiveCount"}, number(text_at(redrive, {"maxReceiveCount"})));
  if (broken || !redrive.is_object() || most * kVisibility_s >= plan.wish.hook_timeout_s) return {};
  redrive.get_object()["maxReceiveCount"] = kMaxReceives;
  return json::serialize(redrive);
}

// Every rule of ours, or the topic, may send.
bool lets_us_in(const Plan& plan, const std::string& policy) {
  Send send{.service = plan.topic ? "sns.amazonaws.com" : "events.amazonaws.com",
            .action = "sqs:SendMessage",
            .resource = plan.queue->arn,
            .source = plan.topic ? plan.topic->arn : "",
            .account = plan.place.account};
  if (plan.topic) return why_not(policy, send).empty();
  return std::ranges::all_of(plan.rules, [&](const Rule& rule) {
    send.source = plan.place.arn("events", "rule/" + rule.name);
    return why_not(policy, send).empty();
  });
}

}  // namespace

Attributes queue_attributes(const Plan& plan) {
  const json::object redrive{{"deadLetterTargetArn", plan.queue->dead_arn},
                             {"maxReceiveCount", kMaxReceives}};
  return {{"MessageRetentionPeriod", std::to_string(kRetention_s)},
          {"VisibilityTimeout", std::to_string(kVisibility_s)},
          {"ReceiveMessageWaitTimeSeconds", "20"},
          {"SqsManagedSseEnabled", "true"},
          {"RedrivePolicy", json::serialize(redrive)},
          {"Policy", json::serialize(plan.queue->policy)}};
}

Attributes dead_queue_attributes(const Plan& plan) {
  const json::object allow{{"redrivePermission", "byQueue"},
                           {"sourceQueueArns", json::array{plan.queue->arn.c_str()}}};
  return {{"MessageRetentionPeriod", std::to_string(kDeadRetention_s)},
          {"SqsManagedSseEnabled", "true"},
          {"RedriveAllowPolicy", json::serialize(allow)}};
}

Attributes queue_changes(const Plan& plan, const SeenQueue& queue) {
  const Attributes wanted = queue_attributes(plan);
  const Attributes& there = queue.attributes;
  Attributes changes;
  const auto set = [&](const char* name) { changes[name] = wanted.at(name); };
  if (number(at(there, "MessageRetentionPeriod")) < kRetention_s) set("MessageRetentionPeriod");
  if (std::string redrive = redrive_of(plan, at(there, "RedrivePolicy")); !redrive.empty()) {
    changes["RedrivePolicy"] = std::move(redrive);
  }
  const std::string key = at(there, "KmsMasterKeyId");
  const bool aws_key = key.find("alias/aws/sqs") != std::string::npos;
  if (aws_key) changes["KmsMasterKeyId"] = "";
  if (aws_key || (key.empty() && at(there, "SqsManagedSseEnabled") != "true")) {
    set("SqsManagedSseEnabled");
  }
  if (const std::string policy = at(there, "Policy"); !lets_us_in(plan, policy)) {
    changes["Policy"] = merged_policy(policy, plan.queue->policy);
  }
  return changes;
}

std::string merged_policy(const std::string& there, const json::object& ours) {
  boost::system::error_code broken;
  const json::value root = json::parse(there.empty() ? "{}" : there, broken);
  const json::value wanted(ours);
  const json::array* mine = find_array(wanted, {"Statement"});
  json::array statements;
  const auto keep = [&](const json::value& statement) {
    const std::string sid = text_at(statement, {"Sid"});
    const bool replaced = std::ranges::any_of(
        *mine, [&](const json::value& each) { return text_at(each, {"Sid"}) == sid; });
    if (!replaced) statements.push_back(statement);
  };
  if (const json::array* all = find_array(root, {"Statement"})) {
    for (const json::value& statement : *all) keep(statement);
  } else if (const json::value* one = find(root, {"Statement"})) {
    keep(*one);
  }
  for (const json::value& statement : *mine) statements.push_back(statement);
  json::object merged;
  if (const json::object* object = root.if_object()) merged = *object;
  merged["Version"] = "2012-10-17";
  merged["Statement"] = std::move(statements);
  return json::serialize(merged);
}

bool same_document(const std::string& there, const json::object& ours) {
  boost::system::error_code broken;
  const json::value root = json::parse(there, broken);
  return !broken && root.is_object() && root.get_object() == ours;
}

}  // namespace spotkeeper::bootstrap
