// SPDX-License-Identifier: Apache-2.0
#include "core/notice.h"

namespace spotkeeper::core {

const char* to_string(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kSpotInterruption:
      return "SpotInterruption";
    case NoticeKind::kRebalanceRecommendation:
      return "RebalanceRecommendation";
    case NoticeKind::kScheduledEvent:
      return "ScheduledEvent";
    case NoticeKind::kAsgTermination:
      return "AsgTermination";
    case NoticeKind::kAsgLaunch:
      return "AsgLaunch";
    case NoticeKind::kStateChange:
      return "StateChange";
    case NoticeKind::kCapacityReservationInterruption:
      return "CapacityReservationInterruption";
    case NoticeKind::kManual:
      return "Manual";
  }
  return "Unknown";
}

bool is_hard(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kSpotInterruption:
    case NoticeKind::kAsgTermination:
    case NoticeKind::kStateChange:
    case NoticeKind::kCapacityReservationInterruption:
      return true;
    case NoticeKind::kRebalanceRecommendation:
    case NoticeKind::kScheduledEvent:
    case NoticeKind::kAsgLaunch:
    case NoticeKind::kManual:
      return false;
  }
  return false;
}

}  // namespace spotkeeper::core
