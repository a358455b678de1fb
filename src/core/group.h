// SPDX-License-Identifier: Apache-2.0
// A group starts a new unit when one of its own leaves it: a Deployment. What a hand-over has to
// know of it. Counted from the units themselves, seen live, never from what the group reports of
// itself, which trails.
#pragma once

#include <string>

#include "base/strong.h"

namespace spotkeeper::core {

using GroupId = Strong<struct GroupIdTag>;  // "namespace/name"

struct Group {
  GroupId id;
  int wanted = 0;  // how many units it is to have; 0 also when it is gone
  int owned = 0;   // units that are its own and not told to end, on any host, Ready or not
  int ready = 0;   // its Ready units, not told to end, on hosts that do not go
  // Why none of its units can be handed over now; empty: they can. Does not concern those that
  // are being handed over already.
  std::string no_hand_over;

  bool operator==(const Group&) const = default;
};

}  // namespace spotkeeper::core
