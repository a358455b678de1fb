// SPDX-License-Identifier: Apache-2.0
// A unit is what runs on a host and has to move: its adapter turns a pod or a task into these
// facts. A budget limits how many units may be asked to leave at once (a PodDisruptionBudget).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/strong.h"
#include "core/group.h"
#include "core/rules.h"

namespace spotkeeper::core {

using UnitId = Strong<struct UnitIdTag>;      // unique for ever: a replacement has another one
using BudgetId = Strong<struct BudgetIdTag>;  // "namespace/name"

struct Unit {
  UnitId id;
  std::string name;   // for people: "default/web-7d9f-x2x"
  std::string owner;  // for people: "ReplicaSet/web-7d9f", empty when nobody owns it
  Seconds grace{30};  // what its owner grants it between being told and being killed
  bool ready = false;
  std::string exempt;             // why it is not ours to move; empty: it is
  std::optional<Time> ending;     // it has been told to end, seen at
  bool ended = false;             // its processes have ended, whatever becomes of the object
  std::vector<BudgetId> budgets;  // what guards it
  bool local_data = false;        // its data ends with it
  bool volumes = false;           // mounts volumes that must detach before others can have them
  // Serves the host itself and would not come back to a tainted one: told in the last seconds where
  // the policy says so, though it is exempt.
  bool daemon = false;
  bool critical = false;  // others need it: it goes after them
  RuleFacts facts = {};   // what rules select it by
  Treatment wish = {};    // its own annotations: goes before every rule
  // The hand-over of it. docs/design.md, rule 6.
  GroupId group = {};             // who starts its replacement; empty: nobody
  std::string no_hand_over = {};  // why it cannot be handed over; empty: it can
  bool released = false;          // it bears our mark of release
  bool orphan = false;            // nobody owns it

  bool operator==(const Unit&) const = default;
};

struct Budget {
  BudgetId id;
  int allows = 0;  // how many Ready units may be asked now

  bool operator==(const Budget&) const = default;
};

}  // namespace spotkeeper::core
