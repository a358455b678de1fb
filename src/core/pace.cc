// SPDX-License-Identifier: Apache-2.0
#include "core/pace.h"

#include <algorithm>

namespace spotkeeper::core {
namespace {

// Replacements a second before any was seen: a controller-manager with its default limits needed
// 26 s for 200 (measured on Kubernetes 1.34).
constexpr double kFirstGuess = 8;
// So many are needed before the guess gives way to what was seen.
constexpr int kEnoughSeen = 8;
// A release is followed through within so long, or else no more are begun; less than the time
// within which it must be.
constexpr Millis kSoon{2'000};

}  // namespace

void Pace::counted(int open, int came, Time now) {
  if (open_ > 0) waited_ += now - counted_;
  counted_ = now;
  open_ = open;
  came_ = std::max(0, came_ + came);
  if (came > 0) last_came_ = now;
}

void Pace::counted(const Bereft& before, const Bereft& now) {
  if (before == now) return;
  for (const auto& [group, count] : before) bereft_[group] -= count;
  for (const auto& [group, count] : now) bereft_[group] += count;
  std::erase_if(bereft_, [](const auto& entry) { return entry.second == 0; });
}

int Pace::bereft(const GroupId& group) const {
  const auto found = bereft_.find(group);
  return found == bereft_.end() ? 0 : found->second;
}

Millis Pace::time_for(int releases) const {
  double rate = kFirstGuess;
  if (came_ >= kEnoughSeen) {
    const double seconds = std::max(0.001, std::chrono::duration<double>(waited_).count());
    rate = std::max(0.1, came_ / seconds);
  }
  return Millis(static_cast<int64_t>(releases * 1000.0 / rate));
}

bool Pace::has_room_beside(int open) const {
  return open == 0 || time_for(open + 1) <= kSoon;
}

}  // namespace spotkeeper::core
