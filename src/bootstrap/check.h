// SPDX-License-Identifier: Apache-2.0
// What is there, compared with what queue mode needs: findings for a person, one line each. Pure.
// Names do not matter where function does: rules are found by what they send to, and hooks by
// their transition, whoever made them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bootstrap/plan.h"

namespace spotkeeper::bootstrap {

// A pod has 30 s of grace unless it says otherwise, and is not the only one.
inline constexpr int kShortestHook_s = 60;
// While nobody answers, an instance that should end costs, and one that starts does not work.
inline constexpr int kLongestHook_s = 900;

struct SeenQueue {
  std::string url;
  std::string arn;
  std::map<std::string, std::string> attributes;  // as SQS names them
};

struct SeenRule {
  std::string name;
  std::string arn;
  bool enabled = false;
  std::string pattern;               // JSON
  std::vector<std::string> targets;  // ARNs
};

struct SeenHook {
  std::string name;
  std::string transition;
  int timeout_s = 0;
  std::string default_result;
};

struct SeenTag {
  std::string key;
  bool propagated = false;
};

struct SeenGroup {
  std::string name;
  bool exists = false;
  std::vector<SeenHook> hooks;
  std::vector<SeenTag> tags;
};

struct SeenTopic {
  std::map<std::string, std::string> attributes;
  std::vector<std::string> subscribed;  // ARNs of queues
};

// A nullopt, or a rule that is not in it: there is none.
struct Seen {
  std::string queue_url;  // as the queue's process is given it; empty: not known
  std::optional<SeenQueue> queue;
  std::optional<SeenTopic> topic;
  std::vector<SeenRule> rules;
  std::vector<SeenGroup> groups;
};

enum class Level {
  kOk,
  kNote,   // works; a person may want to know
  kWrong,  // notices are lost, or instances end or stay otherwise than they should
};
const char* to_string(Level level);

struct Finding {
  Level level = Level::kOk;
  std::string subject;  // "queue spotkeeper-prod"
  std::string text;
  std::string advice;  // what to do; empty when there is nothing
};
using Findings = std::vector<Finding>;

Findings check(const Plan& plan, const Seen& seen);

// Its parts.
void check_queue_url(const Plan& plan, const Seen& seen, Findings& out);
void check_queue(const Plan& plan, const Seen& seen, Findings& out);
void check_topic(const Plan& plan, const Seen& seen, Findings& out);
void check_rules(const Plan& plan, const Seen& seen, Findings& out);
void check_groups(const Plan& plan, const Seen& seen, Findings& out);

}  // namespace spotkeeper::bootstrap
