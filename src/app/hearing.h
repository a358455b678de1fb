// SPDX-License-Identifier: Apache-2.0
// What the agent hears: every document of its own host's instance metadata that its options ask
// for, each by a poller of its own, all by one client. Knows which notices hold, so that when one
// is over another may go on; decides nothing else. Owned by the Agent; its tasks belong to the
// group, which must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "async/timing.h"
#include "aws/imds.h"
#include "base/counters.h"
#include "config/agent_options.h"
#include "observe/log.h"
#include "sources/poller.h"
#include "sources/scheduled_notices.h"

namespace spotkeeper::app {

// Whether notices of this kind are acted on.
bool hears(const config::AgentOptions& options, core::NoticeKind kind);

class Hearing {
 public:
  struct Hooks {
    std::function<void(core::Notice)> notice;
    // What was announced will not be, or has been, and the host stays. `instead`: what still holds.
    std::function<void(core::NoticeId over, std::optional<core::Notice> instead)> over;
    std::function<void(Millis behind)> clock;  // by AWS's time; before the notice that says it
    // A look for notices of this kind.
    std::function<void(core::NoticeKind, const Error&, int in_a_row)> failed;
    std::function<void(bool well)> polled;  // a look has ended
  };

  // The options, the client, the clock, the counters and the log must outlive it.
  Hearing(TaskGroup& sources, const config::AgentOptions& options, aws::ImdsClient& imds,
          const Clock& clock, Counters& counters, observe::Log& log, Hooks hooks);

  // Spawns the pollers.
  void start();

  bool hears(core::NoticeKind kind) const { return app::hears(options_, kind); }
  bool hears_any() const { return !pollers_.empty(); }

  // What an earlier life of ours has recorded. True: it is to go on with at once. False: it is a
  // scheduled event, of which instance metadata may know better; told as a notice when that says
  // so, or says nothing.
  bool resume(const core::Notice& recorded);

  // The node has been looked at: scheduled events are polled from here on (or without it after some
  // seconds). `been`: that event has been, and is not heard while it is still listed; may be empty.
  void node_known(const core::NoticeId& been);

 private:
  void add(core::NoticeKind kind, std::unique_ptr<sources::Document> document, Millis period,
           std::function<void(bool good)> looked = {});
  void hear(core::Notice notice);
  void over(core::NoticeId id);
  void failed(const sources::Document* document, const Error& error, int in_a_row);
  void recovered(const sources::Document* document, int failures);
  void scheduled_looked(bool good);
  Task<> poll_scheduled(sources::Poller* poller);

  TaskGroup& sources_;
  const config::AgentOptions& options_;
  aws::ImdsClient& imds_;
  const Clock& clock_;
  Counters& counters_;
  observe::Log& log_;
  Hooks hooks_;
  sources::ScheduledNotices scheduled_;
  std::vector<std::unique_ptr<sources::Poller>> pollers_;
  sources::Poller* scheduled_poller_ = nullptr;  // of those
  std::map<core::NoticeId, core::Notice> hold_;
  std::optional<core::Notice> recorded_;            // a scheduled event, until it is decided
  const sources::Document* complaining_ = nullptr;  // of weather: it is all documents'
  std::set<const sources::Document*> odd_;          // that could not be understood
  Event node_known_;
};

}  // namespace spotkeeper::app
