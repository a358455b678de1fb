// SPDX-License-Identifier: Apache-2.0
#include "tell/message.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "tell/words.h"

namespace spotkeeper::tell {
namespace {

namespace json = boost::json;
using tmpl::FieldType;
using tmpl::Value;

std::string headline(const Message& message) {
  return fmt::format("{} on node {}", message.kind, message.node_name);
}

// What there is to know, for people; nothing that is empty.
std::vector<std::pair<std::string, std::string>> facts(const Message& message) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&facts](const char* name, std::string value) {
    if (!value.empty()) facts.emplace_back(name, std::move(value));
  };
  add("Node", message.node_name);
  add("Instance", message.instance.instance_id);
  add("Type", message.instance.instance_type);
  add("Zone", message.instance.availability_zone);
  add("Account", message.instance.account_id);
  add("Start", format_time_s(message.start));
  if (!message.pods.empty()) add("Pods", std::to_string(message.pods.size()));
  add("Event", message.event_id);
  return facts;
}

// Slack reads these three as markup, and nothing else.
std::string for_slack(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Message message_of(const core::Notice& notice, std::string node_name) {
  return {.event_id = notice.id.value,
          .kind = nth_kind(notice.kind),
          .monitor = nth_monitor(notice.kind),
          .description = description(notice),
          .node_name = std::move(node_name),
          .start = start_of(notice)};
}

Message sample() {
  const Time noon(Seconds(1'600'204'541));
  return {.event_id = "spot-itn-47ddfb5e39791606bec3e91fea4cdfa86f86a60ddaf014c8b4af8e008f134b19",
          .kind = "SPOT_ITN",
          .monitor = "SPOT_ITN_MONITOR",
          .description = "Spot ITN received. Instance will be interrupted at 2020-09-15T21:15:41Z",
          .state = "active",
          .group = "spot-workers",
          .node_name = "ip-10-0-7-10.ec2.internal",
          .provider_id = "aws:///us-east-1a/i-1234567890abcdef0",
          .node_labels = {{"kubernetes.io/hostname", "ip-10-0-7-10.ec2.internal"}},
          .pods = {"web-7d9f8c6b5-x2x4z", "db-0"},
          .instance = {.account_id = "123456789012",
                       .instance_id = "i-1234567890abcdef0",
                       .instance_type = "m4.xlarge",
                       .life_cycle = "spot",
                       .local_hostname = "ip-10-0-7-10.ec2.internal",
                       .local_ip = "10.0.7.10",
                       .public_hostname = "ec2-192-0-2-54.compute-1.amazonaws.com",
                       .public_ip = "192.0.2.54",
                       .availability_zone = "us-east-1a",
                       .region = "us-east-1"},
          .start = noon,
          .end = noon};
}

const tmpl::Schema& schema() {
  static const tmpl::Schema fields = {
      {"EventID", FieldType::kText},
      {"Kind", FieldType::kText},
      {"Monitor", FieldType::kText},
      {"Description", FieldType::kText},
      {"State", FieldType::kText},
      {"AutoScalingGroupName", FieldType::kText},
      {"NodeName", FieldType::kText},
      {"NodeLabels", FieldType::kTextMap},
      {"Pods", FieldType::kTexts},
      {"InstanceID", FieldType::kText},
      {"ProviderID", FieldType::kText},
      {"InstanceType", FieldType::kText},
      {"IsManaged", FieldType::kBool},
      {"StartTime", FieldType::kTime},
      {"EndTime", FieldType::kTime},
      {"NodeProcessed", FieldType::kBool},
      {"InProgress", FieldType::kBool},
      {"AccountId", FieldType::kText},
      {"InstanceLifeCycle", FieldType::kText},
      {"PublicHostname", FieldType::kText},
      {"PublicIP", FieldType::kText},
      {"LocalHostname", FieldType::kText},
      {"LocalIP", FieldType::kText},
      {"AvailabilityZone", FieldType::kText},
      {"Region", FieldType::kText},
  };
  return fields;
}

Value record(const Message& m) {
  return Value::record({
      {"EventID", Value::text(m.event_id)},
      {"Kind", Value::text(m.kind)},
      {"Monitor", Value::text(m.monitor)},
      {"Description", Value::text(m.description)},
      {"State", Value::text(m.state)},
      {"AutoScalingGroupName", Value::text(m.group)},
      {"NodeName", Value::text(m.node_name)},
      {"NodeLabels", Value::text_map(m.node_labels)},
      {"Pods", Value::texts(m.pods)},
      {"InstanceID", Value::text(m.instance.instance_id)},
      {"ProviderID", Value::text(m.provider_id)},
      {"InstanceType", Value::text(m.instance.instance_type)},
      {"IsManaged", Value::boolean(m.managed)},
      {"StartTime", Value::time(m.start)},
      {"EndTime", Value::time(m.end)},
      {"NodeProcessed", Value::boolean(m.processed)},
      {"InProgress", Value::boolean(m.in_progress)},
      {"AccountId", Value::text(m.instance.account_id)},
      {"InstanceLifeCycle", Value::text(m.instance.life_cycle)},
      {"PublicHostname", Value::text(m.instance.public_hostname)},
      {"PublicIP", Value::text(m.instance.public_ip)},
      {"LocalHostname", Value::text(m.instance.local_hostname)},
      {"LocalIP", Value::text(m.instance.local_ip)},
      {"AvailabilityZone", Value::text(m.instance.availability_zone)},
      {"Region", Value::text(m.instance.region)},
  });
}

const char* default_template() {
  return R"({"text":{{ printf "[NTH][Instance Interruption] EventID: %s - Kind: %s - )"
         R"(Instance: %s - Node: %s - Description: %s - Start Time: %v" .EventID .Kind )"
         R"(.InstanceID .NodeName .Description .StartTime | toRawJson }}})";
}

std::string slack_body(const Message& message) {
  std::string text = fmt::format(":warning: *{}*\n{}", for_slack(headline(message)),
                                 for_slack(message.description));
  for (const auto& [name, value] : facts(message)) {
    text += fmt::format("\n{}: {}", name, for_slack(value));
  }
  return json::serialize(json::object{{"text", std::move(text)}});
}

std::string teams_body(const Message& message) {
  json::array rows;
  for (const auto& [name, value] : facts(message)) {
    rows.emplace_back(json::object{{"title", name}, {"value", value}});
  }
  const json::object title{{"type", "TextBlock"},  {"size", "Large"}, {"weight", "Bolder"},
                           {"color", "Attention"}, {"wrap", true},    {"text", headline(message)}};
  const json::object text{{"type", "TextBlock"}, {"wrap", true}, {"text", message.description}};
  const json::object table{{"type", "FactSet"}, {"facts", std::move(rows)}};
  const json::object card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                          {"type", "AdaptiveCard"},
                          {"version", "1.4"},
                          {"body", json::array({title, text, table})}};
  json::array attachments;
  attachments.emplace_back(
      json::object{{"contentType", "application/vnd.microsoft.card.adaptive"}, {"content", card}});
  return json::serialize(json::object{{"type", "message"}, {"attachments", attachments}});
}

std::string pagerduty_body(const Message& message, const std::string& routing_key) {
  json::object details;
  details["description"] = message.description;
  for (const auto& [name, value] : facts(message)) details[name] = value;
  const json::object payload{{"summary", headline(message) + ": " + message.description},
                             {"source", message.node_name},
                             {"severity", "warning"},
                             {"component", message.instance.instance_id},
                             {"group", message.instance.availability_zone},
                             {"class", message.kind},
                             {"custom_details", std::move(details)}};
  return json::serialize(json::object{{"routing_key", routing_key},
                                      {"event_action", "trigger"},
                                      {"dedup_key", message.event_id},
                                      {"payload", payload}});
}

}  // namespace spotkeeper::tell
