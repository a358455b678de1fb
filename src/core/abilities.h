// SPDX-License-Identifier: Apache-2.0
// What we are allowed and able to do here: an input of the core, so that each degraded mode is
// planned. All true until the other side says no.
#pragma once

namespace spotkeeper::core {

struct Abilities {
  bool mark = true;     // write the mark on the host
  bool ask = true;      // evict: a budget may refuse
  bool stop = true;     // delete: nothing may refuse
  bool explain = true;  // write down why a unit ends before it is stopped
};

}  // namespace spotkeeper::core
