// SPDX-License-Identifier: Apache-2.0
// The policy documents: who may send to the queue and to the topic, what the queue's process may
// do, and who may be it. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "bootstrap/plan.h"

namespace spotkeeper::bootstrap {

// Statements have these Sids, by which --create finds and replaces its own.
inline constexpr const char* kSendSid = "SpotkeeperHears";
inline constexpr const char* kTlsSid = "SpotkeeperTlsOnly";

// Who sends may send, over TLS: EventBridge for rules of this account and region, or the router's
// topic. Any rule of the account, so that rules of other makers (another name, NTH's) are not cut
// off; what it gets is judged by its content.
// A hook that sends straight to the queue does so as a role of this account, which needs
// sqs:SendMessage itself and nothing here.
// Source: EventBridge user guide, "Amazon SQS permissions"; SNS developer guide.
boost::json::object queue_policy(const Wish& wish, const Place& place, const std::string& arn);

// Without a condition: EventBridge's guide allows none in a topic's policy.
boost::json::object topic_policy(const std::string& arn);

// Of the process. What only describes cannot be narrowed to a resource.
// Source: service authorization reference of SQS, EC2 and EC2 Auto Scaling.
boost::json::object process_policy(const Wish& wish, const Place& place,
                                   const std::string& queue_arn);

// Of the process' role.
boost::json::object trust_policy(const Wish& wish, const Place& place);

}  // namespace spotkeeper::bootstrap
