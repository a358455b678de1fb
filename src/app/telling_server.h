// SPDX-License-Identifier: Apache-2.0
// The ports for Prometheus and the kubelet. As with NTH each port that is open serves all that is
// switched on, so that either may be scraped or probed. What it refers to must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "async/task_group.h"
#include "config/telling.h"
#include "http/server.h"
#include "observe/log.h"

namespace spotkeeper::app {

class TellingServer {
 public:
  struct Answers {
    std::function<std::string()> metrics;
    std::function<std::string()> stuck;    // empty: alive
    std::function<std::string()> unready;  // empty: ready
  };
  TellingServer(const config::Telling& options, Answers answers);

  // That a port cannot be had is the only failure.
  Result<void> listen(TaskGroup& work);
  void start(TaskGroup& work, observe::Log& log);

 private:
  Result<void> listen_at(int port, const char* option, TaskGroup& work);
  Task<http::ServerResponse> answer(http::ServerRequest request);

  const config::Telling& options_;
  Answers answers_;
  std::vector<std::unique_ptr<http::Server>> servers_;
};

}  // namespace spotkeeper::app
