// SPDX-License-Identifier: Apache-2.0
// What a webhook says about a notice: NTH's fields for templates, its default body (as valid JSON),
// and bodies as Slack, Teams and PagerDuty want them. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/notice.h"
#include "tell/instance.h"
#include "template/template.h"
#include "template/value.h"

namespace spotkeeper::tell {

struct Message {
  std::string event_id;
  std::string kind;     // "SPOT_ITN"
  std::string monitor;  // "SPOT_ITN_MONITOR"
  std::string description;
  std::string state = {};
  std::string group = {};  // of Auto Scaling
  std::string node_name;
  std::string provider_id = {};
  std::map<std::string, std::string> node_labels = {};
  std::vector<std::string> pods = {};  // names
  Instance instance = {};
  Time start{};
  Time end = tmpl::kZeroTime;
  bool managed = false;
  bool processed = false;
  bool in_progress = true;
};

Message message_of(const core::Notice& notice, std::string node_name);

// One that has something of everything, to try a template with before there is a notice.
Message sample();

// The fields that templates may ask for, and a message's.
const tmpl::Schema& schema();
tmpl::Value record(const Message& message);

// NTH's default: {"text": "…"}.
const char* default_template();

// Bodies of others, as JSON.
std::string slack_body(const Message& message);
std::string teams_body(const Message& message);
std::string pagerduty_body(const Message& message, const std::string& routing_key);

}  // namespace spotkeeper::tell
