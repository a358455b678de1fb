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

void GroupBook::seen(const Group& group) {
  groups_[group.id] = group;
}

const Group* GroupBook::find(const GroupId& id) const {
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : &found->second;
}

void GroupBook::bar(const std::string& ns, Time until, std::string why) {
  bars_[ns] = Bar{.until = until, .why = std::move(why)};
}

std::string GroupBook::barred(const std::string& ns, Time now) const {
  const auto found = bars_.find(ns);
  return found == bars_.end() || now >= found->second.until ? std::string() : found->second.why;
}

void GroupBook::released(Time now) {
  count_time(now);
  ++waiting_;
}

void GroupBook::settled(bool replaced, Time now) {
  count_time(now);
  waiting_ = std::max(0, waiting_ - 1);
  if (replaced) ++replaced_;
}

void GroupBook::reopened(Time now) {
  released(now);
  replaced_ = std::max(0, replaced_ - 1);
}

void GroupBook::count_time(Time now) {
  if (waiting_ > 0) waited_ += now - counted_;
  counted_ = now;
}

Millis GroupBook::time_for(int releases) const {
  double rate = kFirstGuess;
  if (replaced_ >= kEnoughSeen) {
    const double seconds = std::max(0.001, std::chrono::duration<double>(waited_).count());
    rate = std::max(0.1, replaced_ / seconds);
  }
  return Millis(static_cast<int64_t>(releases * 1000.0 / rate));
}

}  // namespace spotkeeper::core
