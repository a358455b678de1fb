// SPDX-License-Identifier: Apache-2.0
// The demo's last words: what was saved, by the world's own history, and what would have become of
// the same host otherwise. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/drain.h"
#include "demo/judge.h"
#include "observe/board.h"

namespace spotkeeper::demo {

struct Case {
  std::string name;
  Outcome outcome;
  std::string why = {};  // one line, may be empty
};

// "0 of 7 pods were cut off: …" and the API requests; wrapped.
std::vector<std::string> verdict_lines(const Outcome& outcome, uint64_t requests,
                                       const observe::BoardStyle& style);

// What overruling the budgets meant: each pod's story in a line, or all of them in one.
// Whose replacements were Ready first; nothing when nobody's.
std::vector<std::string> replaced_lines(const core::Drain& drain, const observe::BoardStyle& style);

std::vector<std::string> overruled_lines(const world::History& history, const core::Drain& drain,
                                         Time notice, const observe::BoardStyle& style);

std::vector<std::string> comparison(const std::vector<Case>& cases,
                                    const observe::BoardStyle& style);

}  // namespace spotkeeper::demo
