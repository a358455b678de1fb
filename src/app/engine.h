// SPDX-License-Identifier: Apache-2.0
// Turns the wheel: observations go to the Desk, its actions to the effects, its entries to the
// journal's readers, and its wake-ups to a timer. Decides nothing.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <set>
#include <vector>

#include "async/task.h"
#include "async/timing.h"
#include "core/desk.h"

namespace spotkeeper::app {

class Engine {
 public:
  struct Hooks {
    std::function<void(core::Action)> act;
    std::function<void(const core::Entry&)> journal;
    std::function<void(const core::Drain&)> finished;  // once a drain
  };

  Engine(boost::asio::any_io_executor executor, const Clock& clock, core::Policy policy,
         Hooks hooks);

  // May be called from anywhere, also from within a hook: what is told meanwhile waits its turn.
  void tell(const core::HostId& host, core::Observation observation);

  // While paused nothing new is decided: what is told waits. For a person who is asked a question.
  void pause() { paused_ = true; }
  void resume();

  // Told before everything that waits.
  void tell_first(const core::HostId& host, core::Observation observation);

  // Ticks drains when they are due, until cancelled.
  Task<> keep_time();

  // What we may do, for the drains that run and those to come.
  void able(const core::Abilities& abilities);

  // The operator's rules, for the same.
  void rules(const std::vector<core::Rule>& rules);

  // Nothing is kept of the host, whose drain is finished.
  void forget(const core::HostId& host);

  // nullptr when the host has none.
  const core::Drain* find(const core::HostId& host) const { return desk_.find(host); }

  // Those of these hosts; who has none is left out.
  std::vector<const core::Drain*> find(const std::vector<core::HostId>& hosts) const;

  // A drain that is not finished.
  bool busy() const;

 private:
  void begin_turns();
  Millis sleeps_on() const;
  void take_turns();
  void tell_news();
  void publish(core::Output output, const core::HostId& host);

  const Clock& clock_;
  core::Desk desk_;
  Hooks hooks_;
  Event wake_;
  struct Told {
    core::HostId host;
    core::Observation observation;
    Time at{};  // however long it waits
  };
  std::deque<Told> waiting_;
  std::set<core::HostId> hosts_;
  std::set<core::HostId> finished_;
  // keep_time(): what is due later need not wake it.
  std::chrono::steady_clock::time_point asleep_since_{};
  Millis asleep_for_ = Millis::max();
  bool turning_ = false;
  bool paused_ = false;
};

}  // namespace spotkeeper::app
