// SPDX-License-Identifier: Apache-2.0
// The other objects of the emulated cluster: namespaces, workloads, budgets, services. Each has the
// fields that its controller reads and writes; `spec` changes count in metadata.generation.
#pragma once

#include "world/pod.h"

namespace spotkeeper::world {

struct Namespace : Object {
  static constexpr Kind kKind = Kind::kNamespace;
  Namespace() : Object(kKind) {}
  bool terminating() const { return meta.deletion.has_value(); }  // status.phase
  bool operator==(const Namespace&) const = default;
};

struct ReplicaSet : Object {
  static constexpr Kind kKind = Kind::kReplicaSet;
  ReplicaSet() : Object(kKind) {}
  struct Spec {
    int replicas = 1;
    Selector selector;
    PodTemplate pod;
    bool operator==(const Spec&) const = default;
  } spec;
  struct Status {
    int64_t observed_generation = 0;
    int replicas = 0;
    int ready = 0;
    bool operator==(const Status&) const = default;
  } status;
  bool operator==(const ReplicaSet&) const = default;
};

struct Deployment : Object {
  static constexpr Kind kKind = Kind::kDeployment;
  Deployment() : Object(kKind) {}
  struct Spec {
    int replicas = 1;
    Selector selector;
    PodTemplate pod;
    bool recreate = false;  // strategy Recreate, else RollingUpdate with:
    IntOrPercent max_surge{25, true};
    IntOrPercent max_unavailable{25, true};
    bool operator==(const Spec&) const = default;
  } spec;
  struct Status {
    int64_t observed_generation = 0;
    int revision = 0;  // annotation deployment.kubernetes.io/revision
    int replicas = 0;
    int updated = 0;
    int ready = 0;
    int unavailable = 0;
    std::vector<Condition> conditions;  // Available, Progressing
    bool operator==(const Status&) const = default;
  } status;
  bool operator==(const Deployment&) const = default;
};

struct StatefulSet : Object {
  static constexpr Kind kKind = Kind::kStatefulSet;
  StatefulSet() : Object(kKind) {}
  struct Spec {
    int replicas = 1;
    Selector selector;
    PodTemplate pod;
    std::string service_name;
    bool parallel = false;  // podManagementPolicy Parallel, else OrderedReady
    bool operator==(const Spec&) const = default;
  } spec;
  struct Status {
    int64_t observed_generation = 0;
    int replicas = 0;
    int ready = 0;
    bool operator==(const Status&) const = default;
  } status;
  bool operator==(const StatefulSet&) const = default;
};

struct DaemonSet : Object {
  static constexpr Kind kKind = Kind::kDaemonSet;
  DaemonSet() : Object(kKind) {}
  struct Spec {
    Selector selector;
    PodTemplate pod;
    bool operator==(const Spec&) const = default;
  } spec;
  struct Status {
    int64_t observed_generation = 0;
    int desired = 0;
    int current = 0;
    int ready = 0;
    bool operator==(const Status&) const = default;
  } status;
  bool operator==(const DaemonSet&) const = default;
};

struct Job : Object {
  static constexpr Kind kKind = Kind::kJob;
  Job() : Object(kKind) {}
  struct Spec {
    int completions = 1;
    int parallelism = 1;
    int backoff_limit = 6;
    // podFailurePolicy: Ignore on condition DisruptionTarget.
    bool ignores_disruption = false;
    PodTemplate pod;
    bool operator==(const Spec&) const = default;
  } spec;
  struct Status {
    std::optional<Time> started;
    std::optional<Time> completed;
    int active = 0;
    int ready = 0;
    int succeeded = 0;
    int failed = 0;
    std::vector<Condition> conditions;  // Complete, Failed
    bool operator==(const Status&) const = default;
  } status;
  bool over() const;  // Complete or Failed
  bool operator==(const Job&) const = default;
};

// policy/v1 PodDisruptionBudget.
struct Budget : Object {
  static constexpr Kind kKind = Kind::kBudget;
  Budget() : Object(kKind) {}
  struct Spec {
    std::optional<Selector> selector;  // absent: covers no pod
    std::optional<IntOrPercent> min_available;
    std::optional<IntOrPercent> max_unavailable;
    bool always_allow_unhealthy = false;  // unhealthyPodEvictionPolicy: AlwaysAllow
    bool operator==(const Spec&) const = default;
  } spec;
  struct Status {
    int64_t observed_generation = 0;
    int expected_pods = 0;
    int current_healthy = 0;
    int desired_healthy = 0;
    int disruptions_allowed = 0;
    std::map<std::string, Time> disrupted_pods;  // pod name: evicted at, its deletion not seen yet
    std::vector<Condition> conditions;           // DisruptionAllowed
    bool operator==(const Status&) const = default;
  } status;
  bool covers(const Pod& pod) const;
  bool operator==(const Budget&) const = default;
};

struct Service : Object {
  static constexpr Kind kKind = Kind::kService;
  Service() : Object(kKind) {}
  struct Spec {
    Labels selector;  // empty: selects nothing
    int port = 80;
    bool operator==(const Spec&) const = default;
  } spec;
  bool operator==(const Service&) const = default;
};

// discovery.k8s.io/v1; one for each Service, owned by it, label kubernetes.io/service-name.
struct EndpointSlice : Object {
  static constexpr Kind kKind = Kind::kEndpointSlice;
  EndpointSlice() : Object(kKind) {}
  struct Endpoint {
    std::string pod;  // targetRef.name
    Uid uid;          // targetRef.uid
    std::string node;
    std::string ip;
    bool ready = false;  // Ready and not told to end: gets traffic
    bool serving = false;
    bool terminating = false;
    bool operator==(const Endpoint&) const = default;
  };
  std::vector<Endpoint> endpoints;  // ordered by pod
  int ready() const;
  bool operator==(const EndpointSlice&) const = default;
};

}  // namespace spotkeeper::world
