// SPDX-License-Identifier: Apache-2.0
// The lifecycle hooks of Auto Scaling that wait for us: heartbeats while a host is drained, and the
// completion at the end. A hook that does not wait any more is no failure. Owned by the Queue; what
// it is given must outlive it, and its tasks belong to the group.
// Source: EC2 Auto Scaling user guide, "Complete a lifecycle action", "lifecycle hooks".
#pragma once

#include <map>
#include <optional>
#include <string>

#include "async/task_group.h"
#include "aws/autoscaling.h"
#include "aws/client.h"
#include "base/clock.h"
#include "base/counters.h"
#include "observe/log.h"

namespace spotkeeper::app {

class LifecycleHooks {
 public:
  struct Options {
    Seconds interval{0};     // between heartbeats, and shorter where the hook needs it; 0: none
    Seconds until{172'800};  // from the first moment on
    Seconds completion_delay{0};  // heartbeats go on meanwhile
    bool dry_run = false;
  };

  LifecycleHooks(TaskGroup& group, aws::Client& client, const Clock& clock, Options options,
                 Counters& counters, observe::Log& log);

  // Heartbeats for it from now on, until it is completed.
  void begin(const aws::LifecycleAction& action);

  // How long the hook waits from its beginning on, with our heartbeats; nothing where that cannot
  // be found out.
  Task<std::optional<Seconds>> patience(aws::LifecycleAction action);

  // Until it is done, or nothing waits any more; tried again as long as that takes. `result` is
  // CONTINUE or ABANDON.
  Task<> complete(aws::LifecycleAction action, std::string result);

 private:
  Task<> beat(aws::LifecycleAction action);
  Task<std::optional<aws::LifecycleHook>> describe(aws::LifecycleAction action);
  static std::string name_of(const aws::LifecycleAction& action);

  TaskGroup& group_;
  aws::Client& client_;
  const Clock& clock_;
  Options options_;
  Counters& counters_;
  observe::Log& log_;
  std::map<std::string, std::vector<aws::LifecycleHook>> hooks_;  // by group
};

}  // namespace spotkeeper::app
