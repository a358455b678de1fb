// SPDX-License-Identifier: Apache-2.0
#include "core/desk.h"

#include <algorithm>

namespace spotkeeper::core {
namespace {

// An answer to an earlier drain of the same host must not be taken for one to this.
constexpr uint64_t kNumbersPerDrain = 1'000'000;

}  // namespace

Output Desk::hear(const HostId& host, const Notice& notice, Time now) {
  auto found = drains_.find(host);
  // A host that outlived its last notice (it was stopped and started) is drained anew.
  const bool over = found != drains_.end() && found->second.finished() &&
                    found->second.notice().id != notice.id &&
                    (now > found->second.notice().deadline || found->second.withdrawn());
  if (over) {
    drains_.erase(found);
    found = drains_.end();
  }
  if (found == drains_.end()) {
    found = drains_.try_emplace(host, host, notice, policy_, now, next_number_, abilities_).first;
    next_number_ += kNumbersPerDrain;
  }
  return found->second.on(NoticeHeard{.notice = notice}, now);
}

Output Desk::on(const HostId& host, const Observation& observation, Time now) {
  const auto found = drains_.find(host);
  if (found == drains_.end()) return {};
  return found->second.on(observation, now);
}

Time Desk::wake() const {
  Time earliest = kNever;
  for (const auto& [host, drain] : drains_) earliest = std::min(earliest, drain.wake());
  return earliest;
}

const Drain* Desk::find(const HostId& host) const {
  const auto found = drains_.find(host);
  return found == drains_.end() ? nullptr : &found->second;
}

}  // namespace spotkeeper::core
