// SPDX-License-Identifier: Apache-2.0
// Inside queue_message: an event out of its wrapping, and what it says by its source. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "sources/queue_message.h"

namespace spotkeeper::sources {

// What all events have. It refers to the JSON it was read from.
struct QueueEnvelope {
  std::string id;    // never empty: of what it says, where it brings none
  std::string type;  // "EC2 Spot Instance Interruption Warning"; empty: not from EventBridge
  std::string source;
  std::string account;
  std::string region;
  Time at{};
  const boost::json::value* detail = nullptr;  // an object
};

Result<QueueMessage> read_ec2_event(const QueueEnvelope& envelope);
Result<QueueMessage> read_auto_scaling_event(const QueueEnvelope& envelope);
Result<QueueMessage> read_health_event(const QueueEnvelope& envelope);

QueueMessage ignored(std::string why);

// Text of the other side's for a message or a field: one line, not long.
std::string queue_word(const std::string& text);

}  // namespace spotkeeper::sources
