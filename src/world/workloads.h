// SPDX-License-Identifier: Apache-2.0
// The smallest objects that do what a test or a demo wants, all with label app=NAME. Pure: the
// caller hands them to World::create.
#pragma once

#include "world/objects.h"

namespace spotkeeper::world {

// Where a workload goes and what its pods are like.
struct Shape {
  std::string ns = "default";
  Seconds grace{30};
  Behaviour behaviour = {};
  Labels labels = {};  // beside app=NAME
  bool empty_dir = false;
  std::vector<Toleration> tolerations = {};
};

// With the tags of an EKS worker; the instance id stands in spec.providerID.
Node make_node(const std::string& name, const std::string& instance_id,
               const std::string& zone = "eu-west-1a", int capacity_pods = 110);
PodTemplate make_template(const std::string& app, const Shape& shape = {});
Namespace make_namespace(const std::string& name);
Deployment make_deployment(const std::string& name, int replicas, const Shape& shape = {});
StatefulSet make_stateful_set(const std::string& name, int replicas, const Shape& shape = {});
DaemonSet make_daemon_set(const std::string& name, const Shape& shape = {});
Job make_job(const std::string& name, int completions, const Shape& shape = {});
// A bare pod, bound to a node when one is named.
Pod make_pod(const std::string& name, const std::string& node = {}, const Shape& shape = {});
Service make_service(const std::string& app, const std::string& ns = "default");
Budget make_min_available(const std::string& app, IntOrPercent least,
                          const std::string& ns = "default");
Budget make_max_unavailable(const std::string& app, IntOrPercent most,
                            const std::string& ns = "default");

}  // namespace spotkeeper::world
