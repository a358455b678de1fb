// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "emulator/codec.h"

namespace spotkeeper::emulator {

using world::Behaviour;
using world::Condition;
using world::Labels;
using world::Phase;
using world::Pod;
using world::PodSpec;
using world::PodTemplate;
using world::RestartPolicy;
using world::Spread;
using world::Toleration;

namespace {

constexpr const char* kHostname = "kubernetes.io/hostname";

// "1.5": seconds.
std::optional<Millis> duration(const std::string* text) {
  double seconds = 0;
  if (text == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || !std::isfinite(seconds)) return std::nullopt;
  return Millis(static_cast<int64_t>(seconds * 1000));
}

Behaviour decode_behaviour(const Labels& annotations) {
  Behaviour behaviour;
  if (const std::string* ready = annotations.find(kReadyAfter)) {
    behaviour.ready_after = duration(ready);  // "never" is no number
  }
  if (const auto ends = duration(annotations.find(kEndsAfter))) behaviour.ends_after = *ends;
  behaviour.runs_for = duration(annotations.find(kCompletesAfter));
  return behaviour;
}

json::object encode_toleration(const Toleration& toleration) {
  json::object into;
  if (!toleration.key.empty()) into["key"] = toleration.key;
  if (!toleration.op.empty()) into["operator"] = toleration.op;
  if (!toleration.value.empty()) into["value"] = toleration.value;
  if (!toleration.effect.empty()) into["effect"] = toleration.effect;
  if (toleration.seconds) into["tolerationSeconds"] = toleration.seconds->count();
  return into;
}

Toleration decode_toleration(const json::value& from) {
  Toleration into{.key = text_at(from, {"key"}),
                  .op = text_at(from, {"operator"}),
                  .value = text_at(from, {"value"}),
                  .effect = text_at(from, {"effect"})};
  if (const auto seconds = maybe_number_at(from, {"tolerationSeconds"})) {
    into.seconds = Seconds(*seconds);
  }
  return into;
}

RestartPolicy decode_restart_policy(const std::string& text) {
  if (text == "Never") return RestartPolicy::kNever;
  return text == "OnFailure" ? RestartPolicy::kOnFailure : RestartPolicy::kAlways;
}

json::object encode_container(const PodSpec& spec) {
  json::object container{{"name", "app"},
                         {"image", spec.image},
                         {"imagePullPolicy", "IfNotPresent"},
                         {"resources", json::object()}};
  if (spec.host_port != 0) {
    container["ports"] = json::array{json::object{
        {"containerPort", spec.host_port}, {"hostPort", spec.host_port}, {"protocol", "TCP"}}};
  }
  json::array mounts;
  if (spec.empty_dir) mounts.push_back({{"name", "scratch"}, {"mountPath", "/scratch"}});
  if (!spec.claim.empty()) mounts.push_back({{"name", "data"}, {"mountPath", "/data"}});
  if (!mounts.empty()) container["volumeMounts"] = std::move(mounts);
  return container;
}

json::array encode_volumes(const PodSpec& spec) {
  json::array volumes;
  if (spec.empty_dir) volumes.push_back({{"name", "scratch"}, {"emptyDir", json::object()}});
  if (!spec.claim.empty()) {
    volumes.push_back(
        {{"name", "data"}, {"persistentVolumeClaim", json::object{{"claimName", spec.claim}}}});
  }
  return volumes;
}

void decode_volumes(const json::value& spec, PodSpec& into) {
  const json::array* volumes = find_array(spec, {"volumes"});
  if (volumes == nullptr) return;
  for (const json::value& volume : *volumes) {
    into.empty_dir |= find(volume, {"emptyDir"}) != nullptr;
    const std::string claim = text_at(volume, {"persistentVolumeClaim", "claimName"});
    if (!claim.empty()) into.claim = claim;
  }
}

void decode_containers(const json::value& spec, PodSpec& into) {
  const json::array* containers = find_array(spec, {"containers"});
  if (containers == nullptr || containers->empty()) return;
  const std::string image = text_at(containers->at(0), {"image"});
  if (!image.empty()) into.image = image;
  for (const json::value& container : *containers) {
    const json::array* ports = find_array(container, {"ports"});
    if (ports == nullptr) continue;
    for (const json::value& port : *ports) {
      if (const int64_t number = number_at(port, {"hostPort"})) {
        into.host_port = static_cast<int>(number);
      }
    }
  }
}

json::array encode_spreads(const std::vector<Spread>& spreads) {
  json::array into;
  for (const Spread& spread : spreads) {
    into.push_back({{"topologyKey", spread.topology_key},
                    {"maxSkew", spread.max_skew},
                    {"whenUnsatisfiable", "DoNotSchedule"},
                    {"labelSelector", encode_selector(spread.selector)}});
  }
  return into;
}

std::vector<Spread> decode_spreads(const json::value& spec) {
  std::vector<Spread> into;
  const json::array* spreads = find_array(spec, {"topologySpreadConstraints"});
  if (spreads == nullptr) return into;
  for (const json::value& spread : *spreads) {
    if (text_at(spread, {"whenUnsatisfiable"}) == "ScheduleAnyway") continue;
    const std::string key = text_at(spread, {"topologyKey"});
    const json::value* selector = find(spread, {"labelSelector"});
    into.push_back({.topology_key = key.empty() ? kHostname : key,
                    .max_skew = static_cast<int>(number_at(spread, {"maxSkew"}, 1)),
                    .selector = selector ? decode_selector(*selector) : world::Selector()});
  }
  return into;
}

// Admission (DefaultTolerationSeconds) gives every pod these, unless it has its own.
void add_default_tolerations(json::object& spec) {
  json::value& tolerations = spec["tolerations"];
  if (!tolerations.is_array()) tolerations = json::array();
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    bool own = false;
    for (const json::value& one : tolerations.get_array()) {
      const std::string effect = text_at(one, {"effect"});
      const std::string tolerated = text_at(one, {"key"});
      own |= (effect.empty() || effect == "NoExecute") && (tolerated.empty() || tolerated == key);
    }
    if (own) continue;
    tolerations.get_array().push_back({{"key", key},
                                       {"operator", "Exists"},
                                       {"effect", "NoExecute"},
                                       {"tolerationSeconds", 300}});
  }
}

// Those that follow from Ready and the phase are shown, and never stored.
bool is_derived(const std::string& type) {
  return type == "Initialized" || type == "ContainersReady" || type == "PodReadyToStartContainers";
}

json::array encode_pod_conditions(const Pod& pod) {
  json::array into = encode_conditions(pod.status.conditions);
  if (!pod.status.started) return into;
  const Condition* ready = world::find_condition(pod.status.conditions, "Ready");
  const auto add = [&](const char* type, bool status, Time since) {
    into.push_back({{"type", type},
                    {"status", status ? "True" : "False"},
                    {"lastTransitionTime", encode_time(since)}});
  };
  add("Initialized", true, *pod.status.started);
  add("ContainersReady", ready && ready->status, ready ? ready->since : *pod.status.started);
  return into;
}

json::object encode_container_status(const Pod& pod) {
  json::object state;
  const json::value since = encode_time(pod.status.started.value_or(Time{}));
  if (pod.status.phase == Phase::kRunning) {
    state["running"] = json::object{{"startedAt", since}};
  } else {
    const bool failed = pod.status.phase == Phase::kFailed;
    state["terminated"] = json::object{{"exitCode", failed ? 1 : 0},
                                       {"reason", failed ? "Error" : "Completed"},
                                       {"startedAt", since}};
  }
  return {{"name", "app"},
          {"image", pod.spec->image},
          {"imageID", ""},
          {"ready", pod.ready()},
          {"started", pod.status.phase == Phase::kRunning},
          {"restartCount", 0},
          {"lastState", json::object()},
          {"state", std::move(state)}};
}

}  // namespace

json::object encode_pod_spec(const PodSpec& spec) {
  json::object into{{"containers", json::array{encode_container(spec)}},
                    {"restartPolicy", world::to_string(spec.restart_policy)},
                    {"terminationGracePeriodSeconds", spec.grace.count()},
                    {"dnsPolicy", "ClusterFirst"},
                    {"serviceAccountName", spec.service_account},
                    {"schedulerName", "default-scheduler"},
                    {"securityContext", json::object()},
                    {"enableServiceLinks", true}};
  json::array volumes = encode_volumes(spec);
  if (!volumes.empty()) into["volumes"] = std::move(volumes);
  if (!spec.node_selector.empty()) into["nodeSelector"] = encode_map(spec.node_selector);
  if (!spec.priority_class.empty()) into["priorityClassName"] = spec.priority_class;
  json::array tolerations;
  for (const Toleration& toleration : spec.tolerations) {
    tolerations.push_back(encode_toleration(toleration));
  }
  if (!tolerations.empty()) into["tolerations"] = std::move(tolerations);
  if (!spec.spread.empty()) into["topologySpreadConstraints"] = encode_spreads(spec.spread);
  return into;
}

PodSpec decode_pod_spec(const json::value& spec, const Labels& annotations) {
  PodSpec into;
  into.grace = Seconds(number_at(spec, {"terminationGracePeriodSeconds"}, 30));
  if (const json::array* tolerations = find_array(spec, {"tolerations"})) {
    for (const json::value& item : *tolerations)
      into.tolerations.push_back(decode_toleration(item));
  }
  into.node_selector = decode_map(spec, {"nodeSelector"});
  into.restart_policy = decode_restart_policy(text_at(spec, {"restartPolicy"}));
  into.priority_class = text_at(spec, {"priorityClassName"});
  if (auto account = text_at(spec, {"serviceAccountName"}); !account.empty()) {
    into.service_account = std::move(account);
  }
  decode_volumes(spec, into);
  decode_containers(spec, into);
  into.spread = decode_spreads(spec);
  into.behaviour = decode_behaviour(annotations);
  return into;
}

json::object encode_template(const PodTemplate& pod) {
  json::object meta{{"creationTimestamp", nullptr}};
  if (!pod.labels.empty()) meta["labels"] = encode_map(pod.labels);
  if (!pod.annotations.empty()) meta["annotations"] = encode_map(pod.annotations);
  return {{"metadata", std::move(meta)}, {"spec", encode_pod_spec(*pod.spec)}};
}

PodTemplate decode_template(const json::value& root) {
  PodTemplate into;
  into.labels = decode_map(root, {"spec", "template", "metadata", "labels"});
  into.annotations = decode_map(root, {"spec", "template", "metadata", "annotations"});
  const json::value* spec = find(root, {"spec", "template", "spec"});
  into.spec = std::make_shared<PodSpec>(
      decode_pod_spec(spec == nullptr ? json::value(json::object()) : *spec, into.annotations));
  return into;
}

void encode_body(const Pod& from, json::object& into) {
  json::object spec = encode_pod_spec(*from.spec);
  add_default_tolerations(spec);
  if (!from.node.empty()) spec["nodeName"] = from.node;
  json::object status{{"phase", world::to_string(from.status.phase)}};
  json::array conditions = encode_pod_conditions(from);
  if (!conditions.empty()) status["conditions"] = std::move(conditions);
  if (from.status.started) status["startTime"] = encode_time(*from.status.started);
  if (!from.status.ip.empty()) {
    status["podIP"] = from.status.ip;
    status["podIPs"] = json::array{json::object{{"ip", from.status.ip}}};
  }
  if (from.status.phase != Phase::kPending) {
    status["containerStatuses"] = json::array{encode_container_status(from)};
  }
  status["qosClass"] = "BestEffort";
  into["spec"] = std::move(spec);
  into["status"] = std::move(status);
}

void decode_spec(const json::value& object, Pod& into) {
  const json::value* spec = find(object, {"spec"});
  PodSpec decoded =
      decode_pod_spec(spec == nullptr ? json::value(json::object()) : *spec, into.meta.annotations);
  into.spec = std::make_shared<PodSpec>(std::move(decoded));
  into.node = text_at(object, {"spec", "nodeName"});
}

void decode_status(const json::value& object, Pod& into) {
  std::vector<Condition> conditions = decode_conditions(object, into.status.conditions);
  std::erase_if(conditions, [](const Condition& c) { return is_derived(c.type); });
  into.status.conditions = std::move(conditions);
  const std::string phase = text_at(object, {"status", "phase"});
  for (const Phase candidate :
       {Phase::kPending, Phase::kRunning, Phase::kSucceeded, Phase::kFailed}) {
    if (phase == world::to_string(candidate)) into.status.phase = candidate;
  }
}

}  // namespace spotkeeper::emulator
