// SPDX-License-Identifier: Apache-2.0
// Waiting on the event loop: sleeps and wake-up events; the randomness that base/backoff.h needs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "async/task.h"
#include "base/backoff.h"
#include "base/clock.h"

namespace spotkeeper {

// Brings a wait into the range that timers can count: 0 to a year, which is "for ever".
Millis clamp_wait(Millis duration);

// For the demo and its tests: waits and sleeps take 1/speed of their time from now on. Does not
// touch time-outs of the network, which are of the real world. Goes with emulator/runner.h, whose
// clock is as fast.
void scale_time(double speed);
double time_scale();

// Sleeps. Throws boost::system::system_error(operation_aborted) when the task is cancelled.
Task<> sleep_for(Millis duration);

// An auto-reset wake-up: set() lets one wait() return, also one that starts later.
class Event {
 public:
  explicit Event(boost::asio::any_io_executor executor);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set();

  // Returns true when set, false when `at_most` ran out first. Throws on cancellation.
  // One waiter at a time.
  Task<bool> wait(Millis at_most);

  // The same in real time, whatever scale_time() says: for the network and for programs.
  Task<bool> wait_real(Millis at_most);

 private:
  Task<bool> wait_exactly(std::chrono::microseconds at_most);

  struct State;
  std::unique_ptr<State> state_;
};

// A random number in [0, 1), for Backoff::jitter. Not for secrets.
double random_unit();

}  // namespace spotkeeper
