// SPDX-License-Identifier: Apache-2.0
// What ends a drain by hand before its hosts are empty: Ctrl-C, a signal, --timeout. Then its
// drains are withdrawn, and the command ends when they are over. Owned by the drain, whose parts it
// speaks to; they outlive its tasks.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <functional>
#include <string>
#include <vector>

#include "app/engine.h"
#include "app/progress.h"
#include "async/task.h"
#include "async/timing.h"
#include "config/drain_options.h"

namespace spotkeeper::app {

class Interrupts {
 public:
  // `hosts`: whose drain has begun. `stop` is called at an interruption, before they are withdrawn.
  // `changed` is set when there is something new to look at.
  Interrupts(const config::DrainOptions& options, boost::asio::signal_set& signals,
             const std::vector<core::HostId>& hosts, Engine& engine, Progress& progress,
             Event& changed, std::function<void()> stop);

  // The first Ctrl-C asks, and nothing new is begun meanwhile; a second one means "leave". Another
  // one, or one before begin(), ends the process at once.
  Task<> watch_signals();
  Task<> watch_timeout();

  void begin() { begun_ = true; }
  bool asking() const { return asking_; }
  bool interrupted() const { return interrupted_; }

  // The command's exit status when its hosts went as they should, or not.
  int status(bool all_well) const;

 private:
  void withdraw(bool undo, const std::string& why);

  const config::DrainOptions& options_;
  boost::asio::signal_set& signals_;
  const std::vector<core::HostId>& hosts_;
  Engine& engine_;
  Progress& progress_;
  Event& changed_;
  std::function<void()> stop_;
  bool begun_ = false;
  bool asking_ = false;
  bool interrupted_ = false;
  bool timed_out_ = false;
};

}  // namespace spotkeeper::app
