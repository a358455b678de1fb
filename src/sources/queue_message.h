// SPDX-License-Identifier: Apache-2.0
// What one message of the queue says, as values; pure. Understood are events of EventBridge (from
// EC2, Auto Scaling and AWS Health) and Auto Scaling's own notifications of lifecycle hooks, each
// as it is or wrapped by SNS.
//
// A message is one of three things:
//   events    something happens to instances. Whose they are, and whether the message is of
//             yesterday, is for others to say;
//   ignored   AWS said something that nobody here waits for; it may be deleted;
//   an Error  (kPermanent, one line without anything secret or long in it) a poison message: not
//             JSON, not from AWS, too large, or an event of ours without what such an event always
//             has, its instance's id above all. To delete it would hide a change of AWS's format
//             or somebody's mistake, so it is left to the queue's redrive policy.
//
// Sources: EventBridge events reference (EC2, Auto Scaling, AWS Health); Auto Scaling User Guide,
// "Lifecycle hook notification messages"; SNS, "Amazon SNS message and JSON formats".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "core/notice.h"

namespace spotkeeper::sources {

// A lifecycle hook of Auto Scaling that waits for the instance.
struct HookAction {
  std::string group;
  std::string hook;
  std::string token;  // may be empty
  bool launching = false;
  std::string destination;  // "AutoScalingGroup", "WarmPool", "EC2"; empty: it does not say

  bool operator==(const HookAction&) const = default;
};

struct QueueEvent {
  core::NoticeId id;  // as NTH makes it: the same at every delivery
  core::NoticeKind kind = core::NoticeKind::kSpotInterruption;
  core::InstanceId instance;
  Time at{};                // when it happened; when it was received, where that cannot be read
  std::string detail;       // the action ("stop"), the state ("stopping"), the code of AWS Health
  std::string description;  // a sentence for people
  std::optional<Time> starts;      // AWS Health: its startTime
  std::optional<HookAction> hook;  // Auto Scaling
  std::string group;               // of Auto Scaling; empty: it does not say
  std::string account;
  std::string region;
};

struct QueueMessage {
  std::vector<QueueEvent> events;
  std::string ignored;  // why there are none; empty when there are
};

// The most that SQS delivers (256 KiB until 2025), and what AWS Health may name at once.
inline constexpr size_t kLongestQueueBody = size_t{1} << 20;
inline constexpr size_t kMostEntities = 5'000;

Result<QueueMessage> read_message(const std::string& body, Time received);

}  // namespace spotkeeper::sources
