// SPDX-License-Identifier: Apache-2.0
// The timeline of what was decided and what came of it, each with its reason. Log lines, the
// post-mortem and (later) events and webhooks are made from it and from nothing else.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "core/host.h"

namespace spotkeeper::core {

enum class What {
  kNotice,      // a notice was heard, or changed
  kMarked,      // the host is marked
  kMarkFailed,  // it could not be marked, so far
  kPlanned,     // when and how a unit will be moved
  kHeld,        // a unit waits, and for what
  kForewarned,  // that it will go is written on a unit
  kReleased,    // handed over: a unit is taken out of its group, which starts its replacement
  kReplaced,    // enough others are Ready: a unit handed over may go
  kPutBack,     // a unit is put back into its group
  kAsked,       // a unit is asked to leave
  kRefused,     // the answer was no
  kExplained,   // its end was written down on the unit
  kOverruled,   // a budget is overruled
  kStopped,     // a unit is told to leave whatever its budget says
  kTold,        // its deletion is written
  kGone,        // it has left
  kFailed,      // a request failed; it is tried again
  kDenied,      // we are not allowed to do something
  kDark,        // a Service has no Ready endpoint
  kBright,      // it has one again
  kUndone,      // what our mark had set is taken back
  kWould,       // dry run: what would be done
  kFinished,    // the drain is over
};

// In the field's words, for logs: "notice", "marked", "asked" …
const char* to_string(What what);

enum class Level { kDebug, kInfo, kWarning, kError };

struct Entry {
  Time at{};
  Level level = Level::kInfo;
  What what = What::kNotice;
  HostId host;
  std::string unit;  // name of the unit, empty when the entry is about the host
  std::string text;  // what happened and why, one sentence
};

using Journal = std::vector<Entry>;

}  // namespace spotkeeper::core
