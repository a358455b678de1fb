// SPDX-License-Identifier: Apache-2.0
// Topics and the queues that are subscribed to them. The Client must outlive the call; errors as in
// aws/client.h; a topic that does not exist is kGone.
// Source: https://docs.aws.amazon.com/sns/latest/api/
#pragma once

#include <map>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct Subscription {
  std::string arn;  // "PendingConfirmation" for as long as it is that
  std::string endpoint;
};

Task<Result<std::map<std::string, std::string>>> topic_attributes(Client& client, std::string arn);
Task<Result<std::vector<Subscription>>> subscriptions_of_topic(Client& client, std::string arn);

// Answers its ARN; a topic of that name is taken as it is.
Task<Result<std::string>> create_topic(Client& client, std::string name);
Task<Result<void>> set_topic_policy(Client& client, std::string arn, std::string policy);

// A queue, to which each message is sent as it was published.
Task<Result<void>> subscribe_queue(Client& client, std::string topic_arn, std::string queue_arn);

}  // namespace spotkeeper::aws
