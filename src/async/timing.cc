// SPDX-License-Identifier: Apache-2.0
#include "async/timing.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <random>

namespace spotkeeper {

namespace asio = boost::asio;

namespace {

double g_speed = 1.0;

// In microseconds: at twenty times the speed a millisecond is long.
std::chrono::microseconds scaled(Millis duration) {
  const std::chrono::microseconds real = clamp_wait(duration);
  if (g_speed == 1.0) return real;
  return std::chrono::microseconds(
      static_cast<int64_t>(static_cast<double>(real.count()) / g_speed));
}

}  // namespace

void scale_time(double speed) {
  g_speed = speed;
}

double time_scale() {
  return g_speed;
}

Millis clamp_wait(Millis duration) {
  return std::clamp(duration, Millis(0), Millis(std::chrono::hours(24 * 365)));
}

Task<> sleep_for(Millis duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(scaled(duration));
  co_await timer.async_wait(asio::use_awaitable);
}

struct Event::State {
  explicit State(const asio::any_io_executor& executor) : timer(executor) {}

  asio::steady_timer timer;
  bool set = false;
  bool waited_for = false;
};

Event::Event(asio::any_io_executor executor) : state_(std::make_unique<State>(executor)) {}

Event::~Event() = default;

void Event::set() {
  state_->set = true;
  state_->timer.cancel();
}

Task<bool> Event::wait(Millis at_most) {
  return wait_exactly(scaled(at_most));
}

Task<bool> Event::wait_real(Millis at_most) {
  return wait_exactly(clamp_wait(at_most));
}

Task<bool> Event::wait_exactly(std::chrono::microseconds at_most) {
  if (!state_->set) {
    assert(!state_->waited_for);
    state_->waited_for = true;
    state_->timer.expires_after(at_most);
    const auto [error] = co_await state_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    state_->waited_for = false;
    // set() and a cancelled task end the wait with the same error code: the flag tells them apart.
    if (!state_->set) {
      if (error) throw boost::system::system_error(error);
      co_return false;
    }
  }
  state_->set = false;
  co_return true;
}

double random_unit() {
  static std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace spotkeeper
