// SPDX-License-Identifier: Apache-2.0
// Whether the policy of a queue or a topic lets a service send to it. Pure.
// Conditions on aws:SourceArn, aws:SourceAccount and aws:SecureTransport are understood; others are
// taken as met where they allow and as not met where they deny: this check must not cry wolf.
// Source: IAM user guide, "Policy evaluation logic", "Condition operators".
#pragma once

#include <string>

namespace spotkeeper::bootstrap {

struct Send {
  std::string service;   // "events.amazonaws.com"
  std::string action;    // "sqs:SendMessage"
  std::string resource;  // ARN of the queue
  std::string source;    // ARN of the rule
  std::string account;
};

// Empty when it may; else why not, for people: "no statement allows …".
std::string why_not(const std::string& policy, const Send& send);

}  // namespace spotkeeper::bootstrap
