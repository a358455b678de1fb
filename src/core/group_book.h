// SPDX-License-Identifier: Apache-2.0
// What is known of the groups whose units are handed over.
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

  std::string fingerprint(Time now) const;  // all that decides from now on

 private:
  struct Bar {
    Time until{};
    std::string why;
  };
  std::map<GroupId, Group> groups_;
  std::map<std::string, Bar> bars_;
};

}  // namespace spotkeeper::core
