// SPDX-License-Identifier: Apache-2.0
#include "aws/eventbridge.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "base/json.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;

Call event_call(const char* action, const std::string& object, json::object body) {
  return {.service = &kEventBridge, .action = action, .body = std::move(body), .object = object};
}

}  // namespace

Task<Result<std::vector<std::string>>> rules_of_target(Client& client, std::string target_arn) {
  std::vector<std::string> names;
  std::string next;
  do {
    json::object body{{"TargetArn", target_arn}};
    if (!next.empty()) body["NextToken"] = next;
    Call call = event_call("ListRuleNamesByTarget", target_arn, std::move(body));
    const Result<json::value> answer = co_await client.json(std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (const json::array* page = find_array(*answer, {"RuleNames"})) {
      for (const json::value& name : *page) {
        if (name.is_string()) names.emplace_back(name.get_string());
      }
    }
    next = text_at(*answer, {"NextToken"});
  } while (!next.empty());
  co_return names;
}

Task<Result<EventRule>> describe_rule(Client& client, std::string name) {
  Call call = event_call("DescribeRule", name, {{"Name", name}});
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return EventRule{.name = text_at(*answer, {"Name"}),
                      .arn = text_at(*answer, {"Arn"}),
                      .state = text_at(*answer, {"State"}),
                      .pattern = text_at(*answer, {"EventPattern"})};
}

Task<Result<std::vector<EventTarget>>> targets_of_rule(Client& client, std::string name) {
  std::vector<EventTarget> targets;
  std::string next;
  do {
    json::object body{{"Rule", name}};
    if (!next.empty()) body["NextToken"] = next;
    Call call = event_call("ListTargetsByRule", name, std::move(body));
    const Result<json::value> answer = co_await client.json(std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (const json::array* page = find_array(*answer, {"Targets"})) {
      for (const json::value& each : *page) {
        targets.push_back({.id = text_at(each, {"Id"}), .arn = text_at(each, {"Arn"})});
      }
    }
    next = text_at(*answer, {"NextToken"});
  } while (!next.empty());
  co_return targets;
}

Task<Result<void>> put_rule(Client& client, std::string name, std::string pattern,
                            std::string description) {
  Call call = event_call("PutRule", name,
                         {{"Name", name},
                          {"EventPattern", pattern},
                          {"Description", description},
                          {"State", "ENABLED"}});
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

Task<Result<void>> put_target(Client& client, std::string rule, EventTarget target) {
  const json::object one{{"Id", target.id}, {"Arn", target.arn}};
  Call call = event_call("PutTargets", rule, {{"Rule", rule}, {"Targets", json::array{one}}});
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  // A target may be refused in an answer that is a success.
  if (const json::array* failed = find_array(*answer, {"FailedEntries"});
      failed != nullptr && !failed->empty()) {
    co_return permanent("events PutTargets " + rule + ": " +
                        text_at(failed->front(), {"ErrorCode"}) + ": " +
                        text_at(failed->front(), {"ErrorMessage"}));
  }
  co_return Result<void>();
}

}  // namespace spotkeeper::aws
