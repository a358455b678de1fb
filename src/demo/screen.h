// SPDX-License-Identifier: Apache-2.0
// Where the demo is shown: lines that stay, and at a terminal below them the live ones. Nothing but
// plain lines of at most 80 columns in a pipe, and where NO_COLOR is set or TERM is dumb.
#pragma once

#include <string>
#include <vector>

#include "demo/words.h"
#include "observe/terminal.h"

namespace spotkeeper::demo {

struct ScreenOptions {
  bool colour = true;  // where the terminal has it
  bool live = true;
};

// A timeline's line as it is shown, wrapped below itself. Pure.
std::vector<std::string> timeline_lines(const Line& line, Time notice,
                                        const observe::BoardStyle& style);
std::vector<std::string> timeline_heading(const observe::BoardStyle& style);

class Screen {
 public:
  explicit Screen(ScreenOptions options);

  void say(const std::vector<std::string>& lines);
  void say(const std::string& text, observe::Colour colour = observe::Colour::kPlain);  // wrapped
  void show(const std::vector<std::string>& lines);  // instead of the last live ones
  void leave();                                      // these stay; text follows

  bool live() const { return live_view_; }
  int rows() const { return observe::terminal_rows(fd_); }
  // As it is now: a terminal may be resized.
  observe::BoardStyle style() const;

 private:
  int fd_;
  ScreenOptions options_;
  bool live_view_;
  observe::LiveLines live_;
};

}  // namespace spotkeeper::demo
