// SPDX-License-Identifier: Apache-2.0
// What ECS answers, as records.
#include <boost/json/value.hpp>
#include <cmath>
#include <string_view>

#include "aws/ecs.h"
#include "base/json.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;

constexpr double kLastSecond = 253'402'300'799.0;  // of the year 9999
constexpr std::string_view kServiceGroup = "service:";

// Seconds since 1970, with a fraction.
std::optional<Time> time_at(const json::value& object, std::string_view key) {
  const json::value* at = find(object, {key});
  if (at == nullptr || !at->is_number()) return std::nullopt;
  boost::system::error_code failed;
  const auto seconds = at->to_number<double>(failed);
  if (failed || !(seconds >= 0.0 && seconds <= kLastSecond)) return std::nullopt;
  return Time(Millis(std::llround(seconds * 1000.0)));
}

// Calls `add` with each object of the list at `key`.
template <class Add>
void each_of(const json::value& object, std::string_view key, Add add) {
  const json::array* list = find_array(object, {key});
  if (list == nullptr) return;
  for (const json::value& each : *list) {
    if (each.is_object()) add(each);
  }
}

EcsContainer container_of(const json::value& object) {
  EcsContainer container{.name = text_at(object, {"name"}),
                         .last_status = text_at(object, {"lastStatus"}),
                         .health = text_at(object, {"healthStatus"}),
                         .exit_code = maybe_number_at(object, {"exitCode"}),
                         .reason = text_at(object, {"reason"}),
                         .bindings = {},
                         .private_ips = {}};
  each_of(object, "networkBindings", [&](const json::value& binding) {
    container.bindings.push_back({.container_port = number_at(binding, {"containerPort"}),
                                  .host_port = number_at(binding, {"hostPort"}),
                                  .protocol = text_at(binding, {"protocol"})});
  });
  each_of(object, "networkInterfaces", [&](const json::value& face) {
    for (const char* key : {"privateIpv4Address", "ipv6Address"}) {
      if (std::string ip = text_at(face, {key}); !ip.empty()) {
        container.private_ips.push_back(std::move(ip));
      }
    }
  });
  return container;
}

EcsDeployment deployment_of(const json::value& object) {
  return {.id = text_at(object, {"id"}),
          .status = text_at(object, {"status"}),
          .rollout_state = text_at(object, {"rolloutState"}),
          .task_definition_arn = text_at(object, {"taskDefinition"}),
          .desired = number_at(object, {"desiredCount"}),
          .pending = number_at(object, {"pendingCount"}),
          .running = number_at(object, {"runningCount"})};
}

}  // namespace

std::string EcsTask::service() const {
  return group.starts_with(kServiceGroup) ? group.substr(kServiceGroup.size()) : "";
}

Result<ContainerInstance> decode_container_instance(const json::value& object) {
  ContainerInstance instance{.arn = text_at(object, {"containerInstanceArn"}),
                             .ec2_instance_id = text_at(object, {"ec2InstanceId"}),
                             .status = text_at(object, {"status"}),
                             .status_reason = text_at(object, {"statusReason"}),
                             .agent_connected = flag_at(object, {"agentConnected"}),
                             .running_tasks = number_at(object, {"runningTasksCount"}),
                             .pending_tasks = number_at(object, {"pendingTasksCount"}),
                             .capacity_provider = text_at(object, {"capacityProviderName"}),
                             .attributes = {}};
  each_of(object, "attributes", [&](const json::value& each) {
    std::string name = text_at(each, {"name"});
    if (name.starts_with("ecs.") || name.starts_with("com.amazonaws.")) return;
    instance.attributes.emplace(std::move(name), text_at(each, {"value"}));
  });
  if (instance.arn.empty()) return permanent("container instance without containerInstanceArn");
  return instance;
}

Result<EcsTask> decode_task(const json::value& object) {
  EcsTask task{.arn = text_at(object, {"taskArn"}),
               .cluster_arn = text_at(object, {"clusterArn"}),
               .container_instance_arn = text_at(object, {"containerInstanceArn"}),
               .task_definition_arn = text_at(object, {"taskDefinitionArn"}),
               .group = text_at(object, {"group"}),
               .started_by = text_at(object, {"startedBy"}),
               .launch_type = text_at(object, {"launchType"}),
               .last_status = text_at(object, {"lastStatus"}),
               .desired_status = text_at(object, {"desiredStatus"}),
               .health = text_at(object, {"healthStatus"}),
               .stop_code = text_at(object, {"stopCode"}),
               .stopped_reason = text_at(object, {"stoppedReason"}),
               .version = number_at(object, {"version"}),
               .created = time_at(object, "createdAt"),
               .started = time_at(object, "startedAt"),
               .stopping = time_at(object, "stoppingAt"),
               .stopped = time_at(object, "stoppedAt"),
               .containers = {}};
  if (task.arn.empty()) return permanent("task without taskArn");
  each_of(object, "containers",
          [&](const json::value& each) { task.containers.push_back(container_of(each)); });
  return task;
}

Result<EcsTaskDefinition> decode_task_definition(const json::value& object) {
  EcsTaskDefinition definition{.arn = text_at(object, {"taskDefinitionArn"}),
                               .family = text_at(object, {"family"}),
                               .network_mode = text_at(object, {"networkMode"}),
                               .containers = {}};
  if (definition.arn.empty()) return permanent("task definition without taskDefinitionArn");
  each_of(object, "containerDefinitions", [&](const json::value& each) {
    const json::value* essential = find(each, {"essential"});
    definition.containers.push_back(
        {.name = text_at(each, {"name"}),
         .essential = essential == nullptr || flag_at(each, {"essential"}),
         .stop_timeout_s = maybe_number_at(each, {"stopTimeout"})});
  });
  return definition;
}

Result<EcsService> decode_service(const json::value& object) {
  EcsService service{.arn = text_at(object, {"serviceArn"}),
                     .name = text_at(object, {"serviceName"}),
                     .status = text_at(object, {"status"}),
                     .scheduling = text_at(object, {"schedulingStrategy"}),
                     .controller = text_at(object, {"deploymentController", "type"}),
                     .task_definition_arn = text_at(object, {"taskDefinition"}),
                     .desired = number_at(object, {"desiredCount"}),
                     .pending = number_at(object, {"pendingCount"}),
                     .running = number_at(object, {"runningCount"}),
                     .load_balancers = {},
                     .deployments = {}};
  if (service.arn.empty()) return permanent("service without serviceArn");
  if (service.controller.empty()) service.controller = "ECS";
  const bool daemon = service.scheduling == "DAEMON";
  service.minimum_healthy_percent =
      number_at(object, {"deploymentConfiguration", "minimumHealthyPercent"}, daemon ? 0 : 100);
  service.maximum_percent =
      number_at(object, {"deploymentConfiguration", "maximumPercent"}, daemon ? 100 : 200);
  each_of(object, "loadBalancers", [&](const json::value& each) {
    service.load_balancers.push_back({.target_group_arn = text_at(each, {"targetGroupArn"}),
                                      .classic_name = text_at(each, {"loadBalancerName"}),
                                      .container_name = text_at(each, {"containerName"}),
                                      .container_port = number_at(each, {"containerPort"})});
  });
  each_of(object, "deployments",
          [&](const json::value& each) { service.deployments.push_back(deployment_of(each)); });
  return service;
}

}  // namespace spotkeeper::aws
