// SPDX-License-Identifier: Apache-2.0
// One run at a time of what many want the outcome of (fetching a credential): who comes meanwhile
// waits for it. Knows how runs went: after one that failed none is worth a caller's wait for 2 s,
// and renewals in the background pause ever longer. Owned by whoever runs; waiting tasks must not
// outlive it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <list>
#include <optional>

#include "async/task.h"
#include "async/timing.h"
#include "base/clock.h"
#include "base/result.h"

namespace spotkeeper {

class SharedRun {
 public:
  // `longest_pause` between renewals that fail; `longest_run`: no waiter waits for more, in real
  // time.
  SharedRun(boost::asio::any_io_executor executor, Millis longest_pause, Millis longest_run);

  // It runs while this lives; however that ends, those who wait go on.
  class Running {
   public:
    explicit Running(SharedRun& run);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    SharedRun& run_;
  };

  bool runs() const { return running_; }
  bool may_renew() const;  // it does not run, and the pause after a failure is over
  Task<> wait();           // for the run to end

  void succeeded();
  void failed(Error error);

  const std::optional<Error>& failure() const { return failure_; }  // of the last run
  bool failed_just_now() const;
  bool first_failure() const { return failures_ == 1; }  // in a row

 private:
  using Steady = std::chrono::steady_clock;

  boost::asio::any_io_executor executor_;
  const Millis longest_pause_;
  const Millis longest_run_;
  bool running_ = false;
  std::list<Event*> waiting_;
  std::optional<Error> failure_;
  int failures_ = 0;  // in a row
  Steady::time_point failed_at_;
  Steady::time_point renew_again_at_;
};

}  // namespace spotkeeper
