// SPDX-License-Identifier: Apache-2.0
// ReplicaSets, Deployments, StatefulSets, DaemonSets and Jobs.
#include <charconv>
#include <utility>

#include "emulator/codec.h"

namespace spotkeeper::emulator {

using world::DaemonSet;
using world::Deployment;
using world::IntOrPercent;
using world::Job;
using world::ReplicaSet;
using world::StatefulSet;

namespace {

int replicas_of(const json::value& object) {
  return static_cast<int>(number_at(object, {"spec", "replicas"}, 1));
}

world::Selector selector_of(const json::value& object) {
  const json::value* selector = find(object, {"spec", "selector"});
  return selector == nullptr ? world::Selector() : decode_selector(*selector);
}

json::value encode_amount(const IntOrPercent& amount) {
  if (amount.percent) return json::value(amount.text());
  return amount.value;
}

void decode_amount(const json::value& root, Path path, IntOrPercent& into) {
  const json::value* from = find(root, path);
  into = {.value = 25, .percent = true};
  if (from == nullptr) return;
  into.percent = from->is_string();
  into.value = static_cast<int>(number_at(root, path));
  const std::string text = text_at(root, path);
  std::from_chars(text.data(), text.data() + text.size(), into.value);
}

// Counts that are zero are left out, as Go's omitempty does.
void put_count(json::object& into, const char* key, int count) {
  if (count != 0) into[key] = count;
}

template <class T>
json::object replicated_spec(const T& from) {
  return {{"replicas", from.spec.replicas},
          {"selector", encode_selector(from.spec.selector)},
          {"template", encode_template(from.spec.pod)}};
}

template <class T>
json::object replicated_status(const T& from) {
  json::object status{{"replicas", from.status.replicas}};
  if (from.status.observed_generation > 0) {
    status["observedGeneration"] = from.status.observed_generation;
  }
  put_count(status, "readyReplicas", from.status.ready);
  put_count(status, "availableReplicas", from.status.ready);
  return status;
}

template <class T>
void decode_replicated(const json::value& object, T& into) {
  into.spec.replicas = replicas_of(object);
  into.spec.selector = selector_of(object);
  into.spec.pod = decode_template(object);
}

bool ignores_disruption(const json::value& object) {
  const json::array* rules = find_array(object, {"spec", "podFailurePolicy", "rules"});
  if (rules == nullptr) return false;
  for (const json::value& rule : *rules) {
    const json::array* conditions = find_array(rule, {"onPodConditions"});
    if (text_at(rule, {"action"}) != "Ignore" || conditions == nullptr) continue;
    for (const json::value& condition : *conditions) {
      if (text_at(condition, {"type"}) == "DisruptionTarget") return true;
    }
  }
  return false;
}

}  // namespace

void encode_body(const ReplicaSet& from, json::object& into) {
  into["spec"] = replicated_spec(from);
  into["status"] = replicated_status(from);
}

void decode_spec(const json::value& object, ReplicaSet& into) {
  decode_replicated(object, into);
}

void encode_body(const Deployment& from, json::object& into) {
  json::object spec = replicated_spec(from);
  if (from.spec.recreate) {
    spec["strategy"] = json::object{{"type", "Recreate"}};
  } else {
    json::object rolling{{"maxUnavailable", encode_amount(from.spec.max_unavailable)},
                         {"maxSurge", encode_amount(from.spec.max_surge)}};
    spec["strategy"] = json::object{{"type", "RollingUpdate"}, {"rollingUpdate", rolling}};
  }
  json::object status = replicated_status(from);
  if (from.status.replicas == 0) status.erase("replicas");
  put_count(status, "updatedReplicas", from.status.updated);
  put_count(status, "unavailableReplicas", from.status.unavailable);
  json::array conditions = encode_conditions(from.status.conditions);
  if (!conditions.empty()) status["conditions"] = std::move(conditions);
  into["spec"] = std::move(spec);
  into["status"] = std::move(status);
}

void decode_spec(const json::value& object, Deployment& into) {
  decode_replicated(object, into);
  into.spec.recreate = text_at(object, {"spec", "strategy", "type"}) == "Recreate";
  decode_amount(object, {"spec", "strategy", "rollingUpdate", "maxSurge"}, into.spec.max_surge);
  decode_amount(object, {"spec", "strategy", "rollingUpdate", "maxUnavailable"},
                into.spec.max_unavailable);
}

void encode_body(const StatefulSet& from, json::object& into) {
  json::object spec = replicated_spec(from);
  spec["serviceName"] = from.spec.service_name;
  spec["podManagementPolicy"] = from.spec.parallel ? "Parallel" : "OrderedReady";
  into["spec"] = std::move(spec);
  into["status"] = replicated_status(from);
}

void decode_spec(const json::value& object, StatefulSet& into) {
  decode_replicated(object, into);
  into.spec.service_name = text_at(object, {"spec", "serviceName"});
  into.spec.parallel = text_at(object, {"spec", "podManagementPolicy"}) == "Parallel";
}

void encode_body(const DaemonSet& from, json::object& into) {
  into["spec"] = json::object{{"selector", encode_selector(from.spec.selector)},
                              {"template", encode_template(from.spec.pod)},
                              {"updateStrategy", json::object{{"type", "RollingUpdate"}}}};
  json::object status{{"currentNumberScheduled", from.status.current},
                      {"numberMisscheduled", 0},
                      {"desiredNumberScheduled", from.status.desired},
                      {"numberReady", from.status.ready}};
  if (from.status.observed_generation > 0) {
    status["observedGeneration"] = from.status.observed_generation;
  }
  into["status"] = std::move(status);
}

void decode_spec(const json::value& object, DaemonSet& into) {
  into.spec.selector = selector_of(object);
  into.spec.pod = decode_template(object);
}

void encode_body(const Job& from, json::object& into) {
  json::object spec{{"parallelism", from.spec.parallelism},
                    {"completions", from.spec.completions},
                    {"backoffLimit", from.spec.backoff_limit},
                    {"template", encode_template(from.spec.pod)}};
  if (from.spec.ignores_disruption) {
    spec["podFailurePolicy"] = json::object{
        {"rules", json::array{json::object{
                      {"action", "Ignore"},
                      {"onPodConditions", json::array{json::object{{"type", "DisruptionTarget"},
                                                                   {"status", "True"}}}}}}}};
  }
  json::object status;
  if (from.status.started) status["startTime"] = encode_time(*from.status.started);
  if (from.status.completed) status["completionTime"] = encode_time(*from.status.completed);
  put_count(status, "active", from.status.active);
  put_count(status, "succeeded", from.status.succeeded);
  put_count(status, "failed", from.status.failed);
  status["ready"] = from.status.ready;
  json::array conditions = encode_conditions(from.status.conditions);
  if (!conditions.empty()) status["conditions"] = std::move(conditions);
  into["spec"] = std::move(spec);
  into["status"] = std::move(status);
}

void decode_spec(const json::value& object, Job& into) {
  into.spec.parallelism = static_cast<int>(number_at(object, {"spec", "parallelism"}, 1));
  into.spec.completions =
      static_cast<int>(number_at(object, {"spec", "completions"}, into.spec.parallelism));
  into.spec.backoff_limit = static_cast<int>(number_at(object, {"spec", "backoffLimit"}, 6));
  into.spec.ignores_disruption = ignores_disruption(object);
  into.spec.pod = decode_template(object);
}

}  // namespace spotkeeper::emulator
