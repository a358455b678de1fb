// SPDX-License-Identifier: Apache-2.0
#include "app/interrupts.h"

#include <unistd.h>

#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "app/question.h"

namespace spotkeeper::app {
namespace {

constexpr int kInterrupted = 130;

}  // namespace

Interrupts::Interrupts(const config::DrainOptions& options, boost::asio::signal_set& signals,
                       const std::vector<core::HostId>& hosts, Engine& engine, Progress& progress,
                       Event& changed, std::function<void()> stop)
    : options_(options),
      signals_(signals),
      hosts_(hosts),
      engine_(engine),
      progress_(progress),
      changed_(changed),
      stop_(std::move(stop)) {}

Task<> Interrupts::watch_signals() {
  for (;;) {
    const int number = co_await signals_.async_wait(boost::asio::use_awaitable);
    // Nothing was done yet, or the reader has seen enough.
    if (!begun_ || interrupted_ || timed_out_) std::_Exit(kInterrupted);
    std::string answer = options_.on_interrupt;
    const bool can_ask = number == SIGINT && observe::is_terminal(STDIN_FILENO) &&
                         observe::is_terminal(STDERR_FILENO);
    if (answer == "ask" && can_ask) {
      engine_.pause();
      asking_ = true;
      progress_.leave();
      answer = co_await ask_at_interrupt(signals_);
      asking_ = false;
    }
    if (answer != "continue") {
      interrupted_ = true;
      stop_();
      withdraw(answer == "undo", "interrupted");
    }
    engine_.resume();
    changed_.set();
  }
}

Task<> Interrupts::watch_timeout() {
  co_await sleep_for(options_.timeout);
  timed_out_ = true;
  withdraw(false, "--timeout is over");
}

void Interrupts::withdraw(bool undo, const std::string& why) {
  for (const core::HostId& host : hosts_) {
    engine_.tell_first(host, core::Withdrawn{.undo = undo, .why = why});
  }
}

int Interrupts::status(bool all_well) const {
  if (interrupted_) return kInterrupted;
  return all_well && !timed_out_ ? 0 : 1;
}

}  // namespace spotkeeper::app
