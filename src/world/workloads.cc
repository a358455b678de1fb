// SPDX-License-Identifier: Apache-2.0
#include "world/workloads.h"

namespace spotkeeper::world {
namespace {

constexpr const char* kApp = "app";

Selector select(const std::string& app) {
  return {.match_labels = Labels{{kApp, app}}, .match_expressions = {}};
}

template <class T>
T named(const std::string& name, const std::string& ns) {
  T object;
  object.meta.ns = ns;
  object.meta.name = name;
  object.meta.labels = Labels{{kApp, name}};
  return object;
}

template <class T>
T workload(const std::string& name, const Shape& shape) {
  T object = named<T>(name, shape.ns);
  object.spec.pod = make_template(name, shape);
  if constexpr (requires { object.spec.selector; }) object.spec.selector = select(name);
  return object;
}

}  // namespace

Node make_node(const std::string& name, const std::string& instance_id, const std::string& zone,
               int capacity_pods) {
  Node node;
  node.meta.name = name;
  node.meta.labels = Labels{{"kubernetes.io/hostname", name},
                            {"kubernetes.io/os", "linux"},
                            {"kubernetes.io/arch", "amd64"},
                            {"topology.kubernetes.io/zone", zone},
                            {"topology.kubernetes.io/region", zone.substr(0, zone.size() - 1)},
                            {"node.kubernetes.io/instance-type", "m5.large"},
                            {"eks.amazonaws.com/capacityType", "SPOT"}};
  node.spec.provider_id = "aws:///" + zone + "/" + instance_id;
  node.status.capacity_pods = capacity_pods;
  return node;
}

PodTemplate make_template(const std::string& app, const Shape& shape) {
  PodTemplate made;
  made.labels = shape.labels;
  made.labels.set(kApp, app);
  auto spec = std::make_shared<PodSpec>();
  spec->grace = shape.grace;
  spec->behaviour = shape.behaviour;
  spec->empty_dir = shape.empty_dir;
  spec->tolerations = shape.tolerations;
  made.spec = std::move(spec);
  return made;
}

Namespace make_namespace(const std::string& name) {
  Namespace ns;
  ns.meta.name = name;
  return ns;
}

Deployment make_deployment(const std::string& name, int replicas, const Shape& shape) {
  Deployment made = workload<Deployment>(name, shape);
  made.spec.replicas = replicas;
  return made;
}

StatefulSet make_stateful_set(const std::string& name, int replicas, const Shape& shape) {
  StatefulSet made = workload<StatefulSet>(name, shape);
  made.spec.replicas = replicas;
  made.spec.service_name = name;
  return made;
}

DaemonSet make_daemon_set(const std::string& name, const Shape& shape) {
  return workload<DaemonSet>(name, shape);
}

Job make_job(const std::string& name, int completions, const Shape& shape) {
  Job made = workload<Job>(name, shape);
  made.spec.completions = completions;
  made.spec.parallelism = completions;
  auto spec = std::make_shared<PodSpec>(*made.spec.pod.spec);
  spec->restart_policy = RestartPolicy::kNever;
  made.spec.pod.spec = std::move(spec);
  return made;
}

Pod make_pod(const std::string& name, const std::string& node, const Shape& shape) {
  Pod pod = named<Pod>(name, shape.ns);
  const PodTemplate made = make_template(name, shape);
  pod.meta.labels = made.labels;
  pod.spec = made.spec;
  pod.node = node;
  return pod;
}

Service make_service(const std::string& app, const std::string& ns) {
  Service service = named<Service>(app, ns);
  service.spec.selector = Labels{{kApp, app}};
  return service;
}

Budget make_min_available(const std::string& app, IntOrPercent least, const std::string& ns) {
  Budget budget = named<Budget>(app, ns);
  budget.spec.selector = select(app);
  budget.spec.min_available = least;
  return budget;
}

Budget make_max_unavailable(const std::string& app, IntOrPercent most, const std::string& ns) {
  Budget budget = named<Budget>(app, ns);
  budget.spec.selector = select(app);
  budget.spec.max_unavailable = most;
  return budget;
}

}  // namespace spotkeeper::world
