// SPDX-License-Identifier: Apache-2.0
// The calls to EC2 that we make, and trimmed records of what they answer. The Client must outlive
// the call; errors as in aws/client.h; `at_most` is the time for all of it, its pages included.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/
#pragma once

#include <map>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "aws/xml.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct Ec2Instance {
  std::string id;
  std::string state;             // pending, running, shutting-down, terminated, stopping, stopped
  std::string private_dns_name;  // empty once it is terminated
  std::string zone;
  std::string type;
  std::string lifecycle;  // "spot", "scheduled", "capacity-block"; empty: On-Demand
  std::map<std::string, std::string> tags;
};

// "i-" and at least one hexadecimal digit in small letters, 64 at most: what may be asked for.
bool is_instance_id(const std::string& text);

// In hundreds. What EC2 does not know, or what is no id, is not among the answers: asked for by a
// filter, for InstanceId.N is refused as a whole when one id is unknown.
Task<Result<std::vector<Ec2Instance>>> describe_instances(Client& client,
                                                          std::vector<std::string> ids,
                                                          Millis at_most = kCallTime);

// Ids of all instances in the region that have a tag of that key, whatever their state.
Task<Result<std::vector<std::string>>> describe_tagged_instances(Client& client,
                                                                 std::string tag_key,
                                                                 Millis at_most = kCallTime);

// All or none; an unknown one is kGone. One that is terminated already is no error. No ids: no
// call.
Task<Result<void>> terminate_instances(Client& client, std::vector<std::string> ids,
                                       Millis at_most = kCallTime);

// What an answer is decoded with; pure. An Error (kPermanent) names what is missing.
Result<std::vector<Ec2Instance>> decode_instances(const Xml& answer);

}  // namespace spotkeeper::aws
