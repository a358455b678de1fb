// SPDX-License-Identifier: Apache-2.0
// The only way to start a task. A group owns its tasks: it names them, counts them, latches the
// first failure, cancels them and can be joined. It must outlive its tasks; its destructor demands
// that all have ended (join first). One thread; not thread safe.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "async/task.h"

namespace spotkeeper {

class TaskGroup {
 public:
  // Called when a task ends by an exception other than cancellation: a bug. Gets "name: what".
  using OnFailure = std::function<void(const std::string&)>;

  explicit TaskGroup(boost::asio::any_io_executor executor, OnFailure on_failure = {});
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts a task. After cancel() a new task is cancelled at once.
  void spawn(std::string name, Task<> task);

  // Asks every task to stop: its current await ends with operation_aborted.
  void cancel();

  // Asks the tasks of that name to stop.
  void cancel(const std::string& name);

  // Returns when no task is left.
  Task<> join();

  size_t size() const;

  // Empty, or "name: what" of the first task that failed.
  const std::string& first_failure() const { return first_failure_; }

  boost::asio::any_io_executor executor() const { return executor_; }

 private:
  struct Member;
  void ended(std::list<std::unique_ptr<Member>>::iterator member, std::exception_ptr failure);

  boost::asio::any_io_executor executor_;
  OnFailure on_failure_;
  std::list<std::unique_ptr<Member>> members_;
  std::string first_failure_;
  bool cancelled_ = false;
  struct Waiter;
  std::unique_ptr<Waiter> waiter_;
};

}  // namespace spotkeeper
