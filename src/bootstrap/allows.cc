// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/allows.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <functional>
#include <string_view>

#include "base/json.h"
#include "bootstrap/pattern.h"

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// A text, or a list of them.
bool any_of(const json::value* value, const std::function<bool(std::string_view)>& test) {
  if (value == nullptr) return false;
  if (const json::string* text = value->if_string()) return test(*text);
  const json::array* list = value->if_array();
  return list != nullptr && std::ranges::any_of(*list, [&](const json::value& each) {
           return each.is_string() && test(each.get_string());
         });
}

bool names_service(const json::value& statement, const Send& send) {
  const auto is_it = [&](std::string_view text) { return text == "*" || text == send.service; };
  return any_of(find(statement, {"Principal"}), is_it) ||
         any_of(find(statement, {"Principal", "Service"}), is_it) ||
         any_of(find(statement, {"Principal", "AWS"}),
                [](std::string_view text) { return text == "*"; });
}

bool speaks_of(const json::value& statement, const Send& send) {
  return names_service(statement, send) &&
         any_of(find(statement, {"Action"}),
                [&](std::string_view text) { return is_like(lower(send.action), lower(text)); }) &&
         any_of(find(statement, {"Resource"}),
                [&](std::string_view text) { return is_like(send.resource, text); });
}

// Of one condition: whether it is met, or that nobody here knows.
enum class Met { kYes, kNo, kUnknown };

Met is_met(std::string_view operation, std::string_view key, const json::value& values,
           const Send& send) {
  const std::string name = lower(key);
  const std::string how = lower(operation);
  if (name == "aws:securetransport" && how.starts_with("bool")) {
    const bool wants = any_of(&values, [](std::string_view text) { return text == "true"; }) ||
                       (values.is_bool() && values.get_bool());
    return wants ? Met::kYes : Met::kNo;
  }
  const std::string& said = name == "aws:sourcearn" ? send.source : send.account;
  if (name != "aws:sourcearn" && name != "aws:sourceaccount") return Met::kUnknown;
  const bool like = how.starts_with("arn") || how.starts_with("stringlike");
  if (!like && !how.starts_with("stringequals")) return Met::kUnknown;
  const bool met = any_of(
      &values, [&](std::string_view text) { return like ? is_like(said, text) : said == text; });
  return met ? Met::kYes : Met::kNo;
}

// All of its conditions; `key` is the first that is not met.
Met are_met(const json::value& statement, const Send& send, std::string& key) {
  const json::object* conditions = find_object(statement, {"Condition"});
  if (conditions == nullptr) return Met::kYes;
  Met all = Met::kYes;
  for (const auto& [operation, keys] : *conditions) {
    if (!keys.is_object()) continue;
    for (const auto& [name, values] : keys.get_object()) {
      const Met met = is_met(operation, name, values, send);
      if (met == Met::kNo) {
        key = name;
        return Met::kNo;
      }
      if (met == Met::kUnknown) all = Met::kUnknown;
    }
  }
  return all;
}

}  // namespace

std::string why_not(const std::string& policy, const Send& send) {
  boost::system::error_code broken;
  const json::value root = json::parse(policy.empty() ? "{}" : policy, broken);
  if (broken) return "the policy is no JSON";
  const json::value* said = find(root, {"Statement"});
  json::array statements;
  if (said != nullptr && said->is_array()) statements = said->get_array();
  if (said != nullptr && said->is_object()) statements.push_back(*said);
  bool allowed = false;
  std::string unmet;
  for (const json::value& statement : statements) {
    if (!speaks_of(statement, send)) continue;
    std::string key;
    const Met met = are_met(statement, send, key);
    if (text_at(statement, {"Effect"}) == "Deny") {
      if (met == Met::kYes) {
        return "statement " + text_at(statement, {"Sid"}) + " denies it to " + send.service;
      }
    } else if (met == Met::kNo) {
      unmet = key;
    } else {
      allowed = true;
    }
  }
  if (allowed) return {};
  if (!unmet.empty()) {
    return "the condition " + unmet + " of the statement for " + send.service + " is not met by " +
           send.source;
  }
  return "no statement allows " + send.action + " to " + send.service;
}

}  // namespace spotkeeper::bootstrap
