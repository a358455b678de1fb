// SPDX-License-Identifier: Apache-2.0
#include "core/desk.h"

#include <algorithm>
#include <functional>

namespace spotkeeper::core {
namespace {

// An answer to an earlier drain of the same host must not be taken for one to this.
constexpr uint64_t kNumbersPerDrain = 1'000'000;
// With every unit that goes the shares change a little.
constexpr Millis kSharesEvery{250};
constexpr Millis kShareStep{100};

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
  Output out = found->second.on(NoticeHeard{.notice = notice}, now);
  count(host, found->second);
  return out;
}

Output Desk::on(const HostId& host, const Observation& observation, Time now) {
  const auto found = drains_.find(host);
  if (found == drains_.end()) return {};
  Output out = found->second.on(observation, now);
  count(host, found->second);
  return out;
}

void Desk::count(const HostId& host, const Drain& drain) {
  Share& share = shares_[host];
  const int requests = drain.requests_ahead();
  if (requests == share.requests) return;
  share.requests = requests;
  shares_stale_ = shares_stale_ || drains_.size() > 1;
}

std::vector<std::pair<HostId, Observation>> Desk::news(Time now) {
  std::vector<std::pair<HostId, Observation>> news;
  if (!shares_stale_ || now < shares_due_) return news;
  shares_stale_ = false;
  shares_due_ = now + kSharesEvery;
  std::vector<std::pair<Time, const HostId*>> ends;
  for (const auto& [host, drain] : drains_) {
    if (shares_.at(host).requests > 0) ends.emplace_back(drain.end(), &host);
  }
  std::ranges::sort(ends, std::greater<>(), [](const auto& end) {
    return std::pair<Time, const std::string&>(end.first, end.second->value);
  });
  const double each_ms = 1000.0 / std::max(policy_.requests_per_s, 1.0);
  Millis lead{0};  // what those that end later take of this host's time
  Time later = kNever;
  for (const auto& [end, host] : ends) {
    if (later != kNever) lead = std::max(Millis(0), lead - (later - end));
    later = end;
    Share& share = shares_.at(*host);
    const Millis rounded = (lead + kShareStep - Millis(1)) / kShareStep * kShareStep;
    if (rounded != share.lead) {
      share.lead = rounded;
      news.emplace_back(*host, Crowd{.lead = rounded});
    }
    lead += Millis(static_cast<int64_t>(share.requests * each_ms));
  }
  return news;
}

Time Desk::wake() const {
  Time earliest = news_due();
  for (const auto& [host, drain] : drains_) earliest = std::min(earliest, drain.wake());
  return earliest;
}

const Drain* Desk::find(const HostId& host) const {
  const auto found = drains_.find(host);
  return found == drains_.end() ? nullptr : &found->second;
}

}  // namespace spotkeeper::core
