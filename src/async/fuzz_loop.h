// SPDX-License-Identifier: Apache-2.0
// Fuzz targets only: an event loop for parsers that are reached through a socket, and run(), which
// drives it until one task has ended. Made once and never ended; background tasks must not fail.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "async/task.h"
#include "async/task_group.h"
#include "base/fuzz.h"

namespace spotkeeper {

class FuzzLoop {
 public:
  template <class T>
  T run(Task<T> task) {
    std::optional<T> value;
    boost::asio::co_spawn(io_, std::move(task), [&value](std::exception_ptr failure, T result) {
      must(failure == nullptr, "no exception leaves the task");
      value.emplace(std::move(result));
    });
    io_.restart();
    while (!value) must(io_.run_one() > 0, "the loop has something to do");
    return std::move(*value);
  }

  // Goes on until no more than `left` background tasks are there, so that each input begins anew.
  void settle(size_t left) {
    while (tasks_.size() > left) must(io_.run_one() > 0, "the loop has something to do");
  }

  boost::asio::any_io_executor executor() { return io_.get_executor(); }
  TaskGroup& tasks() { return tasks_; }

 private:
  boost::asio::io_context io_{1};
  TaskGroup tasks_{io_.get_executor(), [](const std::string& what) {
                     std::fprintf(stderr, "%s\n", what.c_str());
                     must(false, "no background task fails");
                   }};
};

}  // namespace spotkeeper
