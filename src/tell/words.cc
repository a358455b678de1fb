// SPDX-License-Identifier: Apache-2.0
#include "tell/words.h"

#include <fmt/format.h>

namespace spotkeeper::tell {

using core::NoticeKind;

const char* nth_kind(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kSpotInterruption:
      return "SPOT_ITN";
    case NoticeKind::kRebalanceRecommendation:
      return "REBALANCE_RECOMMENDATION";
    case NoticeKind::kScheduledEvent:
      return "SCHEDULED_EVENT";
    case NoticeKind::kAsgTermination:
      return "ASG_LIFECYCLE";
    case NoticeKind::kAsgLaunch:
      return "ASG_LAUNCH_LIFECYCLE";
    case NoticeKind::kStateChange:
      return "STATE_CHANGE";
    case NoticeKind::kCapacityReservationInterruption:
      return "CAPACITY_RESERVATION_INTERRUPTION";
    case NoticeKind::kManual:
      return "MANUAL";
  }
  return "UNKNOWN";
}

const char* nth_monitor(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kSpotInterruption:
      return "SPOT_ITN_MONITOR";
    case NoticeKind::kRebalanceRecommendation:
      return "REBALANCE_RECOMMENDATION_MONITOR";
    case NoticeKind::kScheduledEvent:
      return "SCHEDULED_EVENT_MONITOR";
    case NoticeKind::kAsgTermination:
      return "ASG_LIFECYCLE_MONITOR";
    case NoticeKind::kAsgLaunch:
    case NoticeKind::kStateChange:
    case NoticeKind::kCapacityReservationInterruption:
      return "SQS_MONITOR";
    case NoticeKind::kManual:
      return "MANUAL";
  }
  return "UNKNOWN";
}

const char* event_reason(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kSpotInterruption:
      return "SpotInterruption";
    case NoticeKind::kRebalanceRecommendation:
      return "RebalanceRecommendation";
    case NoticeKind::kScheduledEvent:
      return "ScheduledEvent";
    case NoticeKind::kAsgTermination:
      return "ASGLifecycle";
    case NoticeKind::kStateChange:
      return "StateChange";
    case NoticeKind::kAsgLaunch:
    case NoticeKind::kCapacityReservationInterruption:
    case NoticeKind::kManual:
      return "UnknownInterruption";
  }
  return "UnknownInterruption";
}

std::string description(const core::Notice& notice) {
  const std::string at = format_time_s(start_of(notice));
  switch (notice.kind) {
    case NoticeKind::kSpotInterruption:
      return fmt::format("Spot ITN received. Instance will be interrupted at {}", at);
    case NoticeKind::kRebalanceRecommendation:
      return "Rebalance recommendation received. Instance will be cordoned at " + at;
    case NoticeKind::kScheduledEvent:
      return fmt::format("{} will occur at {}",
                         notice.detail.empty() ? "A scheduled event" : notice.detail,
                         notice.deadline == kNever ? at : format_time_s(notice.deadline));
    case NoticeKind::kAsgTermination:
      return "ASG target lifecycle state received. Instance will be terminated";
    case NoticeKind::kAsgLaunch:
    case NoticeKind::kStateChange:
    case NoticeKind::kCapacityReservationInterruption:
    case NoticeKind::kManual:
      return fmt::format("{} received, {}", core::to_string(notice.kind),
                         core::describe_end(notice, notice.received));
  }
  return {};
}

Time start_of(const core::Notice& notice) {
  const bool names_its_end = notice.kind == NoticeKind::kSpotInterruption ||
                             notice.kind == NoticeKind::kCapacityReservationInterruption;
  return names_its_end && notice.deadline != kNever ? notice.deadline : notice.received;
}

}  // namespace spotkeeper::tell
