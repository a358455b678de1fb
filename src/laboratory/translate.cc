// SPDX-License-Identifier: Apache-2.0
#include "laboratory/translate.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/json.h"
#include "kube/api.h"

namespace spotkeeper::laboratory {
namespace {

namespace json = boost::json;

std::optional<kube::Owner> to_kube(const std::optional<world::Owner>& owner) {
  if (!owner) return std::nullopt;
  return kube::Owner{.api_version = world::api_version(owner->kind),
                     .kind = world::kind_name(owner->kind),
                     .name = owner->name,
                     .uid = owner->uid.text()};
}

LabelSelector to_kube(const world::Selector& selector) {
  LabelSelector made{.match_labels = selector.match_labels.map(), .match_expressions = {}};
  for (const world::Selector::Expression& each : selector.match_expressions) {
    made.match_expressions.push_back({.key = each.key, .op = each.op, .values = each.values});
  }
  return made;
}

}  // namespace

kube::Pod to_kube(const world::Pod& pod) {
  kube::Pod made;
  made.uid = pod.meta.uid.text();
  made.ns = pod.meta.ns;
  made.name = pod.meta.name;
  made.node = pod.node;
  made.resource_version = std::to_string(pod.meta.version);
  made.owner = to_kube(pod.meta.owner);
  made.labels = pod.meta.labels.map();
  made.annotations = pod.meta.annotations.map();
  made.phase = world::to_string(pod.status.phase);
  made.ready = pod.ready();
  // The API shows whole seconds.
  if (pod.meta.deletion) made.deletion = std::chrono::floor<Seconds>(*pod.meta.deletion);
  made.deletion_grace_s = pod.meta.deletion_grace.count();
  made.grace_s = pod.spec->grace.count();
  made.mirror = made.annotations.contains(world::kMirrorAnnotation);
  made.empty_dir = pod.spec->empty_dir;
  made.priority_class = pod.spec->priority_class;
  if (!pod.spec->claim.empty()) made.claims.push_back(pod.spec->claim);
  made.host_port = pod.spec->host_port != 0;
  const world::Taint cordon{
      .key = "node.kubernetes.io/unschedulable", .value = {}, .effect = "NoSchedule"};
  for (const world::Toleration& each : pod.spec->tolerations) {
    if (each.tolerates(cordon)) made.tolerates_cordon = true;
    if (each.key.empty() && each.op == "Exists" && each.effect.empty()) made.tolerates_all = true;
  }
  return made;
}

bool shows_in_record(const world::Event& event) {
  if (event.change != world::Change::kModified) return true;
  const world::Pod& before = world::as<world::Pod>(*event.before);
  const world::Pod& after = world::as<world::Pod>(*event.object);
  return before.status.phase != after.status.phase || before.ready() != after.ready() ||
         before.meta.deletion != after.meta.deletion ||
         before.meta.deletion_grace != after.meta.deletion_grace || before.node != after.node ||
         before.meta.owner != after.meta.owner || before.meta.labels != after.meta.labels ||
         before.meta.annotations != after.meta.annotations || before.spec != after.spec;
}

world::Selector to_world(const LabelSelector& selector) {
  world::Selector made{.match_labels = world::Labels(selector.match_labels),
                       .match_expressions = {}};
  for (const LabelSelector::Expression& each : selector.match_expressions) {
    made.match_expressions.push_back({.key = each.key, .op = each.op, .values = each.values});
  }
  return made;
}

kube::Node to_kube(const world::Node& node) {
  kube::Node made;
  made.name = node.meta.name;
  made.uid = node.meta.uid.text();
  made.resource_version = std::to_string(node.meta.version);
  made.provider_id = node.spec.provider_id;
  made.unschedulable = node.spec.unschedulable;
  for (const world::Taint& taint : node.spec.taints) {
    made.taints.push_back({.key = taint.key,
                           .value = taint.value,
                           .effect = taint.effect,
                           .time_added = taint.time_added ? format_time_s(*taint.time_added) : ""});
  }
  made.labels = node.meta.labels.map();
  made.annotations = node.meta.annotations.map();
  return made;
}

kube::Budget to_kube(const world::Budget& budget) {
  kube::Budget made;
  made.uid = budget.meta.uid.text();
  made.ns = budget.meta.ns;
  made.name = budget.meta.name;
  made.resource_version = std::to_string(budget.meta.version);
  if (budget.spec.selector) made.selector = to_kube(*budget.spec.selector);
  made.disruptions_allowed = budget.status.disruptions_allowed;
  made.generation = budget.meta.generation;
  made.observed_generation = budget.status.observed_generation;
  made.always_allow_unhealthy = budget.spec.always_allow_unhealthy;
  return made;
}

kube::Deployment to_kube(const world::Deployment& deployment) {
  kube::Deployment made;
  made.uid = deployment.meta.uid.text();
  made.ns = deployment.meta.ns;
  made.name = deployment.meta.name;
  made.resource_version = std::to_string(deployment.meta.version);
  made.selector = to_kube(deployment.spec.selector);
  made.replicas = deployment.spec.replicas;
  const world::IntOrPercent& surge = deployment.spec.max_surge;
  made.surges = !deployment.spec.recreate && surge.value > 0;
  made.ending = deployment.meta.deletion.has_value();
  made.rolling = deployment.status.replicas > deployment.status.updated;
  return made;
}

Error to_error(const std::string& what, const world::Refusal& refusal) {
  json::array causes;
  for (const world::Refusal::Cause& cause : refusal.causes) {
    causes.push_back(
        json::object{{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}});
  }
  json::object details{{"causes", std::move(causes)}};
  if (refusal.retry_after_s > 0) details["retryAfterSeconds"] = refusal.retry_after_s;
  const json::object status{{"kind", "Status"},
                            {"message", refusal.message},
                            {"reason", refusal.reason},
                            {"details", std::move(details)},
                            {"code", refusal.code}};
  return kube::api_error(what,
                         {.status = refusal.code, .headers = {}, .body = json::serialize(status)});
}

void apply_metadata(world::Meta& meta, const json::object& metadata) {
  const auto apply = [&metadata](const char* what, world::Labels& to) {
    const json::value* all = metadata.if_contains(what);
    if (all == nullptr || !all->is_object()) return;
    for (const auto& [key, value] : all->as_object()) {
      if (value.is_null()) {
        to.erase(key);
      } else {
        to.set(key, text_at(value, {}));
      }
    }
  };
  apply("labels", meta.labels);
  apply("annotations", meta.annotations);
}

world::Answer<world::Ptr<world::Node>> apply_mark(world::World& world, const std::string& node,
                                                  const json::value& patch) {
  world::Preconditions only_if;
  const std::string version = text_at(patch, {"metadata", "resourceVersion"});
  if (!version.empty()) only_if.version = std::stoull(version);
  return world.update<world::Node>({{}, node}, only_if, [&](world::Node& each) {
    if (const json::object* metadata = find_object(patch, {"metadata"})) {
      apply_metadata(each.meta, *metadata);
    }
    const json::object* spec = find_object(patch, {"spec"});
    if (spec == nullptr) return;
    if (spec->contains("unschedulable")) {
      each.spec.unschedulable = flag_at(patch, {"spec", "unschedulable"});
    }
    const json::array* taints = find_array(patch, {"spec", "taints"});
    if (taints == nullptr) return;
    each.spec.taints.clear();
    for (const json::value& taint : *taints) {
      each.spec.taints.push_back({.key = text_at(taint, {"key"}),
                                  .value = text_at(taint, {"value"}),
                                  .effect = text_at(taint, {"effect"})});
    }
  });
}

}  // namespace spotkeeper::laboratory
