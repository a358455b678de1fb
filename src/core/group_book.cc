// SPDX-License-Identifier: Apache-2.0
#include "core/group_book.h"

#include <algorithm>
#include <utility>

namespace spotkeeper::core {
namespace {

// Replacements a second before any was seen: a controller-manager with its default limits needed
// 26 s for 200 (measured on Kubernetes 1.34).
constexpr double kFirstGuess = 8;
// So many are needed before the guess gives way to what was seen.
constexpr int kEnoughSeen = 8;

}  // namespace

void GroupBook::seen(const Group& group, Time now) {
  Line& line = lines_[group.id];
  line.group = group;
  if (group.owned >= group.wanted) {
    line.short_since.reset();
  } else if (!line.short_since) {
    line.short_since = now;
  }
}

const Group* GroupBook::find(const GroupId& id) const {
  const auto found = lines_.find(id);
  return found == lines_.end() ? nullptr : &found->second.group;
}

Millis GroupBook::short_for(const GroupId& id, Time now) const {
  const auto found = lines_.find(id);
  if (found == lines_.end() || !found->second.short_since) return Millis(0);
  return now - *found->second.short_since;
}

void GroupBook::bar(const std::string& ns, Time until, std::string why) {
  bars_[ns] = Bar{.until = until, .why = std::move(why)};
}

std::string GroupBook::barred(const std::string& ns, Time now) const {
  const auto found = bars_.find(ns);
  return found == bars_.end() || now >= found->second.until ? std::string() : found->second.why;
}

void GroupBook::released(Time now) {
  if (!first_release_) first_release_ = now;
}

Millis GroupBook::time_for(int releases, Time now) const {
  double rate = kFirstGuess;
  if (first_release_ && replaced_ >= kEnoughSeen) {
    const double seconds =
        std::max(0.001, std::chrono::duration<double>(now - *first_release_).count());
    rate = std::max(0.1, replaced_ / seconds);
  }
  return Millis(static_cast<int64_t>(releases * 1000.0 / rate));
}

}  // namespace spotkeeper::core
