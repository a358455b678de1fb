// SPDX-License-Identifier: Apache-2.0
// All that the agent tells beside its log: webhook, metrics, probes, Kubernetes events, and NTH's
// own log lines. Made from the journal and the notices; nothing of it holds up a drain. Owned by
// the Agent; what is referred to must outlive it, and its tasks belong to the `work` group.
#pragma once

#include <memory>

#include "app/platform.h"
#include "aws/imds.h"
#include "config/agent_options.h"

namespace spotkeeper::app {

struct TellingPlace {
  TaskGroup& work;
  const HostClock& clock;
  Counters& counters;
  observe::Log& log;
  aws::ImdsClient& imds;
  std::function<const core::Drain*()> drain;  // of our host; nullptr while there is none
};

class Telling {
 public:
  Telling(const config::AgentOptions& options, TellingPlace place);
  ~Telling();

  // Reads the webhook's template and binds the ports of what is asked for. That an option cannot be
  // had is the only failure.
  Result<void> prepare();

  // The platform must outlive it, too.
  void start(Platform& platform);

  // The journal, entry by entry.
  void noted(const core::Entry& entry);

  // A poll for notices has ended.
  void polled(bool well);

  // A poll for notices of that kind failed, as often in a row.
  void poll_failed(core::NoticeKind kind, const Error& error, int in_a_row);

  // The node, at our start, for that event has been.
  void uncordoned(const core::NoticeId& event);

  void finished(const core::Drain& drain);

  // Until all that is under way is told; to be given so long as there is.
  Task<> settle();

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace spotkeeper::app
