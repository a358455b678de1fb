// SPDX-License-Identifier: Apache-2.0
// What there is in AWS of what a plan needs; reads only.
#pragma once

#include "async/task.h"
#include "aws/client.h"
#include "base/result.h"
#include "bootstrap/check.h"
#include "bootstrap/plan.h"

namespace spotkeeper::app {

// The client must outlive it. What does not exist is no Error; what may not be read is.
Task<Result<bootstrap::Seen>> look_at_aws(aws::Client& client, bootstrap::Plan plan);

Task<Result<std::optional<bootstrap::SeenQueue>>> look_at_queue(aws::Client& client,
                                                                std::string name, std::string arn);

// nullopt: there is no such rule.
Task<Result<std::optional<bootstrap::SeenRule>>> look_at_rule(aws::Client& client,
                                                              std::string name);
Task<Result<std::optional<bootstrap::SeenTopic>>> look_at_topic(aws::Client& client,
                                                                std::string arn);
Task<Result<bootstrap::SeenGroup>> look_at_group(aws::Client& client, std::string name);

}  // namespace spotkeeper::app
