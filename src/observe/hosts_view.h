// SPDX-License-Identifier: Apache-2.0
// The drain of many hosts for people: one line a host while it runs, one row a host at the end, so
// that no terminal is scrolled to death. Pure.
#pragma once

#include <string>
#include <vector>

#include "observe/board.h"
#include "observe/post_mortem.h"

namespace spotkeeper::observe {

// What the board says beside the drains themselves.
struct HostsState {
  size_t hosts = 0;       // in all
  size_t done = 0;        // drained and, in waves, replaced
  size_t waiting = 0;     // their turn is to come
  size_t warnings = 0;    // that were not shown
  std::string note = {};  // what is waited for, if anything
};

// The sum first, then a line for each drain that is not finished, in their order.
std::vector<std::string> hosts_board(const std::vector<const core::Drain*>& drains,
                                     const HostsState& state, Time now, const BoardStyle& style);

// A post-mortem as one row: small, for there may be a thousand.
struct HostRow {
  std::string host;
  int moved = 0;
  int ending = 0;
  int untold = 0;
  int stayed = 0;
  int overruled = 0;
  Millis took{};  // to the last pod's end
  bool well = false;
  std::string remark;
};

// Everybody was told in time and has left.
bool is_well(const PostMortem& post_mortem);

HostRow row_of(const PostMortem& post_mortem);

// A table and a closing sentence, each line ended by a newline. With more rows than `most_rows`
// only the hosts that did not end well are in it. `width` as for a post-mortem.
std::string to_table(const std::vector<HostRow>& rows, size_t most_rows, int width = 0);

}  // namespace spotkeeper::observe
