// SPDX-License-Identifier: Apache-2.0
// What became of one unit, in one word. The one place that says what "told in time" means.
#pragma once

#include "core/drain.h"

namespace spotkeeper::core {

enum class Verdict {
  kMoved,   // told in time, and gone before the deadline
  kLeft,    // gone before the deadline without having been told: it ended by itself
  kEnding,  // told in time, still ending
  kUntold,  // not told, or with less than min(its grace, 10 s) to the deadline
  kStays,   // not ours to move
};

// In the field's words: "moved", "left", "ending", "untold", "stays".
const char* to_string(Verdict verdict);

// A unit that was not there, or not known of, so long before the deadline is told in time when it
// is told within 5 s.
Verdict verdict_of(const Track& track, const Notice& notice);

}  // namespace spotkeeper::core
