// SPDX-License-Identifier: Apache-2.0
// What a hand-over and the order of a drain look at beside pods and budgets, trimmed to the fields
// we use. Decoders promise what those of kube/objects.h do.
// Fields as in the Kubernetes API reference: apps/v1 Deployment, core/v1 Service and
// PersistentVolumeClaim, networking.k8s.io/v1 NetworkPolicy, storage.k8s.io/v1 VolumeAttachment.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "base/label_selector.h"
#include "base/result.h"

namespace spotkeeper::kube {

inline constexpr const char* kHashLabel = "pod-template-hash";

struct Deployment {
  std::string uid;
  std::string ns;
  std::string name;
  std::string resource_version;
  LabelSelector selector;
  int replicas = 1;
  bool surges = false;   // RollingUpdate with maxSurge > 0
  bool paused = false;   // no rollout, but ReplicaSets go on
  bool ending = false;   // it has a deletionTimestamp
  bool rolling = false;  // pods of an earlier template are left: status.replicas > updatedReplicas
};

struct Service {
  std::string uid;
  std::string ns;
  std::string name;
  std::string resource_version;
  bool by_hash = false;   // its selector names pod-template-hash
  bool local_lb = false;  // type LoadBalancer with externalTrafficPolicy Local
};

struct NetworkPolicy {
  std::string uid;
  std::string ns;
  std::string name;
  std::string resource_version;
  bool by_hash = false;  // some pod selector in it names pod-template-hash
};

struct Claim {  // a PersistentVolumeClaim
  std::string uid;
  std::string ns;
  std::string name;
  std::string resource_version;
  bool shared = false;  // many hosts at once may have it: ReadWriteMany or ReadOnlyMany
};

struct VolumeAttachment {
  std::string uid;
  std::string name;
  std::string resource_version;
  std::string node;
};

Result<Deployment> decode_deployment(const boost::json::value& object);
Result<Service> decode_service(const boost::json::value& object);
Result<NetworkPolicy> decode_network_policy(const boost::json::value& object);
Result<Claim> decode_claim(const boost::json::value& object);
Result<VolumeAttachment> decode_volume_attachment(const boost::json::value& object);

}  // namespace spotkeeper::kube
