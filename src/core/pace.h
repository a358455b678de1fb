// SPDX-License-Identifier: Apache-2.0
// How fast replacements come, and how many are waited for, over all hosts that go: the controllers
// that start them are shared. Kept by the Desk; read by its Drains.
#pragma once

#include "base/clock.h"

namespace spotkeeper::core {

class Pace {
 public:
  // What was so up to `now`: so many are waited for from now on, and so many more have come.
  void counted(int open, int came, Time now);

  // Released units whose replacement is not started yet.
  int open() const { return open_; }

  // How long so many replacements take to be started.
  Millis time_for(int releases) const;

  // Whether another release beside so many would be followed through soon.
  bool has_room_beside(int open) const;
  bool has_room() const { return has_room_beside(open_); }

  // All that decides (Drain::fingerprint).
  struct State {
    int came;
    Millis waited;
    Time counted;
  };
  State state() const { return {came_, waited_, counted_}; }

 private:
  int open_ = 0;
  int came_ = 0;
  Millis waited_{0};  // in which at least one was waited for
  Time counted_{};
};

}  // namespace spotkeeper::core
