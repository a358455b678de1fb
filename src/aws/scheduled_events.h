// SPDX-License-Identifier: Apache-2.0
// What IMDS says about maintenance of the instance, as values. Pure.
// Source: AWS EC2 User Guide, "Scheduled events for your instances": an event begins no earlier
// than NotBefore; what is not active any more may still be listed for a while, or not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct ScheduledEvent {
  std::string id;    // its EventId, or made from what it says where it has none
  std::string code;  // "system-reboot", "instance-stop" …; empty: it does not say
  std::string description;
  bool over = false;               // its State: "canceled" or "completed"
  std::optional<Time> not_before;  // unset: it names none that could be read
};

struct ScheduledEvents {
  std::vector<ScheduledEvent> events;
  std::string odd;  // what could not be understood, for a message; the rest counts all the same
};

// The body of /latest/meta-data/events/maintenance/scheduled. An Error (kPermanent) when it is no
// list at all.
Result<ScheduledEvents> parse_scheduled_events(const std::string& body);

// "21 Jan 2019 09:00:43 GMT", as this document writes times. False leaves `out` untouched.
bool parse_event_time(const std::string& text, Time& out);

}  // namespace spotkeeper::aws
