// SPDX-License-Identifier: Apache-2.0
// The ECS calls we make, and trimmed records of what they answer. The Client must outlive the call;
// errors as in aws/client.h; `at_most` is the time for all of it, its pages included.
//
// Calls on many things answer what was found and, apart from it, why the others were not: that is
// ECS's `failures` ("MISSING": there is no such thing, or no longer), which is no Error.
// A list that is too long for one call is sent in several (100 a call; 10 services, 10 instances to
// be set): the first call that fails ends it. An empty list is no call and an empty answer.
// Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "base/clock.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct EcsFailure {
  std::string arn;
  std::string reason;  // "MISSING", "INACTIVE"; empty when ECS gave none
  std::string detail;
};

template <class T>
struct Described {
  std::vector<T> found;
  std::vector<EcsFailure> failures;
};

struct ContainerInstance {
  std::string arn;
  std::string ec2_instance_id;
  std::string
      status;  // ACTIVE, DRAINING, REGISTERING, DEREGISTERING, REGISTRATION_FAILED, INACTIVE
  std::string status_reason;
  bool agent_connected = false;
  int64_t running_tasks = 0;
  int64_t pending_tasks = 0;
  std::string capacity_provider;  // empty: none
  // Custom ones, not those that ECS and its agent set ("ecs.…", "com.amazonaws.…").
  std::map<std::string, std::string> attributes;
};

// Where a container's port is reached on the host.
struct NetworkBinding {
  int64_t container_port = 0;
  int64_t host_port = 0;
  std::string protocol;  // "tcp"
};

struct EcsContainer {
  std::string name;
  std::string last_status;
  std::string health;                // HEALTHY, UNHEALTHY, UNKNOWN
  std::optional<int64_t> exit_code;  // once it has ended
  std::string reason;
  std::vector<NetworkBinding> bindings;
  std::vector<std::string> private_ips;  // awsvpc: of its network interface
};

struct EcsTask {
  std::string arn;
  std::string cluster_arn;
  std::string container_instance_arn;
  std::string task_definition_arn;
  std::string group;       // "service:web", "family:job"
  std::string started_by;  // "ecs-svc/123": a service's deployment; else whoever ran it
  std::string launch_type;
  std::string last_status;     // PROVISIONING … RUNNING, DEACTIVATING, STOPPING … STOPPED
  std::string desired_status;  // RUNNING, STOPPED
  std::string health;
  std::string stop_code;  // empty while it is not stopped
  std::string stopped_reason;
  int64_t version = 0;  // grows with every change
  std::optional<Time> created;
  std::optional<Time> started;
  std::optional<Time> stopping;
  std::optional<Time> stopped;
  std::vector<EcsContainer> containers;

  // Of the service that keeps it; empty for a standalone task.
  std::string service() const;
};

struct ContainerDefinition {
  std::string name;
  bool essential = true;
  std::optional<int64_t> stop_timeout_s;  // nullopt: what the host's agent says (30 s)
};

struct EcsTaskDefinition {
  std::string arn;
  std::string family;
  std::string network_mode;  // awsvpc, bridge, host, none; empty: bridge
  std::vector<ContainerDefinition> containers;
};

struct EcsLoadBalancer {
  std::string target_group_arn;  // empty: a classic load balancer
  std::string classic_name;
  std::string container_name;
  int64_t container_port = 0;
};

struct EcsDeployment {
  std::string id;
  std::string status;  // PRIMARY, ACTIVE, INACTIVE
  std::string rollout_state;
  std::string task_definition_arn;
  int64_t desired = 0;
  int64_t pending = 0;
  int64_t running = 0;
};

struct EcsService {
  std::string arn;
  std::string name;
  std::string status;      // ACTIVE, DRAINING, INACTIVE
  std::string scheduling;  // REPLICA, DAEMON
  std::string controller;  // ECS, CODE_DEPLOY, EXTERNAL; ECS where it says nothing
  std::string task_definition_arn;
  int64_t desired = 0;
  int64_t pending = 0;
  int64_t running = 0;
  int64_t minimum_healthy_percent = 100;
  int64_t maximum_percent = 200;
  std::vector<EcsLoadBalancer> load_balancers;
  std::vector<EcsDeployment> deployments;
};

// All are conditions that must hold; an empty one is none. An empty cluster is "default".
struct ContainerInstanceQuery {
  std::string cluster;
  std::string filter;  // ECS's cluster query language: "ec2InstanceId == i-0123"
  std::string status;  // ACTIVE, DRAINING …
};
// ARNs.
Task<Result<std::vector<std::string>>> list_container_instances(Client& client,
                                                                ContainerInstanceQuery query,
                                                                Millis at_most = kCallTime);

// `ids` are ids or full ARNs.
Task<Result<Described<ContainerInstance>>> describe_container_instances(
    Client& client, std::string cluster, std::vector<std::string> ids, Millis at_most = kCallTime);

// `status` is ACTIVE or DRAINING; answers the instances as they are now.
Task<Result<Described<ContainerInstance>>> update_container_instances_state(
    Client& client, std::string cluster, std::vector<std::string> ids, std::string status,
    Millis at_most = kCallTime);

// A custom attribute of a container instance (its ARN), new or replaced; an instance has 10 at
// most. A name is of 1 to 128 letters, digits and "-_/\.", a value may hold "@: " as well, but no
// space at its ends (API reference, Attribute). An instance that is not there is kGone.
Task<Result<void>> put_attribute(Client& client, std::string cluster, std::string arn,
                                 std::string name, std::string value, Millis at_most = kCallTime);

// Of one that is there, as DescribeContainerInstances says.
Task<Result<void>> delete_attribute(Client& client, std::string cluster, std::string arn,
                                    std::string name, Millis at_most = kCallTime);

// `force`: also while tasks run on it; they become orphans that ECS no longer counts.
Task<Result<ContainerInstance>> deregister_container_instance(Client& client, std::string cluster,
                                                              std::string id, bool force,
                                                              Millis at_most = kCallTime);

struct TaskQuery {
  std::string cluster;
  std::string container_instance;  // id or ARN
  std::string service;
  std::string desired_status;  // RUNNING (what ECS takes when it is empty), STOPPED
};
// ARNs. A task that is told to stop is listed under STOPPED only, while its containers still run.
Task<Result<std::vector<std::string>>> list_tasks(Client& client, TaskQuery query,
                                                  Millis at_most = kCallTime);

Task<Result<Described<EcsTask>>> describe_tasks(Client& client, std::string cluster,
                                                std::vector<std::string> ids,
                                                Millis at_most = kCallTime);

// `reason` is seen in the task's stoppedReason; cut to 255 characters. A task that is not there
// any more is kGone.
Task<Result<EcsTask>> stop_task(Client& client, std::string cluster, std::string id,
                                std::string reason, Millis at_most = kCallTime);

// `id` is family:revision or an ARN.
Task<Result<EcsTaskDefinition>> describe_task_definition(Client& client, std::string id,
                                                         Millis at_most = kCallTime);

Task<Result<Described<EcsService>>> describe_services(Client& client, std::string cluster,
                                                      std::vector<std::string> names,
                                                      Millis at_most = kCallTime);

// The same task definition again, by new tasks: "replacement first" of a service.
Task<Result<EcsService>> force_new_deployment(Client& client, std::string cluster,
                                              std::string service, Millis at_most = kCallTime);

// What the answers are decoded with; pure. An Error (kPermanent) names what is missing.
Result<ContainerInstance> decode_container_instance(const boost::json::value& object);
Result<EcsTask> decode_task(const boost::json::value& object);
Result<EcsTaskDefinition> decode_task_definition(const boost::json::value& object);
Result<EcsService> decode_service(const boost::json::value& object);

}  // namespace spotkeeper::aws
