// SPDX-License-Identifier: Apache-2.0
// All that the agent tells beside its log: webhook, metrics, probes, Kubernetes events, and NTH's
// own log lines. Made from the journal and the notices; nothing of it holds up a drain. Owned by
// the Agent; what is referred to must outlive it, and its tasks belong to the `work` group.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/scene.h"
#include "async/task_group.h"
#include "aws/imds.h"
#include "base/clock.h"
#include "base/counters.h"
#include "config/agent_options.h"
#include "core/drain.h"
#include "observe/log.h"
#include "observe/metrics.h"

namespace spotkeeper::app {

struct TellingPlace {
  TaskGroup& work;
  const HostClock& clock;
  Counters& counters;
  observe::Log& log;
  std::function<const core::Drain*(const core::HostId&)> drain;  // nullptr while it has none
  // What notices are heard by, in NTH's words: "SPOT_ITN_MONITOR". Empty: nothing is polled.
  std::vector<const char*> monitors;
  Millis poll_at_most{60'000};      // a poll takes no longer; else it is stuck
  const char* hears_all = nullptr;  // the monitor of every notice; nullptr: each kind has its own
  const char* polled = "instance metadata";  // for people
  aws::ImdsClient* imds = nullptr;  // who our own host is; nullptr: each host's facts say it
  std::function<std::vector<observe::Reading>()> readings = {};  // more metrics
};

// NTH's monitors of what an agent polls, and how long one of its polls takes at most.
std::vector<const char*> monitors_of(const config::AgentOptions& options);
Millis longest_poll(const config::AgentOptions& options);

class Telling {
 public:
  Telling(const config::AgentOptions& options, TellingPlace place);
  ~Telling();

  // Reads the webhook's template and binds the ports of what is asked for. That an option cannot be
  // had is the only failure.
  Result<void> prepare();

  // The scene must outlive it, too.
  void start(Scene& scene);

  // The journal, entry by entry.
  void noted(const core::Entry& entry);

  // A poll for notices has ended.
  void polled(bool well);

  // A poll of that monitor (NTH's word) failed, as often in a row.
  void poll_failed(const char* monitor, const Error& error, int in_a_row);

  // The node, at our start, for that event has been.
  void uncordoned(const core::HostId& host, const core::NoticeId& event);

  void finished(const core::Drain& drain);

  // What waited for the drain's end is done: the message of its notice, and its lifecycle hook.
  void post_drained(const core::HostId& host, const core::NoticeId& notice);

  // The host is gone, or its drain long over.
  void forget(const core::HostId& host);

  // Until all that is under way is told; to be given so long as there is.
  Task<> settle();

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace spotkeeper::app
