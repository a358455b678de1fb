// SPDX-License-Identifier: Apache-2.0
// The credential of an exec plugin, kept in memory: the plugin runs when there is none, shortly
// before it expires, and when the server refused it. Owned by Api; its tasks must not outlive it.
//
// One run at a time, shared by all. Who asks while there is a valid credential gets it at once: it
// is renewed in the background, and swapped when the new one is there. Only without a valid one do
// callers wait for the run, and get its error (as in kube/exec_plugin.h); it is not tried again for
// 2 s then. A renewal that fails is tried again at growing pauses, told of once in a row, and
// nobody's failure.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "async/shared_run.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/result.h"
#include "kube/exec_plugin.h"

namespace spotkeeper::kube {

class PluginCredential {
 public:
  using Shared = std::shared_ptr<const ExecCredential>;
  using WallClock = std::function<Time()>;  // expiry is a time of the wall clock
  using OnFailure = std::function<void(const Error&)>;

  static Time wall_now();
  PluginCredential(boost::asio::any_io_executor executor, ExecPlugin plugin,
                   WallClock now = wall_now);

  // Where renewals run, and who is told of the first in a row that fails. The group's tasks must
  // end before this does. Until it is called nothing is renewed before it has expired.
  void renew_in(TaskGroup& tasks, OnFailure on_failure);

  Task<Result<Shared>> get();

  // The server refused it: the next get() answers another one.
  void refused(const Shared& used);

 private:
  bool is_fresh(Time now) const;
  bool is_valid(Time now) const;
  void keep(ExecCredential credential);
  void start_renewal();
  Task<> renew(std::unique_ptr<SharedRun::Running> running);
  Task<> run();

  ExecPlugin plugin_;
  WallClock now_;
  TaskGroup* renewals_ = nullptr;
  OnFailure on_failure_;
  Shared current_;
  Time renew_at_ = kNever;
  SharedRun runs_;
};

}  // namespace spotkeeper::kube
