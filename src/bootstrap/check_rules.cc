// SPDX-License-Identifier: Apache-2.0
// The rules, and hooks and tags of groups.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "bootstrap/check.h"
#include "bootstrap/pattern.h"

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;

// An event as our own rule's pattern lets it through: the last of each list.
json::value sample(const json::value& pattern) {
  if (const json::array* ways = pattern.if_array()) return ways->back();
  json::object event;
  for (const auto& [key, member] : pattern.get_object()) event[key] = sample(member);
  return event;
}

// What it tells of, without our name before it.
std::string said(const Rule& rule) {
  return rule.title.substr(rule.title.find(' ') + 1);
}

bool hears(const SeenRule& rule, const json::value& event) {
  boost::system::error_code broken;
  const json::value pattern = json::parse(rule.pattern, broken);
  return !broken && lets_through(pattern, event);
}

bool sends_to(const SeenRule& rule, const std::string& target) {
  return std::ranges::find(rule.targets, target) != rule.targets.end();
}

// Why none of these does it; of the best of them.
Finding trouble_of(const Rule& wanted, const std::vector<const SeenRule*>& hearing,
                   const std::vector<SeenRule>& all, const std::string& target) {
  const char* repair = "'spotkeeper bootstrap … --create' repairs it";
  const SeenRule* off = nullptr;
  const SeenRule* lost = nullptr;
  for (const SeenRule* rule : hearing) {
    if (!rule->enabled && sends_to(*rule, target)) off = rule;
    if (rule->enabled && lost == nullptr) lost = rule;
  }
  if (off != nullptr) {
    return {Level::kWrong, "rule " + off->name, "is disabled",
            "aws events enable-rule --name " + off->name};
  }
  if (lost != nullptr) {
    const std::string where =
        lost->targets.empty() ? "has no target" : "sends to " + lost->targets.front() + " only";
    return {Level::kWrong, "rule " + lost->name,
            fmt::format("{}, not to {}: what it hears is lost", where, target), repair};
  }
  for (const SeenRule& rule : all) {
    if (rule.name != wanted.name) continue;
    return {Level::kWrong, "rule " + rule.name,
            hearing.empty() ? "its pattern does not fit: it hears nothing of '" + said(wanted) + "'"
                            : "is disabled and has no target",
            repair};
  }
  return {Level::kWrong, "rule " + wanted.name,
          "does not exist, and no other rule sends it: " + said(wanted),
          "'spotkeeper bootstrap … --create', or its template, makes it"};
}

void check_hook(const SeenGroup& group, const Hook& wanted, Findings& out) {
  const std::string subject = "group " + group.name;
  const char* which = wanted.launch ? "launch" : "terminate";
  const SeenHook* found = nullptr;
  for (const SeenHook& hook : group.hooks) {
    if (hook.transition != wanted.transition()) continue;
    if (found == nullptr || hook.name == wanted.name) found = &hook;
  }
  if (found == nullptr) {
    out.push_back({Level::kWrong, subject,
                   fmt::format("has no {} hook: {}", which,
                               wanted.launch ? "nobody waits for the node to be Ready"
                                             : "its instances end without a word"),
                   "'spotkeeper bootstrap … --create', or its template, makes it"});
    return;
  }
  const std::string hook = fmt::format("{} hook {}", which, found->name);
  const size_t before = out.size();
  const std::string command = fmt::format(
      "aws autoscaling put-lifecycle-hook --auto-scaling-group-name '{}' "
      "--lifecycle-hook-name '{}'",
      group.name, found->name);
  if (found->timeout_s < kShortestHook_s) {
    out.push_back(
        {Level::kWrong, subject,
         fmt::format("{} waits {} s: that is over before pods have ended", hook, found->timeout_s),
         fmt::format("{} --heartbeat-timeout {}", command, wanted.timeout_s)});
  } else if (found->timeout_s > kLongestHook_s) {
    out.push_back({Level::kNote, subject,
                   fmt::format("{} waits {} s: so long stays an instance when nobody answers", hook,
                               found->timeout_s),
                   fmt::format("{} --heartbeat-timeout {}; heartbeats make it longer where it is "
                               "needed",
                               command, wanted.timeout_s)});
  }
  if (found->default_result != wanted.default_result) {
    out.push_back(
        {Level::kWrong, subject,
         fmt::format("{} ends with {} when nobody answers: {}", hook, found->default_result,
                     wanted.launch ? "an instance whose node is not Ready is taken into service"
                                   : "other hooks of the group are skipped"),
         fmt::format("{} --default-result {}", command, wanted.default_result)});
  }
  if (out.size() == before) {
    out.push_back({Level::kOk, subject, fmt::format("{} waits {} s", hook, found->timeout_s), ""});
  }
}

void check_tag(const SeenGroup& group, const std::string& key, Findings& out) {
  const auto tag = std::ranges::find(group.tags, key, &SeenTag::key);
  const std::string subject = "group " + group.name;
  if (tag != group.tags.end() && tag->propagated) {
    out.push_back({Level::kOk, subject, "gives its instances the tag " + key, ""});
    return;
  }
  out.push_back({Level::kWrong, subject,
                 (tag == group.tags.end() ? "has no tag " + key
                                          : "keeps its tag " + key + " from its instances") +
                     ": instances without it are not drained",
                 fmt::format("aws autoscaling create-or-update-tags --tags 'ResourceId={},"
                             "ResourceType=auto-scaling-group,Key={},Value=true,"
                             "PropagateAtLaunch=true', and tag the instances that run",
                             group.name, key)});
}

}  // namespace

void check_rules(const Plan& plan, const Seen& seen, Findings& out) {
  const std::string target = plan.target_arn();
  // Behind a router the rules are the router's.
  for (const Rule& wanted : all_rules(plan.is_routed() ? plan.wish.router : plan.wish.name)) {
    const json::value event = sample(wanted.pattern);
    std::vector<const SeenRule*> hearing;
    const SeenRule* good = nullptr;
    for (const SeenRule& rule : seen.rules) {
      if (!hears(rule, event)) continue;
      hearing.push_back(&rule);
      if (rule.enabled && sends_to(rule, target)) good = &rule;
    }
    if (good == nullptr) {
      out.push_back(trouble_of(wanted, hearing, seen.rules, target));
      // Without launch hooks nobody sends that.
      const bool unused = wanted.kind == "launch" && plan.queue && !plan.wish.launch_hooks;
      if (unused) out.back().level = Level::kNote;
    } else {
      out.push_back({Level::kOk, "rule " + good->name, "sends '" + said(wanted) + "'", ""});
    }
  }
}

void check_groups(const Plan& plan, const Seen& seen, Findings& out) {
  for (const SeenGroup& group : seen.groups) {
    if (!group.exists) {
      out.push_back(
          {Level::kWrong, "group " + group.name,
           fmt::format("does not exist in {}, account {}", plan.place.region, plan.place.account),
           "'aws autoscaling describe-auto-scaling-groups' lists them"});
      continue;
    }
    for (const Hook& hook : plan.hooks) {
      if (hook.group == group.name) check_hook(group, hook, out);
    }
    if (!plan.wish.managed_tag.empty()) check_tag(group, plan.wish.managed_tag, out);
  }
}

}  // namespace spotkeeper::bootstrap
