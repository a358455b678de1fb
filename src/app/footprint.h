// SPDX-License-Identifier: Apache-2.0
// What of the executable stays in memory.
#pragma once

namespace spotkeeper::app {

// Lets go of the executable's pages, code and constants: what was needed once, at the start, is
// most of an idle agent's memory. What is needed again comes back from the page cache, 64 KiB a
// fault. What we have written is not touched. Where it cannot be done nothing happens.
void forget_code();

}  // namespace spotkeeper::app
