// SPDX-License-Identifier: Apache-2.0
// How a drain by hand shows what it does: a board that is redrawn where the reader has a terminal,
// plain lines ("+12.3s  web-x2klp  told: …") where not. With -o json or yaml stdout is kept for the
// document and the lines go to stderr.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/drain.h"
#include "observe/hosts_view.h"
#include "observe/terminal.h"

namespace spotkeeper::app {

class Progress {
 public:
  // `documents`: stdout is for a document. `words`: as of observe::BoardStyle, for all it shows.
  explicit Progress(bool documents, std::function<std::string(std::string)> words = {});

  // Entries name their host, too.
  void name_hosts() { several_hosts_ = true; }

  // There are too many hosts for a board each.
  void many_hosts() { many_hosts_ = true; }

  // An entry of the journal; offsets count from `started`.
  void entry(const core::Entry& entry, Time started);

  // The state of all drains, now; does nothing without a terminal. Of many hosts one line each, and
  // their entries are counted, not shown.
  void show(const std::vector<const core::Drain*>& drains, Time now);
  void show_hosts(const std::vector<const core::Drain*>& drains, observe::HostsState state,
                  Time now);

  // A line of our own; coloured on a terminal only.
  void say(const std::string& line, observe::Colour colour = observe::Colour::kPlain);

  // What is shown stays; text follows.
  void leave() { live_.leave(); }

  bool live() const { return live_view_; }
  int fd() const { return fd_; }

 private:
  void measure();

  int fd_;
  bool live_view_;
  bool several_hosts_ = false;
  bool many_hosts_ = false;
  size_t warnings_ = 0;  // not shown
  observe::BoardStyle style_;
  observe::LiveLines live_;
};

}  // namespace spotkeeper::app
