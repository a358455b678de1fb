// SPDX-License-Identifier: Apache-2.0
#include "core/verdict.h"

#include <algorithm>

namespace spotkeeper::core {
namespace {

constexpr Seconds kEnoughWord{10};  // docs/design.md, "told"
constexpr Seconds kPromptly{5};

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kMoved:
      return "moved";
    case Verdict::kLeft:
      return "left";
    case Verdict::kEnding:
      return "ending";
    case Verdict::kUntold:
      return "untold";
    case Verdict::kStays:
      return "stays";
  }
  return "unknown";
}

Verdict verdict_of(const Track& track, const Notice& notice) {
  if (track.plan.mode == Mode::kNotOurs && !track.told) return Verdict::kStays;
  const bool gone_in_time = track.gone && *track.gone <= notice.deadline;
  if (!track.told) return gone_in_time ? Verdict::kLeft : Verdict::kUntold;
  const Time latest = notice.deadline - std::min(track.plan.grace, kEnoughWord);
  const bool in_time = *track.told <= std::max(latest, track.seen + kPromptly);
  if (!in_time) return Verdict::kUntold;
  return gone_in_time ? Verdict::kMoved : Verdict::kEnding;
}

}  // namespace spotkeeper::core
