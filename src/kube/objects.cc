// SPDX-License-Identifier: Apache-2.0
#include "kube/objects.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <climits>

#include "base/json.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

// A year; more is as good as for ever, and must not overflow.
constexpr int64_t kLongestGraceS = int64_t{366} * 86'400;
constexpr const char* kMirrorAnnotation = "kubernetes.io/config.mirror";

Labels labels_at(const json::value& root, Path path) {
  Labels labels;
  const json::object* object = find_object(root, path);
  if (object == nullptr) return labels;
  for (const auto& [key, value] : *object) {
    if (const json::string* text = value.if_string()) labels.emplace(key, *text);
  }
  return labels;
}

std::vector<Taint> decode_taints(const json::value& object) {
  std::vector<Taint> taints;
  const json::array* list = find_array(object, {"spec", "taints"});
  if (list == nullptr) return taints;
  for (const json::value& item : *list) {
    Taint taint{.key = text_at(item, {"key"}),
                .value = text_at(item, {"value"}),
                .effect = text_at(item, {"effect"}),
                .time_added = text_at(item, {"timeAdded"})};
    if (!taint.key.empty()) taints.push_back(std::move(taint));
  }
  return taints;
}

std::optional<Owner> decode_owner(const json::value& object) {
  const json::array* list = find_array(object, {"metadata", "ownerReferences"});
  if (list == nullptr) return std::nullopt;
  for (const json::value& item : *list) {
    if (!flag_at(item, {"controller"})) continue;
    return Owner{.api_version = text_at(item, {"apiVersion"}),
                 .kind = text_at(item, {"kind"}),
                 .name = text_at(item, {"name"}),
                 .uid = text_at(item, {"uid"})};
  }
  return std::nullopt;
}

bool decode_ready(const json::value& object) {
  const json::array* list = find_array(object, {"status", "conditions"});
  return list != nullptr && std::ranges::any_of(*list, [](const json::value& condition) {
           return text_at(condition, {"type"}) == "Ready" &&
                  text_at(condition, {"status"}) == "True";
         });
}

bool mounts_empty_dir(const json::value& object) {
  const json::array* list = find_array(object, {"spec", "volumes"});
  return list != nullptr && std::ranges::any_of(*list, [](const json::value& volume) {
           return find_object(volume, {"emptyDir"}) != nullptr;
         });
}

std::optional<LabelSelector> decode_selector(const json::value& root, Path path) {
  const json::value* at = find(root, path);
  if (at == nullptr || !at->is_object()) return std::nullopt;
  LabelSelector selector{.match_labels = labels_at(*at, {"matchLabels"}), .match_expressions = {}};
  const json::array* list = find_array(*at, {"matchExpressions"});
  if (list == nullptr) return selector;
  for (const json::value& item : *list) {
    LabelSelector::Expression expression{
        .key = text_at(item, {"key"}), .op = text_at(item, {"operator"}), .values = {}};
    if (const json::array* values = find_array(item, {"values"})) {
      for (const json::value& value : *values) expression.values.push_back(text_at(value, {}));
    }
    selector.match_expressions.push_back(std::move(expression));
  }
  return selector;
}

// What identifies every object; the kind only serves the message.
template <class T>
Result<T> with_identity(const json::value& object, const char* kind) {
  T record;
  record.name = text_at(object, {"metadata", "name"});
  record.uid = text_at(object, {"metadata", "uid"});
  record.resource_version = text_at(object, {"metadata", "resourceVersion"});
  if (record.name.empty()) return permanent(std::string(kind) + " without metadata.name");
  if (record.uid.empty()) {
    return permanent(std::string(kind) + " " + record.name + " without metadata.uid");
  }
  return record;
}

}  // namespace

bool Budget::covers(const Pod& pod) const {
  return ns == pod.ns && selector && selector->matches(pod.labels);
}

Result<Node> decode_node(const json::value& object) {
  Result<Node> node = with_identity<Node>(object, "node");
  if (!node) return node;
  node->provider_id = text_at(object, {"spec", "providerID"});
  node->unschedulable = flag_at(object, {"spec", "unschedulable"});
  node->taints = decode_taints(object);
  node->labels = labels_at(object, {"metadata", "labels"});
  node->annotations = labels_at(object, {"metadata", "annotations"});
  return node;
}

Result<Pod> decode_pod(const json::value& object) {
  Result<Pod> pod = with_identity<Pod>(object, "pod");
  if (!pod) return pod;
  pod->ns = text_at(object, {"metadata", "namespace"});
  if (pod->ns.empty()) return permanent("pod " + pod->name + " without metadata.namespace");
  pod->node = text_at(object, {"spec", "nodeName"});
  pod->owner = decode_owner(object);
  pod->labels = labels_at(object, {"metadata", "labels"});
  pod->annotations = labels_at(object, {"metadata", "annotations"});
  pod->phase = text_at(object, {"status", "phase"});
  pod->ready = decode_ready(object);
  Time deletion;
  if (parse_time(text_at(object, {"metadata", "deletionTimestamp"}), deletion)) {
    pod->deletion = deletion;
  }
  pod->deletion_grace_s = number_at(object, {"metadata", "deletionGracePeriodSeconds"});
  pod->grace_s = std::clamp<int64_t>(
      number_at(object, {"spec", "terminationGracePeriodSeconds"}, 30), 0, kLongestGraceS);
  pod->mirror = pod->annotations.contains(kMirrorAnnotation);
  pod->empty_dir = mounts_empty_dir(object);
  pod->priority_class = text_at(object, {"spec", "priorityClassName"});
  return pod;
}

Result<Budget> decode_budget(const json::value& object) {
  Result<Budget> budget = with_identity<Budget>(object, "poddisruptionbudget");
  if (!budget) return budget;
  budget->ns = text_at(object, {"metadata", "namespace"});
  if (budget->ns.empty()) {
    return permanent("poddisruptionbudget " + budget->name + " without metadata.namespace");
  }
  budget->selector = decode_selector(object, {"spec", "selector"});
  const int64_t allowed = number_at(object, {"status", "disruptionsAllowed"});
  budget->disruptions_allowed = static_cast<int>(std::clamp<int64_t>(allowed, 0, INT_MAX));
  budget->generation = number_at(object, {"metadata", "generation"});
  budget->observed_generation = number_at(object, {"status", "observedGeneration"});
  budget->always_allow_unhealthy =
      text_at(object, {"spec", "unhealthyPodEvictionPolicy"}) == "AlwaysAllow";
  return budget;
}

Result<EndpointSlice> decode_slice(const json::value& object) {
  Result<EndpointSlice> slice = with_identity<EndpointSlice>(object, "endpointslice");
  if (!slice) return slice;
  slice->ns = text_at(object, {"metadata", "namespace"});
  if (slice->ns.empty()) {
    return permanent("endpointslice " + slice->name + " without metadata.namespace");
  }
  slice->service = text_at(object, {"metadata", "labels", "kubernetes.io/service-name"});
  const json::array* endpoints = find_array(object, {"endpoints"});
  if (endpoints == nullptr) return slice;
  for (const json::value& endpoint : *endpoints) {
    const json::value* ready = find(endpoint, {"conditions", "ready"});
    const bool is_no = ready != nullptr && ready->is_bool() && !ready->get_bool();
    const bool ends = flag_at(endpoint, {"conditions", "terminating"});
    if ((is_no && !ends) || !endpoint.is_object()) continue;  // not given or null: it is ready
    if (!is_no) ++slice->ready;
    if (std::string node = text_at(endpoint, {"nodeName"}); !node.empty()) {
      slice->nodes.push_back(std::move(node));
    }
  }
  std::ranges::sort(slice->nodes);
  slice->nodes.erase(std::ranges::unique(slice->nodes).begin(), slice->nodes.end());
  return slice;
}

}  // namespace spotkeeper::kube
