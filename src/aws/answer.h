// SPDX-License-Identifier: Apache-2.0
// Answers of AWS taken apart: successes into JSON or XML, refusals into code, message and request
// id, and those into an Error. Pure.
// Source: the Smithy documents on the awsJson, awsQuery, ec2Query and "awsQueryCompatible" forms.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/service.h"
#include "aws/xml.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"
#include "http/message.h"

namespace spotkeeper::aws {

// What a service said instead of doing it; each part may be empty.
struct Refusal {
  std::string code;  // "ClusterNotFoundException", without a name space
  std::string message;
  std::string request_id;
};
Refusal read_refusal(Protocol protocol, const http::Response& answer);

// The Error of a refusal; kinds as in aws/client.h. `what` is "ecs DescribeTasks". No secret of
// `secrets` gets into its message: AWS repeats what was signed when a signature does not match.
Error refusal_error(const std::string& what, int status, const Refusal& refusal,
                    const std::vector<Secret>& secrets);

// What a successful answer holds. An Error (kRetryable: whoever answered was not AWS) when it is
// not of that form.
Result<boost::json::value> read_json(const std::string& what, const std::string& body);
// The element <ActionResult>; an empty element where the action has none.
Result<Xml> read_query(const std::string& what, const std::string& action, const std::string& body);
// EC2's answer, the element <ActionResponse>, without the instances' network interfaces: a node of
// EKS has hundreds of addresses, which would be most of it.
Result<Xml> read_ec2(const std::string& what, const std::string& action, const std::string& body);

// How long the answer asks to wait: x-amz-retry-after (milliseconds), else Retry-After (seconds, or
// a date, which counts from the answer's Date); 0 when it does not.
Millis asked_pause(const http::Headers& headers);

// Digits alone, as AWS writes numbers in XML and in attributes; nullopt for all else.
std::optional<int64_t> whole_number(const std::string& text);

}  // namespace spotkeeper::aws
