// SPDX-License-Identifier: Apache-2.0
// For a person who undoes a drain: pods that were taken out of their Deployment and are still on
// the node get their owner back. Which of its pods the ReplicaSet then has too many of is its own
// choice: those that are not Ready first. The Api must outlive the call.
#pragma once

#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "kube/api.h"

namespace spotkeeper::effects {

// "put back: shop/web-7d9f-x2x"; empty when there was none. A node whose mark is not a person's to
// take back is left alone (see keeps_mark).
Task<Result<std::string>> put_back_released(kube::Api& api, std::string node, Time now);

}  // namespace spotkeeper::effects
