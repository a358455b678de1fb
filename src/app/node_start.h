// SPDX-License-Identifier: Apache-2.0
// What the agent does with its Node at the start: takes back the mark of what has been when the
// host was rebooted, and says what the node is. The Api and what else is referred to must outlive
// the calls. Failures are logged, and never the end.
#pragma once

#include <string>

#include "async/task.h"
#include "aws/imds.h"
#include "base/clock.h"
#include "config/agent_options.h"
#include "core/notice.h"
#include "kube/api.h"
#include "kube/objects.h"
#include "observe/log.h"

namespace spotkeeper::app {

// First field of the file, whole seconds.
Result<Seconds> read_uptime(const std::string& file);

// `node`: as it was just read. Empty: nothing of the kind. Else the event that has been.
Task<core::NoticeId> undo_after_reboot(kube::Api& api, kube::Node node,
                                       const config::AgentOptions& options, const Clock& clock,
                                       observe::Log& log);

// Until it is done: label and taint as options.lifecycle wants them.
Task<> describe_lifecycle(kube::Api& api, aws::ImdsClient& imds,
                          const config::AgentOptions& options, observe::Log& log);

}  // namespace spotkeeper::app
