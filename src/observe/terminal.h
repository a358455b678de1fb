// SPDX-License-Identifier: Apache-2.0
// What the terminal can do, and lines that are redrawn in place. Colour only on a terminal, and not
// where NO_COLOR is set or TERM is "dumb"; blocks only where the locale is UTF-8.
#pragma once

#include <string>
#include <vector>

#include "observe/board.h"

namespace spotkeeper::observe {

bool is_terminal(int fd);

// A terminal on which lines can be redrawn: not where TERM is "dumb".
bool can_redraw(int fd);

// The style that fits what `fd` is; 80 columns where it is no terminal.
BoardStyle style_of(int fd);

// Rows of the terminal; 24 where it is none.
int terminal_rows(int fd);

// Lines at the bottom of a terminal that replace what they showed before.
class LiveLines {
 public:
  explicit LiveLines(int fd) : fd_(fd) {}

  // Shows these lines instead of the last ones; more than the terminal's height are cut.
  void show(const std::vector<std::string>& lines);

  // A line that stays, above the live ones.
  void keep(const std::string& line);

  // The live lines stay as they are; what follows is written below.
  void leave();

 private:
  std::string erase() const;

  int fd_;
  std::vector<std::string> shown_;
};

// All of it, whatever it takes; silently not at all when nobody reads any more.
void write_text(int fd, const std::string& text);

}  // namespace spotkeeper::observe
