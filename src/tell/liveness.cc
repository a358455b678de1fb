// SPDX-License-Identifier: Apache-2.0
#include "tell/liveness.h"

#include <fmt/format.h>

#include <utility>

namespace spotkeeper::tell {
namespace {

int64_t seconds(Liveness::Span span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

}  // namespace

Liveness::Liveness(Limits limits, bool polls, Moment now)
    : limits_(limits), polls_(polls), beat_(now), polled_(now) {}

void Liveness::beat(Moment now, double polls, double good) {
  beat_ = now;
  if (std::exchange(seen_, polls) != polls) polled_ = now;
  if (std::exchange(good_, good) != good) heard_ = now;
}

std::string Liveness::stuck(Moment now) const {
  if (now - beat_ > limits_.loop) {
    return fmt::format("the event loop has been stuck for {} s", seconds(now - beat_));
  }
  if (polls_ && now - polled_ > limits_.poll) {
    return fmt::format("the poller of {} has been stuck for {} s", limits_.source,
                       seconds(now - polled_));
  }
  return {};
}

std::string Liveness::unready(Moment now, const std::string& platform) const {
  if (polls_ && !heard_) return fmt::format("{} has not answered yet", limits_.source);
  if (polls_ && now - *heard_ > limits_.heard) {
    return fmt::format("{} has not answered for {} s", limits_.source, seconds(now - *heard_));
  }
  return platform;
}

}  // namespace spotkeeper::tell
