// SPDX-License-Identifier: Apache-2.0
// What this process calls itself in the record on a Node, and which of those it can tell to have
// ended: processes of this machine. Of others effects/holders.h finds out with time.
#pragma once

#include <string>

namespace spotkeeper::app {

// "laptop.local/4711"
std::string this_process();

// False also where it cannot be told.
bool has_ended(const std::string& holder);

}  // namespace spotkeeper::app
