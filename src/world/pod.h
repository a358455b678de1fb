// SPDX-License-Identifier: Apache-2.0
// Pods and nodes of the emulated cluster: the fields of core/v1 that something here, or somebody
// who watches, looks at.
#pragma once

#include "world/meta.h"

namespace spotkeeper::world {

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // "NoSchedule", "PreferNoSchedule", "NoExecute"
  std::optional<Time> time_added = {};
  bool operator==(const Taint&) const = default;
};

struct Toleration {
  std::string key;                      // empty: every key
  std::string op;                       // "Exists", "Equal"; empty: Equal
  std::string value;                    // for Equal
  std::string effect;                   // empty: every effect
  std::optional<Seconds> seconds = {};  // NoExecute only: how long it is tolerated
  bool tolerates(const Taint& taint) const;
  bool operator==(const Toleration&) const = default;
};

struct Node : Object {
  static constexpr Kind kKind = Kind::kNode;
  Node() : Object(kKind) {}

  struct Spec {
    std::string provider_id;  // "aws:///eu-west-1a/i-0123456789abcdef0"
    bool unschedulable = false;
    std::vector<Taint> taints;
    bool operator==(const Spec&) const = default;
  } spec;
  struct Status {
    int capacity_pods = 110;
    bool ready = true;
    Time ready_since{};  // lastTransitionTime of Ready
    bool operator==(const Status&) const = default;
  } status;
  bool operator==(const Node&) const = default;
};

enum class RestartPolicy : uint8_t { kAlways, kOnFailure, kNever };
enum class Phase : uint8_t { kPending, kRunning, kSucceeded, kFailed };
const char* to_string(RestartPolicy policy);  // "Always"
const char* to_string(Phase phase);           // "Running"

// What its containers would do: no field of the API.
struct Behaviour {
  std::optional<Millis> ready_after = Millis(0);  // from Running; unset: never
  Millis ends_after{200};                         // from being told; its grace may cut that short
  std::optional<Millis> runs_for = {};            // ends by itself; unset: never
  bool fails = false;                             // … with an error
  bool operator==(const Behaviour&) const = default;
};

// topologySpreadConstraints with maxSkew and DoNotSchedule over pods of the same labels.
struct Spread {
  std::string topology_key;
  int max_skew = 1;
  Selector selector;
  bool operator==(const Spread&) const = default;
};

// Shared by all pods of a template and never changed.
struct PodSpec {
  Seconds grace{30};  // terminationGracePeriodSeconds
  std::vector<Toleration> tolerations;
  Labels node_selector;
  RestartPolicy restart_policy = RestartPolicy::kAlways;
  bool empty_dir = false;  // mounts an emptyDir
  std::string claim;       // name of a PersistentVolumeClaim it mounts; empty: none
  int host_port = 0;       // 0: none
  std::string priority_class;
  std::string service_account = "default";
  std::string image = "registry.invalid/app:1";
  std::vector<Spread> spread;
  Behaviour behaviour;
  bool operator==(const PodSpec&) const = default;
};

// The spec of whoever has no other.
const std::shared_ptr<const PodSpec>& default_spec();

struct PodTemplate {
  Labels labels;
  Labels annotations;
  std::shared_ptr<const PodSpec> spec = default_spec();
  bool operator==(const PodTemplate& other) const;  // by content
};

struct Pod : Object {
  static constexpr Kind kKind = Kind::kPod;
  Pod() : Object(kKind) {}

  std::shared_ptr<const PodSpec> spec = default_spec();
  std::string node;  // spec.nodeName; empty while not scheduled
  struct Status {
    Phase phase = Phase::kPending;
    std::optional<Time> started;  // startTime: the kubelet has seen it
    std::string ip;               // empty until it runs
    // Ready, PodScheduled, DisruptionTarget and what others write. ContainersReady and Initialized
    // follow from Ready and the phase.
    std::vector<Condition> conditions;
    bool operator==(const Status&) const = default;
  } status;

  bool ready() const;
  bool finished() const {
    return status.phase == Phase::kSucceeded || status.phase == Phase::kFailed;
  }
  bool deleting() const { return meta.deletion.has_value(); }
  // Neither finished nor told to end: what controllers count.
  bool active() const { return !finished() && !deleting(); }
  bool operator==(const Pod&) const = default;
};

// The annotation of the API's picture of a static pod.
inline constexpr const char* kMirrorAnnotation = "kubernetes.io/config.mirror";
inline constexpr const char* kHashLabel = "pod-template-hash";

}  // namespace spotkeeper::world
