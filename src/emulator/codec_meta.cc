// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "emulator/codec.h"
#include "emulator/kinds.h"

namespace spotkeeper::emulator {

using world::Condition;
using world::Kind;
using world::Labels;
using world::Meta;
using world::Object;
using world::Owner;
using world::Selector;

namespace {

constexpr Kind kOwners[] = {Kind::kReplicaSet, Kind::kDeployment, Kind::kStatefulSet,
                            Kind::kDaemonSet,  Kind::kJob,        Kind::kService,
                            Kind::kNode};

std::optional<Owner> decode_owner(const json::value& object) {
  const json::array* owners = find_array(object, {"metadata", "ownerReferences"});
  if (owners == nullptr) return std::nullopt;
  for (const json::value& owner : *owners) {
    if (!flag_at(owner, {"controller"})) continue;
    const std::string kind = text_at(owner, {"kind"});
    const auto* found = std::ranges::find_if(
        kOwners, [&](Kind candidate) { return kind == world::kind_name(candidate); });
    if (found == std::end(kOwners)) continue;
    return Owner{.kind = *found,
                 .name = text_at(owner, {"name"}),
                 .uid = world::Uid::parse(text_at(owner, {"uid"}))};
  }
  return std::nullopt;
}

json::object encode_owner(const Owner& owner) {
  return {{"apiVersion", world::api_version(owner.kind)},
          {"kind", world::kind_name(owner.kind)},
          {"name", owner.name},
          {"uid", owner.uid.text()},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

Labels annotations_of(const Object& object) {
  Labels annotations = object.meta.annotations;
  if (object.kind == Kind::kDeployment) {
    const int revision = world::as<world::Deployment>(object).status.revision;
    if (revision > 0) annotations.set(kRevision, std::to_string(revision));
  }
  return annotations;
}

json::object encode_meta(const Object& object) {
  const Meta& meta = object.meta;
  json::object into{{"name", meta.name}};
  const bool named_by_owner =
      meta.owner && object.kind == Kind::kPod && meta.owner->kind != Kind::kStatefulSet;
  if (named_by_owner) into["generateName"] = meta.owner->name + "-";
  if (!meta.ns.empty()) into["namespace"] = meta.ns;
  into["uid"] = meta.uid.text();
  into["resourceVersion"] = std::to_string(meta.version);
  if (meta.generation > 0) into["generation"] = meta.generation;
  into["creationTimestamp"] = encode_time(meta.created);
  if (meta.deletion) {
    into["deletionTimestamp"] = encode_time(*meta.deletion);
    into["deletionGracePeriodSeconds"] = meta.deletion_grace.count();
  }
  if (!meta.labels.empty()) into["labels"] = encode_map(meta.labels);
  const Labels annotations = annotations_of(object);
  if (!annotations.empty()) into["annotations"] = encode_map(annotations);
  if (meta.owner) into["ownerReferences"] = json::array{encode_owner(*meta.owner)};
  if (!meta.finalizers.empty()) {
    into["finalizers"] = json::array(meta.finalizers.begin(), meta.finalizers.end());
  }
  return into;
}

bool same_second(Time a, Time b) {
  return std::chrono::floor<Seconds>(a) == std::chrono::floor<Seconds>(b);
}

}  // namespace

json::value encode_time(Time time) {
  if (time == Time{}) return nullptr;
  return json::value(format_time_s(time));
}

json::object encode(const Object& object) {
  json::object into{{"kind", world::kind_name(object.kind)},
                    {"apiVersion", world::api_version(object.kind)},
                    {"metadata", encode_meta(object)}};
  with_kind(object.kind, [&]<class T>() { encode_body(world::as<T>(object), into); });
  return into;
}

void decode_identity(const json::value& object, Object& into) {
  into.meta.name = text_at(object, {"metadata", "name"});
  into.meta.ns = text_at(object, {"metadata", "namespace"});
}

void decode_meta(const json::value& object, Object& into) {
  Meta& meta = into.meta;
  meta.labels = decode_map(object, {"metadata", "labels"});
  meta.annotations = decode_map(object, {"metadata", "annotations"});
  if (into.kind == Kind::kDeployment) meta.annotations.erase(kRevision);
  meta.finalizers = texts_at(object, {"metadata", "finalizers"});
  meta.owner = decode_owner(object);
}

json::object encode_map(const Labels& labels) {
  json::object into;
  for (const auto& [key, value] : labels) into[key] = value;
  return into;
}

Labels decode_map(const json::value& root, Path path) {
  Labels::Map map;
  if (const json::object* object = find_object(root, path)) {
    for (const auto& [key, value] : *object) map.emplace(key, text(value));
  }
  return map.empty() ? Labels() : Labels(std::move(map));
}

json::object encode_selector(const Selector& selector) {
  json::object into;
  if (!selector.match_labels.empty()) into["matchLabels"] = encode_map(selector.match_labels);
  json::array expressions;
  for (const auto& expression : selector.match_expressions) {
    json::object entry{{"key", expression.key}, {"operator", expression.op}};
    if (!expression.values.empty()) {
      entry["values"] = json::array(expression.values.begin(), expression.values.end());
    }
    expressions.push_back(std::move(entry));
  }
  if (!expressions.empty()) into["matchExpressions"] = std::move(expressions);
  return into;
}

Selector decode_selector(const json::value& selector) {
  Selector into;
  into.match_labels = decode_map(selector, {"matchLabels"});
  if (const json::array* expressions = find_array(selector, {"matchExpressions"})) {
    for (const json::value& expression : *expressions) {
      into.match_expressions.push_back({.key = text_at(expression, {"key"}),
                                        .op = text_at(expression, {"operator"}),
                                        .values = texts_at(expression, {"values"})});
    }
  }
  return into;
}

json::array encode_conditions(const std::vector<Condition>& conditions) {
  json::array into;
  for (const Condition& condition : conditions) {
    json::object entry{{"type", condition.type},
                       {"status", condition.status ? "True" : "False"},
                       {"lastTransitionTime", encode_time(condition.since)}};
    if (!condition.reason.empty()) entry["reason"] = condition.reason;
    if (!condition.message.empty()) entry["message"] = condition.message;
    into.push_back(std::move(entry));
  }
  return into;
}

std::vector<Condition> decode_conditions(const json::value& object,
                                         const std::vector<Condition>& before) {
  std::vector<Condition> into;
  const json::array* conditions = find_array(object, {"status", "conditions"});
  if (conditions == nullptr) return into;
  for (const json::value& entry : *conditions) {
    Condition condition{.type = text_at(entry, {"type"}),
                        .status = text_at(entry, {"status"}) == "True",
                        .reason = text_at(entry, {"reason"}),
                        .message = text_at(entry, {"message"})};
    parse_time(text_at(entry, {"lastTransitionTime"}), condition.since);
    const Condition* old = world::find_condition(before, condition.type);
    if (old != nullptr && same_second(old->since, condition.since)) condition.since = old->since;
    into.push_back(std::move(condition));
  }
  return into;
}

}  // namespace spotkeeper::emulator
