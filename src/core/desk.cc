// SPDX-License-Identifier: Apache-2.0
#include "core/desk.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace spotkeeper::core {
namespace {

// An answer to an earlier drain of the same host must not be taken for one to this.
constexpr uint64_t kNumbersPerDrain = 1'000'000;
// With every unit that goes the shares change a little.
constexpr Millis kSharesEvery{250};
constexpr Millis kShareStep{100};
// Where the last moments of all would take longer, they are brief, up to the end of the last drain:
// hand-overs can use the time.
constexpr Seconds kTooLong{30};

}  // namespace

Output Desk::hear(const HostId& host, const Notice& notice, Time now) {
  auto found = drains_.find(host);
  // A host that outlived its last notice (it was stopped and started) is drained anew.
  const Drain* before = found != drains_.end() ? &found->second : nullptr;
  const bool outlived =
      before != nullptr && before->notice().id != notice.id && now > before->notice().deadline;
  const bool over = before != nullptr && before->finished() && (outlived || before->withdrawn());
  if (over) {
    drop(host, now);
    found = drains_.end();
  }
  if (found == drains_.end()) {
    found = drains_.try_emplace(host, host, notice, policy_, now, next_number_, abilities_, &pace_)
                .first;
    next_number_ += kNumbersPerDrain;
  }
  return turn(host, found->second, NoticeHeard{.notice = notice}, now);
}

void Desk::forget(const HostId& host, Time now) {
  const auto found = drains_.find(host);
  if (found == drains_.end() || !found->second.finished()) return;
  drop(host, now);
  shares_.erase(host);
}

void Desk::drop(const HostId& host, Time now) {
  wake_at(host, shares_[host], kNever);
  Share share = std::exchange(shares_[host], {});
  pace_.counted(pace_.open() - share.open, 0, now);
  pace_.counted(share.part, {});
  waiting_ -= static_cast<int>(share.waits);
  count(share, {});
  drains_.erase(host);
}

Output Desk::on(const HostId& host, const Observation& observation, Time now) {
  const auto found = drains_.find(host);
  if (found == drains_.end()) return {};
  return turn(host, found->second, observation, now);
}

Output Desk::turn(const HostId& host, Drain& drain, const Observation& observation, Time now) {
  Output out = drain.on(observation, now);
  count(host, drain, now);
  return out;
}

void Desk::count(const HostId& host, Drain& drain, Time now) {
  Share& share = shares_[host];
  const int open = drain.releases_open();
  pace_.counted(pace_.open() + open - std::exchange(share.open, open), drain.take_came(), now);
  if (share.part != drain.part()) {
    pace_.counted(share.part, drain.part());
    share.part = drain.part();
  }
  waiting_ += static_cast<int>(drain.waits_for_room()) - static_cast<int>(share.waits);
  share.waits = drain.waits_for_room();
  wake_at(host, share, drain.wake());
  if (drain.last_moments() == share.ahead) return;
  count(share, drain.last_moments());
  shares_stale_ = shares_stale_ || drains_.size() > 1;
}

void Desk::count(Share& share, const Drain::LastMoments& ahead) {
  ahead_.stops += ahead.stops - share.ahead.stops;
  ahead_.requests += ahead.requests - share.ahead.requests;
  share.ahead = ahead;
  const double seconds = ahead_.requests / std::max(policy_.requests_per_s, 1.0);
  brief_ = ahead_.stops > 0 && (brief_ || seconds > static_cast<double>(kTooLong.count()));
}

void Desk::wake_at(const HostId& host, Share& share, Time at) {
  if (share.wake == at) return;
  if (share.wake != kNever) wakes_.erase({share.wake, host});
  if (at != kNever) wakes_.emplace(at, host);
  share.wake = at;
}

const HostId* Desk::first_that_waits() const {
  const HostId* first = nullptr;
  Time end = kNever;
  for (const auto& [host, drain] : drains_) {
    if (!drain.waits_for_room() || (first != nullptr && drain.end() >= end)) continue;
    first = &host;
    end = drain.end();
  }
  return first;
}

// What renewals of so many hosts' marks leave of the request rate: half of it at least, for they
// have time while it is short.
double Desk::rate_for(size_t hosts) const {
  const double rate = std::max(policy_.requests_per_s, 1.0);
  if (!policy_.renew_every) return rate;
  const double seconds = std::chrono::duration<double>(*policy_.renew_every).count();
  return std::max(rate / 2, rate - static_cast<double>(hosts) / seconds);
}

std::vector<std::pair<HostId, Observation>> Desk::news(Time now) {
  std::vector<std::pair<HostId, Observation>> news;
  if (const HostId* waits = waiting_ > 0 && pace_.has_room() ? first_that_waits() : nullptr) {
    news.emplace_back(*waits, shares_.at(*waits).crowd);
  }
  if (!shares_stale_ || now < shares_due_) return news;
  shares_stale_ = false;
  shares_due_ = now + kSharesEvery;
  std::vector<std::pair<Time, const HostId*>> ends;
  for (const auto& [host, drain] : drains_) {
    if (shares_.at(host).ahead.stops > 0) ends.emplace_back(drain.end(), &host);
  }
  std::ranges::sort(ends, std::greater<>(), [](const auto& end) {
    return std::pair<Time, const std::string&>(end.first, end.second->value);
  });
  const double each_ms = 1000.0 / rate_for(ends.size());
  Millis lead{0};  // what those that end later take of this host's time
  Time later = kNever;
  for (const auto& [end, host] : ends) {
    if (later != kNever) lead = std::max(Millis(0), lead - (later - end));
    later = end;
    Share& share = shares_.at(*host);
    const Millis rounded = (lead + kShareStep - Millis(1)) / kShareStep * kShareStep;
    const Crowd crowd{.lead = rounded, .brief = brief_};
    if (crowd != share.crowd) {
      share.crowd = crowd;
      news.emplace_back(*host, crowd);
    }
    const int requests = brief_ ? share.ahead.stops : share.ahead.requests;
    lead += Millis(static_cast<int64_t>(requests * each_ms));
  }
  return news;
}

Time Desk::wake() const {
  return wakes_.empty() ? news_due() : std::min(news_due(), wakes_.begin()->first);
}

std::vector<HostId> Desk::due(Time now) const {
  std::vector<HostId> due;
  for (const auto& [at, host] : wakes_) {
    if (at > now) break;
    due.push_back(host);
  }
  return due;
}

const Drain* Desk::find(const HostId& host) const {
  const auto found = drains_.find(host);
  return found == drains_.end() ? nullptr : &found->second;
}

}  // namespace spotkeeper::core
