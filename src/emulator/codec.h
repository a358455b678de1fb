// SPDX-License-Identifier: Apache-2.0
// The world's typed objects as Kubernetes JSON, and back. Pure.
//
// Encoding gives the object as the API server shows it, in whole seconds, without managedFields.
// Decoding takes what the world models and drops the rest; a field that is missing has Kubernetes'
// default. It writes onto an object, so that what JSON does not carry (milliseconds, the kubelet's
// own facts) stays where the JSON has not changed.
//
// What a pod's containers would do is no field of the API. It stands in annotations, the same ones
// that the fake kubelets of test/rig read (test/rig/stages.py).
#pragma once

#include "emulator/json.h"
#include "world/objects.h"

namespace spotkeeper::emulator {

inline constexpr const char* kReadyAfter = "rig.spotkeeper.io/ready-after";
inline constexpr const char* kEndsAfter = "rig.spotkeeper.io/ends-after";
inline constexpr const char* kCompletesAfter = "rig.spotkeeper.io/completes-after";
inline constexpr const char* kRevision = "deployment.kubernetes.io/revision";

// With apiVersion and kind, as GET and watches show it; items of a list have neither.
json::object encode(const world::Object& object);

// metadata: labels, annotations, finalizers, owner; `decode_identity` also name and namespace.
void decode_identity(const json::value& object, world::Object& into);
void decode_meta(const json::value& object, world::Object& into);

// Everything else of an object, seen from its root.
void decode_spec(const json::value& object, world::Namespace& into);
void decode_spec(const json::value& object, world::Node& into);
void decode_spec(const json::value& object, world::Pod& into);
void decode_spec(const json::value& object, world::ReplicaSet& into);
void decode_spec(const json::value& object, world::Deployment& into);
void decode_spec(const json::value& object, world::StatefulSet& into);
void decode_spec(const json::value& object, world::DaemonSet& into);
void decode_spec(const json::value& object, world::Job& into);
void decode_spec(const json::value& object, world::Budget& into);
void decode_spec(const json::value& object, world::Service& into);
void decode_spec(const json::value& object, world::EndpointSlice& into);

// Only pods and nodes have a status that clients write here; of others it is the controllers'.
void decode_status(const json::value& object, world::Pod& into);
void decode_status(const json::value& object, world::Node& into);
inline void decode_status(const json::value&, world::Object&) {}

// Parts that several kinds share.
json::object encode_map(const world::Labels& labels);
world::Labels decode_map(const json::value& root, Path path);
json::object encode_selector(const world::Selector& selector);
world::Selector decode_selector(const json::value& selector);
json::array encode_conditions(const std::vector<world::Condition>& conditions);
std::vector<world::Condition> decode_conditions(const json::value& object,
                                                const std::vector<world::Condition>& before);
json::value encode_time(Time time);  // null for no time at all

json::object encode_pod_spec(const world::PodSpec& spec);
world::PodSpec decode_pod_spec(const json::value& spec, const world::Labels& annotations);
json::object encode_template(const world::PodTemplate& pod);
world::PodTemplate decode_template(const json::value& root);

// Spec and status, for encode().
void encode_body(const world::Namespace& from, json::object& into);
void encode_body(const world::Node& from, json::object& into);
void encode_body(const world::Pod& from, json::object& into);
void encode_body(const world::ReplicaSet& from, json::object& into);
void encode_body(const world::Deployment& from, json::object& into);
void encode_body(const world::StatefulSet& from, json::object& into);
void encode_body(const world::DaemonSet& from, json::object& into);
void encode_body(const world::Job& from, json::object& into);
void encode_body(const world::Budget& from, json::object& into);
void encode_body(const world::Service& from, json::object& into);
void encode_body(const world::EndpointSlice& from, json::object& into);

}  // namespace spotkeeper::emulator
