// SPDX-License-Identifier: Apache-2.0
#include "kube/objects.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <charconv>
#include <climits>

#include "kube/decode.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

// A year; more is as good as for ever, and must not overflow.
constexpr int64_t kLongestGraceS = int64_t{366} * 86'400;
constexpr const char* kMirrorAnnotation = "kubernetes.io/config.mirror";

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

bool is_ours(std::string_view key) {
  return key.starts_with("spotkeeper.io/") || key.starts_with("argocd.argoproj.io/");
}

// Others' may be large: the last applied configuration, a service mesh's.
Labels annotations_of_interest(const json::value& object) {
  Labels notes;
  const json::object* all = find_object(object, {"metadata", "annotations"});
  if (all == nullptr) return notes;
  for (const auto& [key, value] : *all) {
    const json::string* text = value.if_string();
    if (text != nullptr && is_ours(key)) notes.emplace(key, *text);
  }
  return notes;
}

bool uses_host_port(const json::value& object) {
  const json::array* list = find_array(object, {"spec", "containers"});
  if (list == nullptr) return false;
  return std::ranges::any_of(*list, [](const json::value& container) {
    const json::array* ports = find_array(container, {"ports"});
    return ports != nullptr && std::ranges::any_of(*ports, [](const json::value& port) {
             return number_at(port, {"hostPort"}) != 0;
           });
  });
}

void decode_volumes(const json::value& object, Pod& pod) {
  const json::array* list = find_array(object, {"spec", "volumes"});
  if (list == nullptr) return;
  for (const json::value& volume : *list) {
    if (find_object(volume, {"emptyDir"}) != nullptr) pod.empty_dir = true;
    if (find_object(volume, {"ephemeral"}) != nullptr) pod.own_volumes = true;
    std::string claim = text_at(volume, {"persistentVolumeClaim", "claimName"});
    if (!claim.empty()) pod.claims.push_back(std::move(claim));
  }
}

// A cordon is a taint node.kubernetes.io/unschedulable:NoSchedule to the scheduler.
void decode_tolerations(const json::value& object, Pod& pod) {
  const json::array* list = find_array(object, {"spec", "tolerations"});
  if (list == nullptr) return;
  for (const json::value& each : *list) {
    const std::string effect = text_at(each, {"effect"});
    if (!effect.empty() && effect != "NoSchedule") continue;
    const std::string key = text_at(each, {"key"});
    if (key.empty() && text_at(each, {"operator"}) == "Exists") {
      pod.tolerates_all = pod.tolerates_cordon = true;
    }
    if (key == "node.kubernetes.io/unschedulable") pod.tolerates_cordon = true;
  }
}

}  // namespace

Labels labels_at(const json::value& root, Path path) {
  Labels labels;
  const json::object* object = find_object(root, path);
  if (object == nullptr) return labels;
  for (const auto& [key, value] : *object) {
    if (const json::string* text = value.if_string()) labels.emplace(key, *text);
  }
  return labels;
}

std::optional<LabelSelector> selector_at(const json::value& root, Path path) {
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

bool Budget::covers(const Pod& pod) const {
  return ns == pod.ns && selector && selector->matches(pod.labels);
}

uint64_t version_number(const std::string& resource_version) {
  uint64_t number = 0;
  const char* end = resource_version.data() + resource_version.size();
  const auto [at, error] = std::from_chars(resource_version.data(), end, number);
  return error == std::errc() && at == end ? number : 0;
}

Result<Node> decode_node(const json::value& object) {
  Result<Node> node = with_identity<Node>(object, "node");
  if (!node) return node;
  node->provider_id = text_at(object, {"spec", "providerID"});
  node->unschedulable = flag_at(object, {"spec", "unschedulable"});
  node->ready = decode_ready(object);
  node->taints = decode_taints(object);
  node->labels = labels_at(object, {"metadata", "labels"});
  node->annotations = labels_at(object, {"metadata", "annotations"});
  return node;
}

Result<Pod> decode_pod(const json::value& object) {
  Result<Pod> pod = with_namespace<Pod>(object, "pod");
  if (!pod) return pod;
  pod->node = text_at(object, {"spec", "nodeName"});
  pod->owner = decode_owner(object);
  pod->labels = labels_at(object, {"metadata", "labels"});
  pod->annotations = annotations_of_interest(object);
  pod->phase = text_at(object, {"status", "phase"});
  pod->ready = decode_ready(object);
  Time deletion;
  if (parse_time(text_at(object, {"metadata", "deletionTimestamp"}), deletion)) {
    pod->deletion = deletion;
  }
  pod->deletion_grace_s = number_at(object, {"metadata", "deletionGracePeriodSeconds"});
  pod->grace_s = std::clamp<int64_t>(
      number_at(object, {"spec", "terminationGracePeriodSeconds"}, 30), 0, kLongestGraceS);
  pod->mirror = find(object, {"metadata", "annotations", kMirrorAnnotation}) != nullptr;
  decode_volumes(object, *pod);
  decode_tolerations(object, *pod);
  pod->host_port = uses_host_port(object);
  pod->priority_class = text_at(object, {"spec", "priorityClassName"});
  return pod;
}

Result<Budget> decode_budget(const json::value& object) {
  Result<Budget> budget = with_namespace<Budget>(object, "poddisruptionbudget");
  if (!budget) return budget;
  budget->selector = selector_at(object, {"spec", "selector"});
  const int64_t allowed = number_at(object, {"status", "disruptionsAllowed"});
  budget->disruptions_allowed = static_cast<int>(std::clamp<int64_t>(allowed, 0, INT_MAX));
  budget->generation = number_at(object, {"metadata", "generation"});
  budget->observed_generation = number_at(object, {"status", "observedGeneration"});
  budget->always_allow_unhealthy =
      text_at(object, {"spec", "unhealthyPodEvictionPolicy"}) == "AlwaysAllow";
  return budget;
}

Result<EndpointSlice> decode_slice(const json::value& object) {
  Result<EndpointSlice> slice = with_namespace<EndpointSlice>(object, "endpointslice");
  if (!slice) return slice;
  slice->service = text_at(object, {"metadata", "labels", "kubernetes.io/service-name"});
  const json::array* endpoints = find_array(object, {"endpoints"});
  if (endpoints == nullptr) return slice;
  for (const json::value& endpoint : *endpoints) {
    const json::value* ready = find(endpoint, {"conditions", "ready"});
    const bool is_no = ready != nullptr && ready->is_bool() && !ready->get_bool();
    const bool ends = flag_at(endpoint, {"conditions", "terminating"});
    if ((is_no && !ends) || !endpoint.is_object()) continue;  // not given or null: it is ready
    if (!is_no) ++slice->ready;
    std::string node = text_at(endpoint, {"nodeName"});
    if (node.empty()) continue;
    if (!is_no) ++slice->ready_on[node];
    slice->nodes.push_back(std::move(node));
  }
  std::ranges::sort(slice->nodes);
  slice->nodes.erase(std::ranges::unique(slice->nodes).begin(), slice->nodes.end());
  return slice;
}

}  // namespace spotkeeper::kube
