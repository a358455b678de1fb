// SPDX-License-Identifier: Apache-2.0
// What is known of the groups whose units are handed over, and how fast replacements come.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "core/group.h"

namespace spotkeeper::core {

class GroupBook {
 public:
  void seen(const Group& group);

  // nullptr: not known (yet).
  const Group* find(const GroupId& id) const;

  // Nothing of this namespace is handed over until then: a release was not followed through.
  void bar(const std::string& ns, Time until, std::string why);
  // Why not now; empty: nothing bars it.
  std::string barred(const std::string& ns, Time now) const;

  // A unit was released; and later its replacement was started, or it is not waited for any more.
  void released(Time now);
  void settled(bool replaced, Time now);
  void reopened(Time now);  // it was not started after all

  // How long `releases` replacements take to be started, by what was seen so far. Only what is told
  // changes it, not the time that passes.
  Millis time_for(int releases) const;

  std::string fingerprint(Time now) const;  // all that decides from now on

 private:
  struct Bar {
    Time until{};
    std::string why;
  };
  void count_time(Time now);

  std::map<GroupId, Group> groups_;
  std::map<std::string, Bar> bars_;
  int waiting_ = 0;  // released, not settled
  int replaced_ = 0;
  Millis waited_{0};  // in which at least one was waited for
  Time counted_{};    // up to then
};

}  // namespace spotkeeper::core
