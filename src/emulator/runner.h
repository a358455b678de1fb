// SPDX-License-Identifier: Apache-2.0
// Keeps a world's virtual clock moving with real time, `speed` times as fast. As a Clock it tells
// the world's time by the real clock, which the world itself reaches when it is advanced. Owned by
// whoever serves the world; the world must outlive it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>

#include "async/task.h"
#include "async/timing.h"
#include "base/clock.h"
#include "world/world.h"

namespace spotkeeper::emulator {

class Runner final : public Clock {
 public:
  // Starts at the world's time; `speed` is at least 0.001.
  Runner(boost::asio::any_io_executor executor, world::World& world, double speed = 1);

  Time now() const override;

  // Lets happen what is due by now: before a request is answered.
  void catch_up();
  // After a request: what it set off may be due sooner than anything before.
  void poke();

  // Wakes the world whenever something is due. Runs until cancelled.
  Task<> run();

 private:
  world::World& world_;
  double speed_;
  Time began_;
  std::chrono::steady_clock::time_point really_began_;
  Event poked_;
};

}  // namespace spotkeeper::emulator
