// SPDX-License-Identifier: Apache-2.0
// Queue mode: hears of every instance by an SQS queue, and drains any node of one cluster. Owns all
// that is needed for it; one for each process. docs/queue.md.
//
// Several processes may read one queue: a message is one process's, and a node is drained by the
// one that its record names (effects/holders.h); no leader is elected. What one leaves unfinished,
// another goes on with by the node's record.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "app/aws_access.h"
#include "async/task.h"
#include "base/clock.h"
#include "config/queue_options.h"
#include "kube/access.h"
#include "observe/log.h"

namespace spotkeeper::app {

class Queue {
 public:
  // The options, the clock and the log must outlive it.
  Queue(boost::asio::any_io_executor executor, const config::QueueOptions& options,
        kube::Access access, HostClock& clock, observe::Log& log);
  ~Queue();

  // Before run(): finds the way to AWS, binds the ports that are asked for. An Error is a wrong
  // option or environment.
  Result<void> prepare();

  // Until end(); then what is in hand is given to others.
  Task<> run();

  // Nothing new is begun; messages and hosts in hand are given to other processes, at once.
  void end();

  // A task failed, which is a bug.
  bool failed() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

int run_queue(const config::QueueOptions& options);

}  // namespace spotkeeper::app
