// SPDX-License-Identifier: Apache-2.0
// What a queue or a policy that is there must be changed in, so that it does what queue mode needs,
// and in nothing else. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

#include "bootstrap/check.h"
#include "bootstrap/plan.h"

namespace spotkeeper::bootstrap {

// Attributes of a new queue, as SQS names them.
std::map<std::string, std::string> queue_attributes(const Plan& plan);
std::map<std::string, std::string> dead_queue_attributes(const Plan& plan);

// Of a queue that exists: those that have to be set; none when it does. Somebody's longer
// retention, own key, or other statements of its policy stay.
std::map<std::string, std::string> queue_changes(const Plan& plan, const SeenQueue& queue);

// The document with our statements in it, by their Sids, and all others as they were.
std::string merged_policy(const std::string& there, const boost::json::object& ours);

// Whether two documents say the same, however they are written.
bool same_document(const std::string& there, const boost::json::object& ours);

}  // namespace spotkeeper::bootstrap
