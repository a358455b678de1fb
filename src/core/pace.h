// SPDX-License-Identifier: Apache-2.0
// How fast replacements come, and how many are waited for, over all hosts that go: the controllers
// that start them are shared. Kept by the Desk; read by its Drains.
#pragma once

#include <map>

#include "base/clock.h"
#include "core/group.h"

namespace spotkeeper::core {

class Pace {
 public:
  // By group: its units that are out of it and of which no replacement is known to be started.
  using Bereft = std::map<GroupId, int>;

  // What was so up to `now`: so many are waited for from now on, and so many more have come.
  void counted(int open, int came, Time now);

  // When the last one did.
  Time last_came() const { return last_came_; }

  // Released units whose replacement is not started yet.
  int open() const { return open_; }

  // On some host `now` instead of `before`.
  void counted(const Bereft& before, const Bereft& now);
  // On all hosts.
  int bereft(const GroupId& group) const;

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
  Bereft bereft_;
  int came_ = 0;
  Millis waited_{0};  // in which at least one was waited for
  Time counted_{};
  Time last_came_{};
};

}  // namespace spotkeeper::core
