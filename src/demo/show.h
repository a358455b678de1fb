// SPDX-License-Identifier: Apache-2.0
// One run of the demo, from the first line to the verdict.
#pragma once

#include "demo/options.h"

namespace spotkeeper::demo {

// Exit status: 0 nobody was cut off, 1 somebody was or the agent failed, 130 interrupted.
int run_demo(const Options& options);

}  // namespace spotkeeper::demo
