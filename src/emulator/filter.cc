// SPDX-License-Identifier: Apache-2.0
#include "emulator/filter.h"

#include <algorithm>
#include <set>
#include <utility>

#include "emulator/json.h"

namespace spotkeeper::emulator {

using world::Kind;
using world::Object;

namespace {

// Fields that a resource can be selected by, beside its name and namespace.
const std::set<std::string>& fields_of(const std::string& resource) {
  static const std::set<std::string> kPods{"spec.nodeName", "status.phase", "spec.restartPolicy",
                                           "spec.serviceAccountName", "status.podIP"};
  static const std::set<std::string> kNodes{"spec.unschedulable"};
  static const std::set<std::string> kNamespaces{"status.phase"};
  static const std::set<std::string> kJobs{"status.successful"};
  static const std::set<std::string> kNone;
  if (resource == "pods") return kPods;
  if (resource == "nodes") return kNodes;
  if (resource == "namespaces") return kNamespaces;
  return resource == "jobs" ? kJobs : kNone;
}

std::string pod_field(const world::Pod& pod, const std::string& field) {
  if (field == "spec.nodeName") return pod.node;
  if (field == "status.phase") return world::to_string(pod.status.phase);
  if (field == "spec.restartPolicy") return world::to_string(pod.spec->restart_policy);
  if (field == "spec.serviceAccountName") return pod.spec->service_account;
  return pod.status.ip;
}

std::string field_of(const Object& object, const std::string& field) {
  if (field == "metadata.name") return object.meta.name;
  if (field == "metadata.namespace") return object.meta.ns;
  if (object.kind == Kind::kPod) return pod_field(world::as<world::Pod>(object), field);
  if (object.kind == Kind::kNode) {
    return world::as<world::Node>(object).spec.unschedulable ? "true" : "false";
  }
  if (object.kind == Kind::kJob) {
    return std::to_string(world::as<world::Job>(object).status.succeeded);
  }
  return world::as<world::Namespace>(object).terminating() ? "Terminating" : "Active";
}

// "involvedObject.name" of an object that is merely kept.
std::string kept_field(const json::object& object, const std::string& field) {
  const json::value* at = nullptr;
  const json::object* inside = &object;
  for (size_t begin = 0; begin <= field.size() && inside != nullptr;) {
    const size_t dot = std::min(field.find('.', begin), field.size());
    at = inside->if_contains(field.substr(begin, dot - begin));
    inside = at == nullptr ? nullptr : at->if_object();
    begin = dot + 1;
  }
  return at == nullptr ? std::string() : text(*at);
}

}  // namespace

bool Filter::matches(const Object& object) const {
  if (!ns.empty() && object.meta.ns != ns) return false;
  if (!name.empty() && object.meta.name != name) return false;
  return labels.match([&](const std::string& key) -> std::optional<std::string> {
    const std::string* value = object.meta.labels.find(key);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }) && fields.match([&](const std::string& field) { return field_of(object, field); });
}

bool Filter::matches(const json::object& object) const {
  const json::value value(object);
  if (!name.empty() && text_at(value, {"metadata", "name"}) != name) return false;
  return labels.match([&](const std::string& key) -> std::optional<std::string> {
    const json::value* found = find(value, {"metadata", "labels", key});
    return found == nullptr ? std::nullopt : std::optional(text(*found));
  }) && fields.match([&](const std::string& field) { return kept_field(object, field); });
}

Outcome<Filter> parse_filter(const Query& query, const Resource& resource) {
  Filter filter;
  filter.ns = query.ns;
  filter.name = query.name;
  const std::string labels = query.parameter("labelSelector");
  const std::string fields = query.parameter("fieldSelector");
  const auto complain = [](const std::string& what) { return Failed(bad_request(what)); };
  auto by_label = parse_label_selector(labels);
  if (!by_label) return complain(by_label.error().message);
  auto by_field = parse_field_selector(fields);
  if (!by_field) return complain(by_field.error().message);
  for (const Requirement& requirement : by_field->all) {
    const std::string& key = requirement.key;
    const bool known = key == "metadata.name" ||
                       (key == "metadata.namespace" && resource.namespaced) ||
                       !resource.kept_by_world || fields_of(resource.name).contains(key);
    if (!known) return complain("field label not supported: " + key);
  }
  filter.labels = std::move(*by_label);
  filter.fields = std::move(*by_field);
  return filter;
}

}  // namespace spotkeeper::emulator
