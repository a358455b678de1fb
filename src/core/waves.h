// SPDX-License-Identifier: Apache-2.0
// Which of many hosts are drained now, where only so many may be unavailable at once: planned work,
// such as the refresh of a pool. Says when each host's turn is; pure, and whoever owns it begins
// the drains and tells how they end.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace spotkeeper::core {

// "3", or "10%" of the hosts that were chosen.
struct MaxUnavailable {
  int value = 0;
  bool percent = false;

  // At least 1, at most all; percentages are rounded down, as those of an ASG's instance refresh
  // and of a PodDisruptionBudget's maxUnavailable never allow more than was written.
  size_t of(size_t hosts) const;
};

class Waves {
 public:
  struct Host {
    std::string name;
    // Cordoned or not Ready before anything was done: it counts from the first, and goes first,
    // for that takes nothing from anybody.
    bool unavailable = false;
  };

  // At most `at_once` (1 or more) of these are unavailable at any time, by us or by themselves,
  // until they are done.
  Waves(std::vector<Host> hosts, size_t at_once);

  // Those whose turn it is, by their place in the list: they are draining from now on.
  std::vector<size_t> next();

  // A drain is done. Not well: nobody's turn comes after it. Said again, it changes nothing.
  void done(size_t host, bool well);

  // Nobody's turn comes any more.
  void stop() { stopped_ = true; }

  bool stopped() const { return stopped_; }

  // Nobody is draining, and nobody's turn will come.
  bool over() const;

  size_t draining() const { return count(Step::kDraining); }
  size_t finished() const { return count(Step::kDone); }

  // In the order of their turns.
  std::vector<std::string> waiting() const;

 private:
  enum class Step { kWaiting, kDraining, kDone };

  size_t count(Step step) const;
  size_t unavailable() const;

  std::vector<Host> hosts_;
  std::vector<Step> steps_;
  std::vector<size_t> order_;
  size_t at_once_;
  bool stopped_ = false;
};

}  // namespace spotkeeper::core
