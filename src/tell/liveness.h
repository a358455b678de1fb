// SPDX-License-Identifier: Apache-2.0
// What the kubelet's probes are answered. Alive: the event loop turns and the poller of notices
// polls, whatever it hears; a restart would help otherwise. Ready: it would hear a notice now, and
// could act on it; a restart would not help. Bad weather makes nobody unalive. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace spotkeeper::tell {

class Liveness {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  using Span = std::chrono::steady_clock::duration;

  struct Limits {
    Span loop = std::chrono::seconds(10);
    Span poll = std::chrono::seconds(60);   // without one that has ended, well or not
    Span heard = std::chrono::seconds(60);  // without one that has ended well
    const char* source = "instance metadata";
  };
  // Whether anything is polled at all.
  Liveness(Limits limits, bool polls, Moment now);

  // Each second, from a task of the loop: how many polls have ended, and of those how many well.
  void beat(Moment now, double polls, double good);

  // Empty: alive, or what is stuck and for how long.
  std::string stuck(Moment now) const;

  // Empty: ready, or why not. `platform`: why its platform is not, likewise.
  std::string unready(Moment now, const std::string& platform) const;

 private:
  Limits limits_;
  bool polls_;
  Moment beat_;
  Moment polled_;
  std::optional<Moment> heard_;
  double seen_ = 0;
  double good_ = 0;
};

}  // namespace spotkeeper::tell
