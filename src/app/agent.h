// SPDX-License-Identifier: Apache-2.0
// `spotkeeper agent`: instance metadata of its own host in, that host drained. Wires the sources,
// the core, the effects and the log together, and knows the order of shutdown.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "app/platform.h"
#include "async/task.h"
#include "base/clock.h"
#include "config/agent_options.h"
#include "core/drain.h"
#include "kube/access.h"
#include "observe/log.h"

namespace spotkeeper::app {

class Agent {
 public:
  // Everything that is referred to must outlive the agent. `journal`: told of each entry beside
  // the log; may be empty.
  Agent(boost::asio::any_io_executor executor, const config::AgentOptions& options,
        kube::Access access, HostClock& clock, observe::Log& log,
        std::function<void(const core::Entry&)> journal = {});
  // The same where its host is managed by another place.
  Agent(boost::asio::any_io_executor executor, const config::AgentOptions& options,
        const MakePlatform& platform, HostClock& clock, observe::Log& log,
        std::function<void(const core::Entry&)> journal = {});
  ~Agent();

  // Binds the metrics port, where one is asked for: that it cannot be had is the only failure.
  Result<void> listen();

  // Until end(): then polling stops, a drain that runs is finished, and run() returns.
  Task<> run();
  void end();
  void end_at_once();  // without finishing the drain

  bool busy() const;                 // a drain runs
  const core::Drain* drain() const;  // of this host; nullptr while there is none
  bool failed() const;               // by a bug of our own

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

// Runs until SIGTERM or SIGINT. Exit status: 0 after an orderly end, 1 after a failure of our own,
// 2 when an option or a file it names is wrong.
int run_agent(const config::AgentOptions& options);

}  // namespace spotkeeper::app
