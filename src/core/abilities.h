// SPDX-License-Identifier: Apache-2.0
// What we are allowed and able to do here, as far as it is known: asked for at start, and true
// until then. A no to one request is reason enough to say what is lost, but not to stop trying for
// others (it may be a webhook's about one pod, or one namespace's).
#pragma once

namespace spotkeeper::core {

struct Abilities {
  bool mark = true;     // write the mark on the host
  bool ask = true;      // evict: a budget may refuse
  bool stop = true;     // delete: nothing may refuse
  bool explain = true;  // write down why a unit ends before it is stopped
  // Take a unit out of its group, and see what replaces it. True from the start where it is not
  // found to be missing: the release is confirmed by what is seen.
  bool hand_over = true;
  bool forewarn = true;  // write on units

  bool operator==(const Abilities&) const = default;
};

}  // namespace spotkeeper::core
