// SPDX-License-Identifier: Apache-2.0
#include "emulator/resources.h"

#include <algorithm>

namespace spotkeeper::emulator {

using world::Kind;

namespace {

std::vector<Resource> make_resources() {
  const std::string core;
  const std::string rbac = "rbac.authorization.k8s.io";
  return {
      {core,
       "v1",
       "namespaces",
       "namespace",
       "Namespace",
       false,
       Kind::kNamespace,
       {"status", "finalize"},
       {"ns"}},
      {core, "v1", "nodes", "node", "Node", false, Kind::kNode, {"status"}, {"no"}},
      {core, "v1", "pods", "pod", "Pod", true, Kind::kPod, {"status", "eviction"}, {"po"}},
      {core, "v1", "services", "service", "Service", true, Kind::kService, {"status"}, {"svc"}},
      {"apps",
       "v1",
       "deployments",
       "deployment",
       "Deployment",
       true,
       Kind::kDeployment,
       {"status", "scale"},
       {"deploy"}},
      {"apps",
       "v1",
       "replicasets",
       "replicaset",
       "ReplicaSet",
       true,
       Kind::kReplicaSet,
       {"status", "scale"},
       {"rs"}},
      {"apps",
       "v1",
       "statefulsets",
       "statefulset",
       "StatefulSet",
       true,
       Kind::kStatefulSet,
       {"status", "scale"},
       {"sts"}},
      {"apps",
       "v1",
       "daemonsets",
       "daemonset",
       "DaemonSet",
       true,
       Kind::kDaemonSet,
       {"status"},
       {"ds"}},
      {"batch", "v1", "jobs", "job", "Job", true, Kind::kJob, {"status"}, {}},
      {"policy",
       "v1",
       "poddisruptionbudgets",
       "poddisruptionbudget",
       "PodDisruptionBudget",
       true,
       Kind::kBudget,
       {"status"},
       {"pdb"}},
      {"discovery.k8s.io",
       "v1",
       "endpointslices",
       "endpointslice",
       "EndpointSlice",
       true,
       Kind::kEndpointSlice,
       {},
       {}},
      {core,
       "v1",
       "serviceaccounts",
       "serviceaccount",
       "ServiceAccount",
       true,
       {},
       {"token"},
       {"sa"}},
      {core, "v1", "events", "event", "Event", true, {}, {}, {"ev"}},
      {core, "v1", "configmaps", "configmap", "ConfigMap", true, {}, {}, {"cm"}},
      {core,
       "v1",
       "persistentvolumeclaims",
       "persistentvolumeclaim",
       "PersistentVolumeClaim",
       true,
       {},
       {},
       {"pvc"}},
      {"events.k8s.io", "v1", "events", "event", "Event", true, {}, {}, {"ev"}},
      {"networking.k8s.io",
       "v1",
       "networkpolicies",
       "networkpolicy",
       "NetworkPolicy",
       true,
       {},
       {},
       {"netpol"}},
      {"scheduling.k8s.io",
       "v1",
       "priorityclasses",
       "priorityclass",
       "PriorityClass",
       false,
       {},
       {},
       {"pc"}},
      {rbac, "v1", "clusterroles", "clusterrole", "ClusterRole", false, {}, {}, {}},
      {rbac,
       "v1",
       "clusterrolebindings",
       "clusterrolebinding",
       "ClusterRoleBinding",
       false,
       {},
       {},
       {}},
  };
}

}  // namespace

std::span<const Resource> resources() {
  static const std::vector<Resource> all = make_resources();
  return all;
}

const Resource* find_resource(const std::string& group, const std::string& version,
                              const std::string& name) {
  const auto all = resources();
  const auto found = std::ranges::find_if(all, [&](const Resource& r) {
    return r.name == name && r.group == group && r.version == version;
  });
  return found == all.end() ? nullptr : &*found;
}

const Resource& resource_of(world::Kind kind) {
  const auto all = resources();
  return *std::ranges::find_if(all, [&](const Resource& r) { return r.kept_by_world == kind; });
}

}  // namespace spotkeeper::emulator
