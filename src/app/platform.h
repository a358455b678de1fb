// SPDX-License-Identifier: Apache-2.0
// What the agent needs of the place that manages its host: a Kubernetes cluster, or an ECS cluster.
// Each carries out the core's actions there and tells what happens. Owned by the Agent, which
// outlives every task that it starts.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/scene.h"
#include "async/task_group.h"
#include "aws/imds.h"
#include "base/clock.h"
#include "base/counters.h"
#include "core/drain.h"
#include "observe/log.h"

namespace spotkeeper::app {

// The agent, as a platform sees it.
struct PlatformHooks {
  std::function<void(const core::HostId&, core::Observation)> tell;
  // What an earlier life of ours has begun, by the record it left: it goes on.
  std::function<void(core::Notice)> resume;
  // The host has been looked at. That event has been, and the host was rebooted since; may be
  // empty.
  std::function<void(const core::NoticeId& been)> known;
  std::function<void(const core::Abilities&)> able;
};

struct PlatformPlace {
  TaskGroup& sources;  // stopped when no drain runs any more
  TaskGroup& work;     // stopped after it
  HostClock& clock;
  Counters& counters;
  observe::Log& log;
  aws::ImdsClient& imds;
  PlatformHooks hooks;
};

class Platform : public Scene {
 public:
  // The host we run on. Does not change once a drain of it has begun.
  virtual const core::HostId& host() const = 0;

  // Said at the start.
  virtual observe::Fields fields() const = 0;

  // Spawns what finds out who and where we are.
  virtual void start() = 0;

  virtual void carry_out(core::Action action) = 0;

  // A notice was heard, or has changed, and the core has been told.
  virtual void watch(const core::Notice& notice) = 0;

  // The core's sentences in this place's words.
  virtual std::string in_words(std::string text) const { return text; }

  // What the journal says.
  virtual void noted(const core::Entry&) {}

  virtual void finished(const core::Drain&) {}

  // Before the work group is cancelled: what must be done to its end.
  virtual Task<> settle() = 0;
};

using MakePlatform = std::function<std::unique_ptr<Platform>(PlatformPlace place)>;

}  // namespace spotkeeper::app
