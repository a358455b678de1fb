// SPDX-License-Identifier: Apache-2.0
// What is redrawn at a terminal: the doomed host's pods with their bars, and where the new ones
// start. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/drain.h"
#include "demo/scenario.h"
#include "observe/board.h"

namespace spotkeeper::demo {

// At most `rows` lines; what has left makes room first.
std::vector<std::string> live_view(const core::Drain& drain, const world::World& world, Time now,
                                   int rows, const observe::BoardStyle& style);

// "now on n2  web-x2klp Ready  db-0 starting", wrapped; one paragraph a host with room.
std::vector<std::string> node_lines(const world::World& world, const observe::BoardStyle& style);

// What the bars' signs mean.
std::string legend(const observe::BoardStyle& style);

}  // namespace spotkeeper::demo
