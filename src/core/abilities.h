// SPDX-License-Identifier: Apache-2.0
// What we are allowed and able to do here, as far as it is known. True until the API says no: once
// to something is reason enough to say what is lost, but not to stop trying for others (the no may
// be a webhook's about one pod, or one namespace's).
#pragma once

namespace spotkeeper::core {

struct Abilities {
  bool mark = true;     // write the mark on the host
  bool ask = true;      // evict: a budget may refuse
  bool stop = true;     // delete: nothing may refuse
  bool explain = true;  // write down why a unit ends before it is stopped
};

}  // namespace spotkeeper::core
