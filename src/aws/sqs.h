// SPDX-License-Identifier: Apache-2.0
// The calls to a queue (SQS) that we make, and trimmed records of what they answer. The Client must
// outlive the call; errors as in aws/client.h, and: a queue that does not exist is kGone, too many
// messages in flight (OverLimit) is kRetryable.
//
// Calls go to the endpoint of the client's region (or to the configured one) and name the queue's
// URL in their body, as today's SDKs do; the host in that URL is not called. So a queue of another
// region is not found: compare region_of_queue() with Client::region() first.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "base/clock.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct SqsMessage {
  std::string id;       // MessageId: the same at every delivery
  std::string receipt;  // ReceiptHandle: of this delivery; what it is deleted by
  std::string body;
  Time sent{};       // SentTimestamp; the epoch when it is not said
  int receives = 0;  // ApproximateReceiveCount, this one included; 0 when it is not said
};

struct SqsReceive {
  std::string queue_url;
  int at_most = 10;        // messages, 1 to 10
  Seconds wait{20};        // for the first of them, 0 to 20
  Seconds visibility{20};  // so long nobody else gets them
};

// A long poll; no messages is an empty answer. It may take 15 s more than `wait`, retries included;
// a retry that could not wait out its poll is not begun. A poll whose answer is lost may have taken
// messages: they are seen again after `visibility`.
// An answer larger than 6 MiB is not read: one message is asked for instead, which is never that
// large; the others are seen again after `visibility`, in other company. They hold up nobody.
Task<Result<std::vector<SqsMessage>>> receive_messages(Client& client, SqsReceive what);

// A message of a batch that SQS refused.
struct SqsFailure {
  std::string receipt;
  std::string code;  // "ReceiptHandleIsInvalid"; "NotAnswered" when SQS did not speak of it
  std::string message;
  bool for_good = false;  // SenderFault: it would be refused again
};

// In tens; the first call that fails ends it, and all may be repeated. Those that are not among the
// failures are done. A message that is deleted already is no failure.
Task<Result<std::vector<SqsFailure>>> delete_messages(Client& client, std::string queue_url,
                                                      std::vector<std::string> receipts,
                                                      Millis at_most = kCallTime);

// Nobody else gets them for so long from now on; 0: at once. The rest as above.
Task<Result<std::vector<SqsFailure>>> change_visibility(Client& client, std::string queue_url,
                                                        std::vector<std::string> receipts,
                                                        Seconds visibility,
                                                        Millis at_most = kCallTime);

// "eu-west-1" of https://sqs.eu-west-1.amazonaws.com/123456789012/queue; likewise of FIPS, dual-
// stack and VPC endpoints, of the legacy hosts (eu-west-1.queue.amazonaws.com, and
// queue.amazonaws.com, which is us-east-1) and of other partitions. Empty for every other host.
std::string region_of_queue(const std::string& url);

// What an answer is decoded with; pure. An Error (kPermanent) when a message has no receipt.
Result<std::vector<SqsMessage>> decode_messages(const boost::json::value& answer);

}  // namespace spotkeeper::aws
