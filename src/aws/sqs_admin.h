// SPDX-License-Identifier: Apache-2.0
// Queues themselves, for who sets them up (messages: aws/sqs.h). The Client must outlive the call;
// errors as in aws/client.h; a queue that does not exist is kGone.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
#pragma once

#include <map>
#include <string>

#include "async/task.h"
#include "aws/client.h"
#include "base/result.h"

namespace spotkeeper::aws {

// As SQS names them; values are text: {"MessageRetentionPeriod", "86400"}.
using Attributes = std::map<std::string, std::string>;

Task<Result<std::string>> queue_url_of(Client& client, std::string name);

// All of them.
Task<Result<Attributes>> queue_attributes(Client& client, std::string url);

// Answers its URL. A queue of that name with other attributes is kPermanent (QueueNameExists).
Task<Result<std::string>> create_queue(Client& client, std::string name, Attributes attributes);

Task<Result<void>> set_queue_attributes(Client& client, std::string url, Attributes attributes);

}  // namespace spotkeeper::aws
