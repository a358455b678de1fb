// SPDX-License-Identifier: Apache-2.0
// The credential of an exec plugin, kept in memory: the plugin runs when there is none, shortly
// before it expires, and when the server refused it. Owned by Api; its tasks must not outlive it.
//
// Calls that come while the plugin runs share that run; those that still hold a valid credential
// use it and do not wait. A failed run is not tried again for 2 s; while the last credential is
// valid the failure is nobody's. Errors as in kube/exec_plugin.h.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>

#include "async/task.h"
#include "async/timing.h"
#include "base/clock.h"
#include "base/result.h"
#include "kube/exec_plugin.h"

namespace spotkeeper::kube {

class PluginCredential {
 public:
  using Shared = std::shared_ptr<const ExecCredential>;

  PluginCredential(boost::asio::any_io_executor executor, ExecPlugin plugin);

  Task<Result<Shared>> get();

  // The server refused it: the next get() answers another one.
  void refused(const Shared& used);

 private:
  class Running;
  bool is_fresh(Time now) const;
  bool is_valid(Time now) const;
  void keep(ExecCredential credential);
  Task<> wait_for_run();

  boost::asio::any_io_executor executor_;
  ExecPlugin plugin_;
  Shared current_;
  Time renew_at_ = kNever;
  bool running_ = false;
  std::list<Event*> waiting_;  // for the run to end
  std::optional<Error> failure_;
  std::chrono::steady_clock::time_point failed_at_;
};

}  // namespace spotkeeper::kube
