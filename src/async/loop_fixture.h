// SPDX-License-Identifier: Apache-2.0
// Tests only: an event loop, a group for background tasks, and run(), which drives the loop until
// one task has ended. A test that hangs fails after a limit instead; a background task that fails
// fails the test. What is left in the group is cancelled and joined in TearDown: what background
// tasks use must be a member of the fixture, not a local of the test.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "async/task.h"
#include "async/task_group.h"

namespace spotkeeper {

class LoopFixture : public ::testing::Test {
 public:
  static constexpr std::chrono::seconds kLimit{60};

  // Runs the loop until the task has ended; gives its value, throws its exception.
  template <class T>
  T run(Task<T> task) {
    std::optional<std::exception_ptr> failure;
    if constexpr (std::is_void_v<T>) {
      boost::asio::co_spawn(io_, std::move(task), [&](std::exception_ptr e) { failure = e; });
      run_until([&] { return failure.has_value(); });
      if (*failure) std::rethrow_exception(*failure);
    } else {
      std::optional<T> value;
      boost::asio::co_spawn(io_, std::move(task), [&](std::exception_ptr e, T result) {
        failure = e;
        value.emplace(std::move(result));
      });
      run_until([&] { return failure.has_value(); });
      if (*failure) std::rethrow_exception(*failure);
      return std::move(*value);
    }
  }

  // Runs the loop until `done` holds.
  template <class Done>
  void run_until(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    io_.restart();
    while (!done()) {
      if (io_.run_one_until(deadline) > 0) continue;
      if (std::chrono::steady_clock::now() >= deadline) throw std::runtime_error("test timed out");
      throw std::runtime_error("the event loop has nothing left to do");
    }
  }

  boost::asio::any_io_executor executor() { return io_.get_executor(); }

 protected:
  void TearDown() override {
    tasks_.cancel();
    run(tasks_.join());
  }

  boost::asio::io_context io_{1};
  TaskGroup tasks_{io_.get_executor(),
                   [](const std::string& what) { ADD_FAILURE() << "background task: " << what; }};
};

}  // namespace spotkeeper
