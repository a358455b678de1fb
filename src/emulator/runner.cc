// SPDX-License-Identifier: Apache-2.0
#include "emulator/runner.h"

#include <algorithm>
#include <utility>

namespace spotkeeper::emulator {

using Steady = std::chrono::steady_clock;

namespace {

// A world that has nothing to do is looked after now and then all the same.
constexpr Millis kLongestSleep{60'000};

}  // namespace

Runner::Runner(boost::asio::any_io_executor executor, world::World& world, double speed)
    : world_(world),
      speed_(std::max(speed, 0.001)),
      began_(world.now()),
      really_began_(Steady::now()),
      poked_(std::move(executor)) {}

Time Runner::now() const {
  const std::chrono::duration<double, std::milli> passed = Steady::now() - really_began_;
  return began_ + Millis(static_cast<int64_t>(passed.count() * speed_));
}

void Runner::catch_up() {
  world_.advance_to(std::max(now(), world_.now()));
}

void Runner::poke() {
  poked_.set();
}

Task<> Runner::run() {
  for (;;) {
    catch_up();
    const Time wake = world_.wake();
    Millis wait = kLongestSleep;
    if (wake < now() + Seconds(1'000'000)) {
      // Waits count in the program's time, which may be scaled as well (async/timing.h).
      const double factor = time_scale() / speed_;
      const double real = static_cast<double>((wake - now()).count()) * factor;
      wait = std::clamp(Millis(static_cast<int64_t>(real) + 1), Millis(0), kLongestSleep);
    }
    co_await poked_.wait(wait);
  }
}

}  // namespace spotkeeper::emulator
