// SPDX-License-Identifier: Apache-2.0
// What AWS (or a person) said about one instance, as a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/strong.h"

namespace spotkeeper::core {

using InstanceId = Strong<struct InstanceIdTag>;  // "i-0123456789abcdef0"
using NoticeId = Strong<struct NoticeIdTag>;  // stable for one notice, however often it is heard

enum class NoticeKind {
  kSpotInterruption,                 // the instance ends in two minutes or less
  kRebalanceRecommendation,          // it may be interrupted soon
  kScheduledEvent,                   // maintenance at a given time
  kAsgTermination,                   // Auto Scaling ends it, a lifecycle hook may wait
  kAsgLaunch,                        // Auto Scaling starts it, a lifecycle hook may wait
  kStateChange,                      // EC2 says it is stopping, stopped, terminated …
  kCapacityReservationInterruption,  // its reserved capacity is reclaimed
  kManual,                           // a person asked
};

// The kind in the field's words: "SpotInterruption".
const char* to_string(NoticeKind kind);
std::vector<NoticeKind> all_kinds();
// Nothing for any other word.
std::optional<NoticeKind> parse_kind(std::string_view text);

struct Notice {
  NoticeId id;
  NoticeKind kind = NoticeKind::kSpotInterruption;
  InstanceId instance;
  Time deadline{};     // the moment the notice names: the host is not to be relied on after it
  std::string source;  // "imds", "sqs", "manual"
  std::string detail;  // what the source said: "terminate", "stop", "hibernate", "system-reboot"
  Time received{};
  Millis clock_off{0};  // the host's wall clock is so far behind AWS's time, which `received` is
};

// Hard: the host will end, so at the last moment budgets may be overruled. Soft: it may end. A
// scheduled event, and what a person asks for, is hard when it names a deadline (kNever: none).
bool is_hard(const Notice& notice);

// Of two notices about one host the stronger one counts: what is only feared (0) is less than what
// is wanted without a deadline (1), and that less than what ends the host (2).
int strength(const Notice& notice);

// Whether who hears `a` takes the host over at once from a process that drains it for `b`: it ends
// for certain where that is only feared or wished, or clearly sooner than that knows.
bool outranks(const Notice& a, const Notice& b);

// "at 2026-11-21T10:02:00Z, in 117 s", or that there is no deadline.
std::string describe_end(const Notice& notice, Time now);

}  // namespace spotkeeper::core
