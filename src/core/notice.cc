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

std::vector<NoticeKind> all_kinds() {
  return {NoticeKind::kSpotInterruption,
          NoticeKind::kRebalanceRecommendation,
          NoticeKind::kScheduledEvent,
          NoticeKind::kAsgTermination,
          NoticeKind::kAsgLaunch,
          NoticeKind::kStateChange,
          NoticeKind::kCapacityReservationInterruption,
          NoticeKind::kManual};
}

std::optional<NoticeKind> parse_kind(std::string_view text) {
  for (const NoticeKind kind : all_kinds()) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

bool is_hard(const Notice& notice) {
  switch (notice.kind) {
    case NoticeKind::kSpotInterruption:
    case NoticeKind::kAsgTermination:
    case NoticeKind::kStateChange:
    case NoticeKind::kCapacityReservationInterruption:
      return true;
    case NoticeKind::kRebalanceRecommendation:
    case NoticeKind::kAsgLaunch:
      return false;
    case NoticeKind::kScheduledEvent:
    case NoticeKind::kManual:
      return notice.deadline != kNever;
  }
  return false;
}

int strength(const Notice& notice) {
  if (is_hard(notice)) return 2;
  return notice.kind == NoticeKind::kRebalanceRecommendation ? 0 : 1;
}

bool outranks(const Notice& a, const Notice& b) {
  // The same end is told by several sources, and not to the second.
  constexpr Seconds kClearly{15};
  // One person does not take a host from another.
  if (a.kind == NoticeKind::kManual && b.kind == NoticeKind::kManual) return false;
  if (strength(a) != strength(b)) return strength(a) > strength(b);
  return is_hard(a) && a.deadline + kClearly < b.deadline;
}

std::string describe_end(const Notice& notice, Time now) {
  if (notice.deadline == kNever) return "no deadline, so no budget is overruled";
  return "the host ends at " + format_time_s(notice.deadline) + ", in " +
         format_duration(notice.deadline - now);
}

}  // namespace spotkeeper::core
