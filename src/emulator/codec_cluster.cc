// SPDX-License-Identifier: Apache-2.0
// Nodes, namespaces, budgets, services and endpoint slices.
#include <algorithm>
#include <charconv>
#include <utility>

#include "emulator/codec.h"

namespace spotkeeper::emulator {

using world::Budget;
using world::EndpointSlice;
using world::IntOrPercent;
using world::Namespace;
using world::Node;
using world::Service;
using world::Taint;

namespace {

json::object encode_taint(const Taint& taint) {
  json::object into{{"key", taint.key}, {"effect", taint.effect}};
  if (!taint.value.empty()) into["value"] = taint.value;
  if (taint.time_added) into["timeAdded"] = encode_time(*taint.time_added);
  return into;
}

Taint decode_taint(const json::value& from) {
  Taint into{.key = text_at(from, {"key"}),
             .value = text_at(from, {"value"}),
             .effect = text_at(from, {"effect"})};
  Time added{};
  if (parse_time(text_at(from, {"timeAdded"}), added)) into.time_added = added;
  return into;
}

json::array node_conditions(const Node& node) {
  struct Line {
    const char* type;
    const char* reason;
  };
  static constexpr Line kPressures[] = {{"MemoryPressure", "KubeletHasSufficientMemory"},
                                        {"DiskPressure", "KubeletHasNoDiskPressure"},
                                        {"PIDPressure", "KubeletHasSufficientPID"}};
  const json::value since = encode_time(node.status.ready_since);
  const auto condition = [&](const char* type, const char* status, const char* reason) {
    return json::object{{"type", type},
                        {"status", status},
                        {"reason", reason},
                        {"lastHeartbeatTime", since},
                        {"lastTransitionTime", since}};
  };
  json::array into;
  for (const auto& [type, reason] : kPressures) into.push_back(condition(type, "False", reason));
  into.push_back(node.status.ready ? condition("Ready", "True", "KubeletReady")
                                   : condition("Ready", "Unknown", "NodeStatusUnknown"));
  return into;
}

json::value encode_amount(const IntOrPercent& amount) {
  if (amount.percent) return json::value(amount.text());
  return amount.value;
}

std::optional<IntOrPercent> decode_amount(const json::value& root, Path path) {
  const json::value* from = find(root, path);
  if (from == nullptr) return std::nullopt;
  if (from->is_number()) {
    return IntOrPercent{.value = static_cast<int>(number_at(root, path)), .percent = false};
  }
  const std::string text = text_at(root, path);
  IntOrPercent into{.value = 0, .percent = text.ends_with('%')};
  std::from_chars(text.data(), text.data() + text.size(), into.value);
  return into;
}

}  // namespace

void encode_body(const Namespace& from, json::object& into) {
  into["spec"] = json::object{{"finalizers", json::array{"kubernetes"}}};
  into["status"] = json::object{{"phase", from.terminating() ? "Terminating" : "Active"}};
}

void decode_spec(const json::value& /*object*/, Namespace& /*into*/) {}

void encode_body(const Node& from, json::object& into) {
  json::object spec;
  if (!from.spec.provider_id.empty()) spec["providerID"] = from.spec.provider_id;
  if (from.spec.unschedulable) spec["unschedulable"] = true;
  json::array taints;
  for (const Taint& taint : from.spec.taints) taints.push_back(encode_taint(taint));
  if (!taints.empty()) spec["taints"] = std::move(taints);
  const json::object room{
      {"cpu", "64"}, {"memory", "256Gi"}, {"pods", std::to_string(from.status.capacity_pods)}};
  into["spec"] = std::move(spec);
  into["status"] = json::object{
      {"capacity", room},
      {"allocatable", room},
      {"conditions", node_conditions(from)},
      {"addresses", json::array{json::object{{"type", "Hostname"}, {"address", from.meta.name}}}},
      {"nodeInfo", json::object{{"kubeletVersion", "v1.34.0"},
                                {"operatingSystem", "linux"},
                                {"architecture", "amd64"}}}};
}

void decode_spec(const json::value& object, Node& into) {
  into.spec.provider_id = text_at(object, {"spec", "providerID"});
  into.spec.unschedulable = flag_at(object, {"spec", "unschedulable"});
  std::vector<Taint> taints;
  if (const json::array* from = find_array(object, {"spec", "taints"})) {
    for (const json::value& item : *from) {
      Taint taint = decode_taint(item);
      // JSON cuts the milliseconds off: what has not changed keeps them.
      for (const Taint& old : into.spec.taints) {
        Taint cut = old;
        if (cut.time_added) cut.time_added = std::chrono::floor<Seconds>(*cut.time_added);
        if (cut == taint) taint = old;
      }
      taints.push_back(std::move(taint));
    }
  }
  into.spec.taints = std::move(taints);
}

void decode_status(const json::value& object, Node& into) {
  const std::string pods = text_at(object, {"status", "capacity", "pods"});
  std::from_chars(pods.data(), pods.data() + pods.size(), into.status.capacity_pods);
  if (const json::array* conditions = find_array(object, {"status", "conditions"})) {
    for (const json::value& condition : *conditions) {
      if (text_at(condition, {"type"}) != "Ready") continue;
      const bool ready = text_at(condition, {"status"}) == "True";
      if (ready == into.status.ready) continue;
      into.status.ready = ready;
      parse_time(text_at(condition, {"lastTransitionTime"}), into.status.ready_since);
    }
  }
}

void encode_body(const Budget& from, json::object& into) {
  json::object spec;
  if (from.spec.min_available) spec["minAvailable"] = encode_amount(*from.spec.min_available);
  if (from.spec.max_unavailable) spec["maxUnavailable"] = encode_amount(*from.spec.max_unavailable);
  if (from.spec.selector) spec["selector"] = encode_selector(*from.spec.selector);
  if (from.spec.always_allow_unhealthy) spec["unhealthyPodEvictionPolicy"] = "AlwaysAllow";
  const Budget::Status& status = from.status;
  json::object to{{"observedGeneration", status.observed_generation},
                  {"disruptionsAllowed", status.disruptions_allowed},
                  {"currentHealthy", status.current_healthy},
                  {"desiredHealthy", status.desired_healthy},
                  {"expectedPods", status.expected_pods}};
  if (!status.disrupted_pods.empty()) {
    json::object disrupted;
    for (const auto& [pod, time] : status.disrupted_pods) disrupted[pod] = encode_time(time);
    to["disruptedPods"] = std::move(disrupted);
  }
  json::array conditions = encode_conditions(status.conditions);
  if (!conditions.empty()) to["conditions"] = std::move(conditions);
  if (status.observed_generation == 0) to.erase("observedGeneration");
  into["spec"] = std::move(spec);
  into["status"] = std::move(to);
}

void decode_spec(const json::value& object, Budget& into) {
  into.spec = {};
  if (const json::value* selector = find(object, {"spec", "selector"})) {
    into.spec.selector = decode_selector(*selector);
  }
  into.spec.min_available = decode_amount(object, {"spec", "minAvailable"});
  into.spec.max_unavailable = decode_amount(object, {"spec", "maxUnavailable"});
  into.spec.always_allow_unhealthy =
      text_at(object, {"spec", "unhealthyPodEvictionPolicy"}) == "AlwaysAllow";
}

void encode_body(const Service& from, json::object& into) {
  json::object spec{{"type", "ClusterIP"},
                    {"clusterIP", "10.96.0.10"},
                    {"ports", json::array{json::object{{"protocol", "TCP"},
                                                       {"port", from.spec.port},
                                                       {"targetPort", from.spec.port}}}}};
  if (!from.spec.selector.empty()) spec["selector"] = encode_map(from.spec.selector);
  into["spec"] = std::move(spec);
  into["status"] = json::object{{"loadBalancer", json::object()}};
}

void decode_spec(const json::value& object, Service& into) {
  into.spec.selector = decode_map(object, {"spec", "selector"});
  const json::array* ports = find_array(object, {"spec", "ports"});
  if (ports != nullptr && !ports->empty()) {
    into.spec.port = static_cast<int>(number_at(ports->at(0), {"port"}, 80));
  }
}

void encode_body(const EndpointSlice& from, json::object& into) {
  json::array endpoints;
  for (const EndpointSlice::Endpoint& endpoint : from.endpoints) {
    endpoints.push_back({{"addresses", json::array{json::value(endpoint.ip)}},
                         {"conditions", json::object{{"ready", endpoint.ready},
                                                     {"serving", endpoint.serving},
                                                     {"terminating", endpoint.terminating}}},
                         {"nodeName", endpoint.node},
                         {"targetRef", json::object{{"kind", "Pod"},
                                                    {"namespace", from.meta.ns},
                                                    {"name", endpoint.pod},
                                                    {"uid", endpoint.uid.text()}}}});
  }
  into["addressType"] = "IPv4";
  into["endpoints"] = std::move(endpoints);
  into["ports"] = json::array{};
}

void decode_spec(const json::value& /*object*/, EndpointSlice& /*into*/) {}

}  // namespace spotkeeper::emulator
