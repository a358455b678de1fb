// SPDX-License-Identifier: Apache-2.0
#include "effects/request_queue.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace spotkeeper::effects {
namespace {

// Who waits for a connection goes when no answer has come for so long, and at the latest then; but
// beside so many times as many only when one of these is answered.
constexpr Millis kNoAnswer{100};
constexpr Millis kForAConnection{1'000};
constexpr int kMostBeyond = 2;

}  // namespace

RequestQueue::Lane RequestQueue::lane_of(const core::Action& action) {
  switch (action.kind) {
    case core::ActionKind::kMark:
      return action.renews ? Lane::kOrdinary : Lane::kMark;
    case core::ActionKind::kStop:
    case core::ActionKind::kExplain:
      return Lane::kLastMoment;
    case core::ActionKind::kUndo:
      return Lane::kUndo;
    case core::ActionKind::kForewarn:
    case core::ActionKind::kRelease:
    case core::ActionKind::kPutBack:
    case core::ActionKind::kAsk:
      return Lane::kOrdinary;
  }
  return Lane::kOrdinary;
}

void RequestQueue::push(core::Action action, Time now) {
  Lane lane = lane_of(action);
  if (lane == Lane::kOrdinary && action.by <= now) lane = Lane::kLastMoment;
  const Place place{lane, action.by, ++pushed_};
  waiting_.emplace(place, Waiting{.action = std::move(action), .since = now});
}

void RequestQueue::pause(Time until) {
  paused_until_ = std::max(paused_until_, until);
}

void RequestQueue::charge(int requests, Time now) {
  tokens_ = tokens_at(now) - requests;
  counted_ = now;
}

double RequestQueue::tokens_at(Time now) const {
  if (counted_ == Time{}) return tokens_;
  const double gained = std::chrono::duration<double>(now - counted_).count() * limits_.per_s;
  return std::min(limits_.burst, tokens_ + gained);
}

// One whose last moment has come while it waited goes like those that came with theirs.
RequestQueue::Line::const_iterator RequestQueue::first(Time now) const {
  const auto head = waiting_.begin();
  if (head == waiting_.end() || std::get<Lane>(head->first) == Lane::kMark) return head;
  const auto ordinary = waiting_.lower_bound(Place{Lane::kOrdinary, Time::min(), 0});
  if (ordinary == waiting_.end() || ordinary == head) return head;
  const Time by = std::get<Time>(ordinary->first);
  return by <= now && by < std::get<Time>(head->first) ? ordinary : head;
}

// When it may be sent, whatever the rate.
Time RequestQueue::allowed(const Line::value_type& next, Time now) const {
  const auto& [place, waiting] = next;
  const Lane lane = std::get<Lane>(place);
  const Time by = std::get<Time>(place);
  Time at = now;
  if (lane != Lane::kMark && lane != Lane::kLastMoment) {
    at = std::max(at, std::min(paused_until_, by));
  }
  if (under_way_ < limits_.connections) return at;
  if (under_way_ >= kMostBeyond * limits_.connections) return now + kForAConnection;
  const Time stuck = std::max(waiting.since, answered_) + kNoAnswer;
  return std::max(at, std::min(stuck, waiting.since + kForAConnection));
}

std::optional<core::Action> RequestQueue::pop(Time now) {
  const auto next = first(now);
  if (next == waiting_.end() || tokens_at(now) < 1 || allowed(*next, now) > now) {
    return std::nullopt;
  }
  charge(1, now);
  ++under_way_;
  return std::move(waiting_.extract(next).mapped().action);
}

bool RequestQueue::may_spare(Time now) const {
  const double kept = std::min(limits_.burst / 2, limits_.burst - 1);
  return waiting_.empty() && paused_until_ <= now && under_way_ < limits_.connections &&
         tokens_at(now) >= kept + 1;
}

Time RequestQueue::due(Time now) const {
  const auto next = first(now);
  if (next == waiting_.end()) return kNever;
  Time due = allowed(*next, now);
  const double missing = 1 - tokens_at(now);
  if (missing > 0) {
    const double rate = std::max(limits_.per_s, 0.1);
    due = std::max(due, now + Millis(static_cast<int64_t>(std::ceil(missing * 1000 / rate))));
  }
  return due;
}

}  // namespace spotkeeper::effects
