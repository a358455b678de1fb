// SPDX-License-Identifier: Apache-2.0
#include "sources/event_notice.h"

#include <algorithm>

namespace spotkeeper::sources {
namespace {

using core::NoticeKind;

constexpr Seconds kTwoMinutes{120};
constexpr Seconds kShutsDown{90};
constexpr Seconds kAtLeast{30};  // to end in good order what is there
constexpr Millis kOldState = std::chrono::minutes(10);
constexpr Millis kOldHook = std::chrono::hours(48);  // no hook waits longer

// Nothing, or why it is stale.
std::string set_deadline(core::Notice& notice, const QueueEvent& event, const EventRules& rules,
                         Time now) {
  const Millis age = now - event.at;
  switch (event.kind) {
    case NoticeKind::kSpotInterruption:
    case NoticeKind::kCapacityReservationInterruption:
      notice.deadline = event.at + kTwoMinutes;
      if (notice.deadline <= now) return "its two minutes are over";
      return {};
    case NoticeKind::kRebalanceRecommendation:
      notice.deadline = kNever;
      if (rules.rebalance_trust > Millis(0) && age > rules.rebalance_trust) {
        return "a recommendation that old says nothing any more";
      }
      return {};
    case NoticeKind::kStateChange:
      notice.deadline = std::max(event.at + kShutsDown, now + kAtLeast);
      if (age > kOldState) return "the instance may be in any state by now";
      return {};
    case NoticeKind::kAsgTermination:
      notice.deadline = now + rules.grace;
      if (age > kOldHook) return "no lifecycle hook waits that long";
      return {};
    case NoticeKind::kScheduledEvent:
      notice.deadline = event.starts && *event.starts > now ? *event.starts : kNever;
      return {};
    case NoticeKind::kAsgLaunch:
    case NoticeKind::kManual:
      return "nothing ends";
  }
  return "unknown";
}

}  // namespace

std::expected<core::Notice, std::string> notice_of(const QueueEvent& event, const EventRules& rules,
                                                   Time now) {
  core::Notice notice{.id = event.id,
                      .kind = event.kind,
                      .instance = event.instance,
                      .deadline = kNever,
                      .source = "sqs",
                      .detail = event.detail,
                      .received = now};
  std::string stale = set_deadline(notice, event, rules, now);
  if (!stale.empty()) {
    return std::unexpected("of " + format_time_s(event.at) + ": " + std::move(stale));
  }
  return notice;
}

}  // namespace spotkeeper::sources
