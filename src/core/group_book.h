// SPDX-License-Identifier: Apache-2.0
// What is known of the groups whose units are handed over, and how fast replacements come.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "core/group.h"

namespace spotkeeper::core {

class GroupBook {
 public:
  void seen(const Group& group, Time now);

  // nullptr: not known (yet).
  const Group* find(const GroupId& id) const;

  // For how long the group has had fewer units than it wants; zero: it has them.
  Millis short_for(const GroupId& id, Time now) const;

  // Nothing of this namespace is handed over until then: a release was not followed through.
  void bar(const std::string& ns, Time until, std::string why);
  // Why not now; empty: nothing bars it.
  std::string barred(const std::string& ns, Time now) const;

  // A unit was released; the replacement of one was started.
  void released(Time now);
  void replaced() { ++replaced_; }

  std::string fingerprint() const;  // all that decides

  // How long `releases` replacements take to be started, by what was seen so far.
  Millis time_for(int releases, Time now) const;

 private:
  struct Line {
    Group group;
    std::optional<Time> short_since;
  };
  struct Bar {
    Time until{};
    std::string why;
  };
  std::map<GroupId, Line> lines_;
  std::map<std::string, Bar> bars_;
  std::optional<Time> first_release_;
  int replaced_ = 0;
};

}  // namespace spotkeeper::core
