// SPDX-License-Identifier: Apache-2.0
// For tests of this folder: the smallest tasks, definitions and services.
#pragma once

#include <optional>
#include <string>

#include "aws/ecs.h"

namespace spotkeeper::ecs {

inline const std::string kInstanceArn =
    "arn:aws:ecs:eu-west-1:123456789012:container-instance/prod/aaaa";

inline std::string task_arn(const std::string& id) {
  return "arn:aws:ecs:eu-west-1:123456789012:task/prod/" + id;
}
inline std::string definition_arn(const std::string& family) {
  return "arn:aws:ecs:eu-west-1:123456789012:task-definition/" + family + ":1";
}

// Of service "web", or standalone where there is none.
inline aws::EcsTask make_task(const std::string& id, const std::string& service = "") {
  aws::EcsTask task;
  task.arn = task_arn(id);
  task.container_instance_arn = kInstanceArn;
  task.task_definition_arn = definition_arn(service.empty() ? "job" : service);
  task.group = service.empty() ? "family:job" : "service:" + service;
  if (!service.empty()) task.started_by = "ecs-svc/1";
  task.last_status = task.desired_status = "RUNNING";
  task.version = 1;
  task.containers.push_back(
      {.name = "app", .bindings = {{.container_port = 80, .host_port = 32768, .protocol = "tcp"}}});
  return task;
}

inline aws::EcsTaskDefinition make_definition(const std::string& family,
                                              std::optional<int64_t> stop_timeout_s) {
  return {.arn = definition_arn(family),
          .family = family,
          .network_mode = {},
          .containers = {{.name = "app", .stop_timeout_s = stop_timeout_s}}};
}

inline aws::EcsService make_service(const std::string& name) {
  aws::EcsService service;
  service.name = name;
  service.status = "ACTIVE";
  service.scheduling = "REPLICA";
  service.controller = "ECS";
  service.desired = service.running = 2;
  return service;
}

}  // namespace spotkeeper::ecs
