// SPDX-License-Identifier: Apache-2.0
#include "kube/workloads.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <climits>

#include "kube/decode.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

// Objects of the API are flatter; what is deeper is nobody's selector.
constexpr int kDeepest = 16;

// maxSurge: a number or a percentage; 25 % when it is not given.
bool may_surge(const json::value& object) {
  const std::string type = text_at(object, {"spec", "strategy", "type"});
  if (!type.empty() && type != "RollingUpdate") return false;
  const json::value* surge = find(object, {"spec", "strategy", "rollingUpdate", "maxSurge"});
  if (surge == nullptr) return true;
  if (const json::string* text = surge->if_string()) return *text != "0%" && *text != "0";
  return maybe_number_at(*surge, {}).value_or(0) > 0;
}

// Whether a label selector somewhere below names the label: as a key of matchLabels, or as the
// `key` of an expression.
bool names_label(const json::value& at, std::string_view label, int depth = 0) {
  if (depth > kDeepest) return false;
  if (const json::array* list = at.if_array()) {
    return std::ranges::any_of(
        *list, [&](const json::value& each) { return names_label(each, label, depth + 1); });
  }
  const json::object* object = at.if_object();
  if (object == nullptr) return false;
  return std::ranges::any_of(*object, [&](const json::key_value_pair& each) {
    if (each.key() == label) return true;
    const json::string* text = each.value().if_string();
    if (each.key() == "key" && text != nullptr && *text == label) return true;
    return names_label(each.value(), label, depth + 1);
  });
}

int count_at(const json::value& root, Path path, int64_t otherwise = 0) {
  return static_cast<int>(std::clamp<int64_t>(number_at(root, path, otherwise), 0, INT_MAX));
}

}  // namespace

Result<Deployment> decode_deployment(const json::value& object) {
  Result<Deployment> made = with_namespace<Deployment>(object, "deployment");
  if (!made) return made;
  made->selector = selector_at(object, {"spec", "selector"}).value_or(LabelSelector{});
  made->replicas = count_at(object, {"spec", "replicas"}, 1);
  made->surges = may_surge(object);
  made->paused = flag_at(object, {"spec", "paused"});
  made->ending = find(object, {"metadata", "deletionTimestamp"}) != nullptr;
  made->rolling =
      count_at(object, {"status", "replicas"}) > count_at(object, {"status", "updatedReplicas"});
  return made;
}

Result<Service> decode_service(const json::value& object) {
  Result<Service> made = with_namespace<Service>(object, "service");
  if (!made) return made;
  made->by_hash = labels_at(object, {"spec", "selector"}).contains(kHashLabel);
  made->local_lb = text_at(object, {"spec", "type"}) == "LoadBalancer" &&
                   text_at(object, {"spec", "externalTrafficPolicy"}) == "Local";
  return made;
}

Result<NetworkPolicy> decode_network_policy(const json::value& object) {
  Result<NetworkPolicy> made = with_namespace<NetworkPolicy>(object, "networkpolicy");
  if (!made) return made;
  const json::value* spec = find(object, {"spec"});
  made->by_hash = spec != nullptr && names_label(*spec, kHashLabel);
  return made;
}

Result<Claim> decode_claim(const json::value& object) {
  Result<Claim> made = with_namespace<Claim>(object, "persistentvolumeclaim");
  if (!made) return made;
  const json::array* modes = find_array(object, {"spec", "accessModes"});
  made->shared = modes != nullptr && std::ranges::any_of(*modes, [](const json::value& mode) {
                   const std::string text = text_at(mode, {});
                   return text == "ReadWriteMany" || text == "ReadOnlyMany";
                 });
  return made;
}

Result<VolumeAttachment> decode_volume_attachment(const json::value& object) {
  Result<VolumeAttachment> made = with_identity<VolumeAttachment>(object, "volumeattachment");
  if (made) made->node = text_at(object, {"spec", "nodeName"});
  return made;
}

}  // namespace spotkeeper::kube
