// SPDX-License-Identifier: Apache-2.0
// The Kubernetes objects we read, trimmed to the fields we use, and their decoders. Records are
// plain values owned by whoever holds them. Decoders are pure and never throw: an object without
// identity (no metadata, no name, no uid) is an Error (kPermanent); any other field that is missing
// or of the wrong type takes its default.
// Fields as in the Kubernetes API reference: core/v1 Node and Pod, policy/v1 PodDisruptionBudget,
// discovery.k8s.io/v1 EndpointSlice.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/label_selector.h"
#include "base/result.h"

namespace spotkeeper::kube {

struct Taint {
  std::string key;
  std::string value;
  std::string effect;           // "NoSchedule", "PreferNoSchedule", "NoExecute"
  std::string time_added = {};  // RFC 3339, for NoExecute; kept when the taints are rewritten

  bool operator==(const Taint&) const = default;
};

struct Node {
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string provider_id;  // spec.providerID: "aws:///eu-west-1a/i-0123456789abcdef0"
  bool unschedulable = false;
  bool ready = false;  // condition Ready is True
  std::vector<Taint> taints;
  Labels labels;
  Labels annotations;
};

// The controller of an object: its ownerReference with controller=true.
struct Owner {
  std::string api_version;  // "apps/v1"
  std::string kind;         // "ReplicaSet"
  std::string name;
  std::string uid;

  bool operator==(const Owner&) const = default;
};

struct Pod {
  std::string uid;
  std::string ns;
  std::string name;
  std::string node;  // spec.nodeName; empty while not scheduled
  std::string resource_version;
  std::optional<Owner> owner;
  Labels labels;
  Labels annotations;                    // of spotkeeper.io and argocd.argoproj.io only
  std::string phase;                     // "Pending", "Running", "Succeeded", "Failed", "Unknown"
  bool ready = false;                    // condition Ready is True
  std::optional<Time> deletion;          // metadata.deletionTimestamp: when its grace is over
  int64_t deletion_grace_s = 0;          // metadata.deletionGracePeriodSeconds
  int64_t grace_s = 30;                  // spec.terminationGracePeriodSeconds
  bool mirror = false;                   // annotation kubernetes.io/config.mirror: a static pod
  bool empty_dir = false;                // mounts an emptyDir: its data ends with it
  std::string priority_class;            // spec.priorityClassName
  std::vector<std::string> claims = {};  // PersistentVolumeClaims it mounts
  bool own_volumes = false;              // generic ephemeral volumes, made for it alone
  bool host_port = false;                // a container has a port of the host
  bool tolerates_cordon = false;         // it may be placed on a cordoned node
  bool tolerates_all = false;            // … and on any tainted one

  // Succeeded or Failed: it has ended and holds nothing up.
  bool finished() const { return phase == "Succeeded" || phase == "Failed"; }
};

// A PodDisruptionBudget.
struct Budget {
  std::string uid;
  std::string ns;
  std::string name;
  std::string resource_version;
  std::optional<LabelSelector> selector;  // absent: it covers no pod
  int disruptions_allowed = 0;            // status; as of observed_generation
  int64_t generation = 0;
  int64_t observed_generation = 0;
  bool always_allow_unhealthy = false;  // spec.unhealthyPodEvictionPolicy is AlwaysAllow

  // Same namespace, and the selector matches the pod's labels.
  bool covers(const Pod& pod) const;
};

// An EndpointSlice: some of a Service's endpoints.
struct EndpointSlice {
  std::string uid;
  std::string ns;
  std::string name;
  std::string resource_version;
  std::string service;                  // label kubernetes.io/service-name; empty: nobody's
  int ready = 0;                        // endpoints whose condition `ready` is true or not given
  std::map<std::string, int> ready_on;  // those by node, as far as their node is given
  std::vector<std::string> nodes;       // where those are, and those that end; sorted, each once
};

// Of metadata.resourceVersion: grows with every write; 0 where a server has other words for it.
// Source: Kubernetes API concepts, "Resource versions".
uint64_t version_number(const std::string& resource_version);

Result<Node> decode_node(const boost::json::value& object);
Result<Pod> decode_pod(const boost::json::value& object);
Result<Budget> decode_budget(const boost::json::value& object);
Result<EndpointSlice> decode_slice(const boost::json::value& object);

}  // namespace spotkeeper::kube
