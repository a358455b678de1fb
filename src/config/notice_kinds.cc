// SPDX-License-Identifier: Apache-2.0
#include "config/notice_kinds.h"

#include <algorithm>
#include <array>

namespace spotkeeper::config {
namespace {

constexpr std::array kKinds{core::NoticeKind::kSpotInterruption,
                            core::NoticeKind::kRebalanceRecommendation,
                            core::NoticeKind::kScheduledEvent,
                            core::NoticeKind::kAsgTermination,
                            core::NoticeKind::kAsgLaunch,
                            core::NoticeKind::kStateChange,
                            core::NoticeKind::kCapacityReservationInterruption,
                            core::NoticeKind::kManual};

std::vector<std::string> names() {
  std::vector<std::string> all;
  all.reserve(kKinds.size());
  for (const core::NoticeKind kind : kKinds) all.emplace_back(core::to_string(kind));
  return all;
}

}  // namespace

const std::vector<std::string>& notice_kinds() {
  static const std::vector<std::string> all = names();
  return all;
}

std::optional<core::NoticeKind> notice_kind_of(const std::string& word) {
  const auto* const found = std::ranges::find_if(
      kKinds, [&](core::NoticeKind kind) { return word == core::to_string(kind); });
  if (found == kKinds.end()) return std::nullopt;
  return *found;
}

}  // namespace spotkeeper::config
