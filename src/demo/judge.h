// SPDX-License-Identifier: Apache-2.0
// What became of the doomed host's pods, by the world's own history and nobody's words. And what
// would have become of them otherwise: the same scenario, without an agent or with a naive one, on
// a world of its own, at once. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "demo/scenario.h"
#include "world/history.h"

namespace spotkeeper::demo {

struct Outage {
  std::string app;
  Millis longest{0};
  bool still = false;  // at the end of what was looked at
};

struct Outcome {
  int pods = 0;                      // of n1 that should have left
  std::vector<std::string> cut_off;  // apps, one entry a pod, in order of their names
  int killed = 0;                    // did not end within their grace
  std::optional<Millis> spare;       // from the last one's end to the host's; absent: cut off
  // The Service that was without a serving pod for longest at a stretch; absent: none ever was.
  std::optional<Outage> worst;
};

// Whether a pod of the doomed host should have left it.
bool should_leave(const world::PodStory& pod, Time notice);

// The world has gone on until `until`, beyond the deadline.
Outcome judge(const world::History& history, const Scenario& scenario, Time notice, Time until);

// For how long, at a stretch, no pod of the app was Ready and staying, between two moments.
Outage outage_of(const std::vector<world::PodStory>& pods, const std::string& app, Time from,
                 Time to);

// How long after the host's end the world is looked at.
inline constexpr Seconds kLookOn{300};

enum class Otherwise {
  kNoAgent,     // nobody does anything
  kEvictRetry,  // cordon, evict everything, try again every 5 s what was refused
};
Outcome without_spotkeeper(const Scenario& scenario, Otherwise otherwise);

}  // namespace spotkeeper::demo
