// SPDX-License-Identifier: Apache-2.0
// The task that we run in ourselves, if we do: it is not to be stopped by us. Read from the task
// metadata endpoint (ECS_CONTAINER_METADATA_URI_V4) or the metadata file of the container
// (ECS_CONTAINER_METADATA_FILE, where the ECS agent writes one). Never fails: what cannot be read
// is empty. Source: ECS developer guide, "Task metadata endpoint version 4", "Container metadata
// file".
#pragma once

#include <string>

#include "async/task.h"
#include "aws/endpoint.h"
#include "http/client.h"

namespace spotkeeper::ecs {

struct OwnTask {
  std::string arn;
  std::string cluster;
  std::string container_instance;  // ARN; only the file has it
};

Task<OwnTask> find_own_task(http::Client& client, aws::Environment environment);

// Either document. Pure.
OwnTask decode_own_task(const std::string& body);

}  // namespace spotkeeper::ecs
