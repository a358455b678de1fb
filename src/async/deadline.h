// SPDX-License-Identifier: Apache-2.0
// A task with a deadline. Use this rather than Asio's `task || sleep`: that one, when the task
// throws, goes on waiting for the sleep, and when it is cancelled throws multiple_exceptions.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <concepts>
#include <exception>
#include <optional>
#include <utility>

#include "async/task.h"
#include "async/timing.h"

namespace spotkeeper {
namespace detail {

inline bool is_cancellation(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code() == boost::asio::error::operation_aborted;
  } catch (...) {  // whatever else it is, it is no cancellation
    return false;
  }
}

// Whether the deadline ended the task. Throws what the task threw, but not that cancellation.
inline bool cut_off(const std::exception_ptr& failure, const boost::system::error_code& timer) {
  if (!failure) return false;
  if (!timer && is_cancellation(failure)) return true;
  std::rethrow_exception(failure);
}

}  // namespace detail

// The task's value, or nullopt when it was cancelled because `limit` ran out. What the task throws
// is thrown at once. Being cancelled cancels the task and throws operation_aborted.
template <std::default_initializable T>
Task<std::optional<T>> finish_within(Millis limit, Task<T> task) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor);
  timer.expires_after(clamp_wait(limit));
  auto [order, failure, value, error] =
      co_await boost::asio::experimental::make_parallel_group(
          boost::asio::co_spawn(executor, std::move(task), boost::asio::deferred),
          timer.async_wait(boost::asio::deferred))
          .async_wait(boost::asio::experimental::wait_for_one(), boost::asio::use_awaitable);
  if (detail::cut_off(failure, error)) co_return std::nullopt;
  co_return std::move(value);
}

// The same for a task without a value: whether it finished.
inline Task<bool> finish_within(Millis limit, Task<> task) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor);
  timer.expires_after(clamp_wait(limit));
  auto [order, failure, error] =
      co_await boost::asio::experimental::make_parallel_group(
          boost::asio::co_spawn(executor, std::move(task), boost::asio::deferred),
          timer.async_wait(boost::asio::deferred))
          .async_wait(boost::asio::experimental::wait_for_one(), boost::asio::use_awaitable);
  co_return !detail::cut_off(failure, error);
}

}  // namespace spotkeeper
