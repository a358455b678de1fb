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

template <class Key>
int count_of(const std::map<Key, int>& counts, const Key& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

template <class Key>
void replace(std::map<Key, int>& sum, const std::map<Key, int>& before,
             const std::map<Key, int>& now) {
  for (const auto& [key, count] : before) {
    int& rest = sum[key];
    rest -= count;
    if (rest == 0) sum.erase(key);
  }
  for (const auto& [key, count] : now) sum[key] += count;
}

}  // namespace

void Pace::counted(int open, int came, Time now) {
  if (open_ > 0) waited_ += now - counted_;
  counted_ = now;
  open_ = open;
  came_ = std::max(0, came_ + came);
  if (came > 0) last_came_ = now;
}

void Pace::counted(const Part& before, const Part& now) {
  replace(all_.bereft, before.bereft, now.bereft);
  replace(all_.asked, before.asked, now.asked);
}

int Pace::bereft_elsewhere(const GroupId& group, const Part& own) const {
  return count_of(all_.bereft, group) - count_of(own.bereft, group);
}

int Pace::asked_elsewhere(const BudgetId& budget, const Part& own) const {
  return count_of(all_.asked, budget) - count_of(own.asked, budget);
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
