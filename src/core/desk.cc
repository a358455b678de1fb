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
  auto found = seats_.find(host);
  // A host that outlived its last notice (it was stopped and started) is drained anew.
  const Drain* before = found != seats_.end() ? &found->second.drain : nullptr;
  const bool outlived =
      before != nullptr && before->notice().id != notice.id && now > before->notice().deadline;
  const bool over = before != nullptr && before->finished() && (outlived || before->withdrawn());
  if (over) {
    drop(found, now);
    found = seats_.end();
  }
  if (found == seats_.end()) {
    found =
        seats_
            .try_emplace(host, Drain(host, notice, policy_, now, next_number_, abilities_, &pace_))
            .first;
    next_number_ += kNumbersPerDrain;
  }
  return turn(*found, NoticeHeard{.notice = notice}, now);
}

void Desk::forget(const HostId& host, Time now) {
  const auto found = seats_.find(host);
  if (found != seats_.end() && found->second.drain.finished()) drop(found, now);
}

void Desk::drop(Seats::iterator seat, Time now) {
  Share& share = seat->second.share;
  wake_at(seat->first, share, kNever);
  pace_.counted(pace_.open() - share.open, 0, now);
  pace_.counted(share.part, {});
  waiting_ -= static_cast<int>(share.waits);
  count(share, {});
  seats_.erase(seat);
}

Output Desk::on(const HostId& host, const Observation& observation, Time now) {
  const auto found = seats_.find(host);
  if (found == seats_.end()) return {};
  return turn(*found, observation, now);
}

Output Desk::turn(Seats::value_type& seat, const Observation& observation, Time now) {
  Output out = seat.second.drain.on(observation, now);
  count(seat, now);
  return out;
}

void Desk::count(Seats::value_type& seat, Time now) {
  auto& [drain, share] = seat.second;
  const int open = drain.releases_open();
  pace_.counted(pace_.open() + open - std::exchange(share.open, open), drain.take_came(), now);
  if (share.part != drain.part()) {
    pace_.counted(share.part, drain.part());
    share.part = drain.part();
  }
  waiting_ += static_cast<int>(drain.waits_for_room()) - static_cast<int>(share.waits);
  share.waits = drain.waits_for_room();
  wake_at(seat.first, share, drain.wake());
  if (drain.last_moments() == share.ahead) return;
  count(share, drain.last_moments());
  shares_stale_ = shares_stale_ || seats_.size() > 1;
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
  if (share.wake != kNever) wakes_.erase({.at = share.wake, .host = &host});
  if (at != kNever) wakes_.insert({.at = at, .host = &host});
  share.wake = at;
}

const HostId* Desk::first_that_waits() const {
  const HostId* first = nullptr;
  Time end = kNever;
  for (const auto& [host, seat] : seats_) {
    if (!seat.share.waits || (first != nullptr && seat.drain.end() >= end)) continue;
    first = &host;
    end = seat.drain.end();
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
    news.emplace_back(*waits, seats_.at(*waits).share.crowd);
  }
  if (!shares_stale_ || now < shares_due_) return news;
  shares_stale_ = false;
  shares_due_ = now + kSharesEvery;
  std::vector<std::pair<Moment, Share*>> ends;
  for (auto& [host, seat] : seats_) {
    if (seat.share.ahead.stops == 0) continue;
    ends.emplace_back(Moment{.at = seat.drain.end(), .host = &host}, &seat.share);
  }
  std::ranges::sort(ends, std::greater<>(), &std::pair<Moment, Share*>::first);
  const double each_ms = 1000.0 / rate_for(ends.size());
  Millis lead{0};  // what those that end later take of this host's time
  Time later = kNever;
  for (const auto& [end, share] : ends) {
    if (later != kNever) lead = std::max(Millis(0), lead - (later - end.at));
    later = end.at;
    const Millis rounded = (lead + kShareStep - Millis(1)) / kShareStep * kShareStep;
    const Crowd crowd{.lead = rounded, .brief = brief_};
    if (crowd != share->crowd) {
      share->crowd = crowd;
      news.emplace_back(*end.host, crowd);
    }
    const int requests = brief_ ? share->ahead.stops : share->ahead.requests;
    lead += Millis(static_cast<int64_t>(requests * each_ms));
  }
  return news;
}

Time Desk::wake() const {
  return wakes_.empty() ? news_due() : std::min(news_due(), wakes_.begin()->at);
}

std::vector<HostId> Desk::due(Time now) const {
  std::vector<HostId> due;
  for (const auto& [at, host] : wakes_) {
    if (at > now) break;
    due.push_back(*host);
  }
  return due;
}

const Drain* Desk::find(const HostId& host) const {
  const auto found = seats_.find(host);
  return found == seats_.end() ? nullptr : &found->second.drain;
}

}  // namespace spotkeeper::core
