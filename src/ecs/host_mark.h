// SPDX-License-Identifier: Apache-2.0
// DRAINING of container instances: sets it, knows where it was us, and takes back only that. What
// a drain that may be taken back has set is known after a restart, too: by the attribute that is
// written before it (drain_record.h). Owned by Ecs; every call is a few requests of ECS and is
// answered once, success or not.
//
// What was DRAINING before is somebody else's (the ECS agent's own draining, managed draining, a
// person): it is only completed, and never taken back.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "async/task.h"
#include "aws/client.h"
#include "core/action.h"
#include "core/host.h"
#include "core/journal.h"
#include "core/notice.h"
#include "ecs/instance.h"

namespace spotkeeper::ecs {

class HostMark {
 public:
  struct Hooks {
    std::function<void(const core::HostId&, core::Level, std::string)> say;
    // Why the host must not be made ACTIVE again though its drain is withdrawn; empty: nothing is
    // known to speak against it. Left out: nobody knows.
    std::function<Task<Result<std::string>>()> ends_anyway;
  };

  HostMark(aws::Client& client, Hooks hooks);

  // DRAINING. Answers what was found and done, for the journal.
  Task<Result<std::string>> set(core::HostId host, Instance instance, core::Notice notice);

  // ACTIVE again, if it was us.
  Task<Result<std::string>> take_back(core::HostId host, Instance instance);

 private:
  Task<> record(core::HostId host, Instance instance, core::Notice notice);

  aws::Client& client_;
  Hooks hooks_;
  std::set<core::HostId> set_by_us_;
  std::set<core::HostId> was_active_;  // when DRAINING was sent, which has no answer yet
  std::set<core::HostId> taken_back_;  // what record there still is says nothing
  std::map<core::HostId, std::string> recorded_;
  std::set<core::HostId> unrecorded_;  // that was said
};

// ACTIVE again at a person's word, whoever has set DRAINING; our record goes with it. Answers what
// was done.
Task<Result<std::string>> set_active(aws::Client& client, Instance instance);

// The record of a drain that is over. Tried a few times: left behind, it would make somebody else's
// DRAINING ours. Answers nothing, or in a sentence that it is still there.
Task<std::string> forget_drain(aws::Client& client, Instance instance);

}  // namespace spotkeeper::ecs
