// SPDX-License-Identifier: Apache-2.0
// Which container instance a host is. On the host itself the ECS agent's introspection says so;
// from elsewhere it is found by its ARN or by its EC2 instance id. ECS's filters are not believed:
// an instance counts only when the answer itself bears that `ec2InstanceId`.
//
// Failures: as aws/client.h; kGone where the cluster has no such container instance.
// Source: ECS developer guide, "Amazon ECS container introspection"; API reference,
// ListContainerInstances, DescribeContainerInstances.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "aws/ecs.h"
#include "base/result.h"
#include "http/client.h"

namespace spotkeeper::ecs {

inline constexpr const char* kIntrospectionUrl = "http://localhost:51678";

// What the ECS agent of this host says of itself.
struct Introspection {
  std::string cluster;       // name or ARN
  std::string instance_arn;  // of the container instance; empty while it is not registered
};

Task<Result<Introspection>> introspect(http::Client& client, std::string base_url,
                                       Millis at_most = Millis(2'000));

// The body of an answer. Pure.
Result<Introspection> decode_introspection(const std::string& body);

// A container instance where it is known to be.
struct Instance {
  std::string cluster;
  aws::ContainerInstance facts;
};

// "prod" of arn:…:container-instance/prod/0123 (empty where the ARN is of the short, old form).
std::string cluster_of(const std::string& instance_arn);

// "0123" of the same.
std::string short_id(const std::string& arn);

// Whether an empty answer to the filter for an EC2 instance id is believed: all of the cluster is
// looked through otherwise, which is many calls in a large one.
enum class Silence { kBelieved, kDoubted };

// `host`: an ARN, the id at its end, or an EC2 instance id ("i-…").
Task<Result<Instance>> find_instance(aws::Client& client, std::string cluster, std::string host,
                                     Millis at_most = aws::kCallTime,
                                     Silence silence = Silence::kDoubted);

// For who looks again and again: what it makes of silence at its attempt, the first of which is 1.
// A host that has just started is not there yet, and its cluster's ECS is asked by others, too: at
// the 4th, 8th, 16th … attempt.
Silence silence_at(int attempt);

// Of those, which is meant by that EC2 instance id: one that is alive rather than one that is not,
// one whose agent is connected rather than a registration that was left behind. nullptr: none.
const aws::ContainerInstance* choose(const std::vector<aws::ContainerInstance>& found,
                                     const std::string& ec2_instance_id);

}  // namespace spotkeeper::ecs
