// SPDX-License-Identifier: Apache-2.0
// What waits to be sent to one API server, for all hosts together: the mark of every host before
// anything else, then what is at its last moment, then the rest by its last moment. A token bucket
// bounds the rate. Nothing refused by a budget holds up another; there are no slots. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

#include "base/clock.h"
#include "core/action.h"

namespace spotkeeper::effects {

struct RequestLimits {
  double per_s = 100;
  double burst = 200;
  // More than so many under way wait a moment for a connection to get free: opening one costs both
  // sides more than a request, and keeping it, memory. Only a moment: a server that hangs must not
  // hold up the rest.
  int connections = 24;
};

class RequestQueue {
 public:
  explicit RequestQueue(RequestLimits limits) : limits_(limits), tokens_(limits.burst) {}

  void push(core::Action action, Time now);

  // The server asks for a pause: what is neither a mark nor at its last moment waits it out.
  void pause(Time until);

  // The next that may be sent now; nothing when none may.
  std::optional<core::Action> pop(Time now);

  // One that was sent is answered.
  void answered(Time now) {
    --under_way_;
    answered_ = now;
  }

  // Requests beside the one that each action costs: they count, and are never refused.
  void charge(int requests, Time now);

  // Whether a request that matters to no drain may be sent: nothing waits, nothing is to be waited
  // for, and more than half of the burst is left. Who sends one charges it.
  bool may_spare(Time now) const;

  // When pop() is to be tried again; kNever when nothing waits.
  Time due(Time now) const;

  bool empty() const { return waiting_.empty(); }
  size_t size() const { return waiting_.size(); }

 private:
  enum class Lane { kMark, kLastMoment, kOrdinary, kUndo };
  using Place = std::tuple<Lane, Time, uint64_t>;
  struct Waiting {
    core::Action action;
    Time since{};
  };
  using Line = std::map<Place, Waiting>;
  static Lane lane_of(const core::Action& action);
  Line::const_iterator first(Time now) const;
  Time allowed(const Line::value_type& next, Time now) const;
  double tokens_at(Time now) const;

  RequestLimits limits_;
  double tokens_;
  Time counted_{};  // tokens_ are as of then
  Time paused_until_{};
  uint64_t pushed_ = 0;
  int under_way_ = 0;
  Time answered_{};  // the last
  Line waiting_;
};

}  // namespace spotkeeper::effects
