// SPDX-License-Identifier: Apache-2.0
// For tests of this folder: a drain to look at, and how.
#pragma once

#include "core/test_drain.h"
#include "observe/board.h"

namespace spotkeeper::observe {

inline const BoardStyle kPlain{.width = 80, .colour = false, .unicode = false};

// One that may go and was told, one that stays, one that waits for its budget.
inline core::TestDrain just_begun() {
  core::TestDrain t;
  core::Unit daemon = core::make_unit("cni");
  daemon.exempt = "a DaemonSet pod: it serves the node to its end";
  t.begin({core::make_unit("web"), daemon, core::make_unit("db", Seconds(30), {"default/b"})},
          {{.id = core::BudgetId("default/b"), .allows = 0}});
  for (const core::Action& ask : t.take()) t.answer(ask);
  return t;
}

}  // namespace spotkeeper::observe
