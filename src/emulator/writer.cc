// SPDX-License-Identifier: Apache-2.0
#include "emulator/writer.h"

#include <fmt/format.h>

#include <charconv>
#include <type_traits>
#include <utility>

#include "emulator/codec.h"
#include "emulator/kinds.h"

namespace spotkeeper::emulator {

using world::Key;
using world::Kind;
using world::Preconditions;
using world::Ptr;

namespace {

constexpr const char* kPodSpecFixed =
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)";

Key key_of(const Query& query) {
  return {query.ns, query.name};
}

bool is_dry_run(const Query& query) {
  return query.parameter("dryRun") == "All";
}

// "web-" and five characters, as the API server makes names; unique by a counter.
std::string generated_name(const std::string& base, uint64_t number) {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string name = base;
  uint64_t rest = number * 2654435761u + 12345;
  for (int i = 0; i < 5; ++i, rest /= kLetters.size()) name += kLetters[rest % kLetters.size()];
  return name;
}

Outcome<Key> key_of_new(const Cluster& cluster, const Query& query, const Resource& resource,
                        const json::value& body) {
  if (!body.is_object()) return Failed(bad_request("the object provided is unrecognized"));
  const std::string ns = text_at(body, {"metadata", "namespace"});
  if (!ns.empty() && resource.namespaced && ns != query.ns) {
    return Failed(bad_request(
        fmt::format("the namespace of the provided object does not match the namespace sent on the "
                    "request")));
  }
  Key key{query.ns, text_at(body, {"metadata", "name"})};
  const std::string base = text_at(body, {"metadata", "generateName"});
  if (key.name.empty() && !base.empty()) {
    key.name = generated_name(base, cluster.world().version());
  }
  if (key.name.empty()) {
    return Failed(invalid(resource, "", "metadata.name",
                          "Required value: name or generateName is required",
                          "FieldValueRequired"));
  }
  return key;
}

// What an object's own metadata demands: a PUT or PATCH that carries a version is bound to it.
Preconditions preconditions_of(const json::value& object) {
  Preconditions only_if;
  if (const std::string uid = text_at(object, {"metadata", "uid"}); !uid.empty()) {
    only_if.uid = world::Uid::parse(uid);
  }
  const std::string version = text_at(object, {"metadata", "resourceVersion"});
  uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  if (number != 0) only_if.version = number;
  return only_if;
}

// The object that the JSON makes of `object`: the main resource or its status.
template <class T>
void write_onto(T& object, const json::value& from, bool status) {
  const auto owner = object.meta.owner;
  decode_meta(from, object);
  if (status) {
    object.meta.owner = owner;
    decode_status(from, object);
  } else if constexpr (!std::is_same_v<T, world::Pod>) {
    decode_spec(from, object);
  }
}

// A pod's spec does not change; what the world does not model is not looked at.
bool changes_pod_spec(const world::Pod& pod, const json::value& from) {
  const json::value shown(encode(pod));
  const json::value* before = find(shown, {"spec"});
  const json::value* after = find(from, {"spec"});
  if (before == nullptr || after == nullptr) return true;
  // What containers would do stands in annotations, which may change.
  return decode_pod_spec(*before, {}) != decode_pod_spec(*after, {}) ||
         text_at(*before, {"nodeName"}) != text_at(*after, {"nodeName"});
}

template <class T>
Outcome<json::object> write_typed(Cluster& cluster, const Query& query, const Resource& resource,
                                  const json::value& wanted) {
  const Key key = key_of(query);
  const bool status = query.subresource == "status";
  const Ptr<T> before = cluster.world().find<T>(key);
  if constexpr (std::is_same_v<T, world::Pod>) {
    if (!status && before && changes_pod_spec(*before, wanted)) {
      return Failed(invalid(resource, key.name, "spec", kPodSpecFixed, "FieldValueForbidden"));
    }
  }
  const auto answer = cluster.world().update<T>(
      key, preconditions_of(wanted), [&](T& object) { write_onto(object, wanted, status); });
  if (!answer) return Failed(answer.error());
  if constexpr (std::is_same_v<T, world::Pod>) {
    const bool lost = status && before && before->ready() && !(*answer)->ready();
    if (lost) cluster.world().set_ready(key, false);
  }
  return encode(**answer);
}

Outcome<json::object> write_kept(Cluster& cluster, const Query& query, const Resource& resource,
                                 const json::value& wanted) {
  if (!wanted.is_object()) return Failed(bad_request("the object provided is unrecognized"));
  return cluster.shelf().replace(resource, key_of(query), wanted.get_object(),
                                 cluster.world().version());
}

Outcome<json::object> write(Cluster& cluster, const Query& query, const Resource& resource,
                            const json::value& wanted) {
  if (is_dry_run(query)) return wanted.is_object() ? wanted.get_object() : json::object();
  if (!resource.kept_by_world) return write_kept(cluster, query, resource, wanted);
  return with_kind(*resource.kept_by_world,
                   [&]<class T>() { return write_typed<T>(cluster, query, resource, wanted); });
}

template <class T>
Outcome<json::object> create_typed(Cluster& cluster, const Key& key, const json::value& body,
                                   bool dry_run) {
  T object;
  object.meta.name = key.name;
  object.meta.ns = key.ns;
  decode_meta(body, object);
  decode_spec(body, object);
  if constexpr (std::is_same_v<T, world::Node>) decode_status(body, object);
  if (dry_run) return encode(object);
  const auto answer = cluster.world().create<T>(std::move(object));
  if (!answer) return Failed(answer.error());
  return encode(**answer);
}

json::object scale_of(const json::value& object) {
  const json::value* selector = find(object, {"spec", "selector", "matchLabels"});
  std::string text;
  if (selector != nullptr && selector->is_object()) {
    for (const auto& [key, value] : selector->get_object()) {
      text += (text.empty() ? "" : ",") + std::string(key) + "=" + emulator::text(value);
    }
  }
  json::object meta;
  for (const char* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const json::value* found = find(object, {"metadata", field})) meta[field] = *found;
  }
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata", std::move(meta)},
          {"spec", json::object{{"replicas", number_at(object, {"spec", "replicas"})}}},
          {"status", json::object{{"replicas", number_at(object, {"status", "replicas"})},
                                  {"selector", text}}}};
}

Outcome<json::object> write_scale(Cluster& cluster, const Query& query, const Resource& resource,
                                  const json::value& scale) {
  auto whole = cluster.get(resource, key_of(query));
  if (!whole) return whole;
  child(*whole, "spec")["replicas"] = number_at(scale, {"spec", "replicas"});
  json::object& meta = child(*whole, "metadata");
  const std::string version = text_at(scale, {"metadata", "resourceVersion"});
  if (version.empty()) {
    meta.erase("resourceVersion");
  } else {
    meta["resourceVersion"] = version;
  }
  Query main = query;
  main.subresource.clear();
  const auto written = write(cluster, main, resource, *whole);
  if (!written) return written;
  return scale_of(*written);
}

world::DeleteOptions delete_options(const Query& query, const json::value& body) {
  world::DeleteOptions options;
  if (const auto grace = maybe_number_at(body, {"gracePeriodSeconds"})) {
    options.grace = Seconds(*grace);
  } else if (const std::string text = query.parameter("gracePeriodSeconds"); !text.empty()) {
    int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    options.grace = Seconds(seconds);
  }
  json::object meta;
  if (const json::value* wanted = find(body, {"preconditions"})) meta["metadata"] = *wanted;
  options.only_if = preconditions_of(meta);
  std::string policy = text_at(body, {"propagationPolicy"});
  if (policy.empty()) policy = query.parameter("propagationPolicy");
  options.orphan = policy == "Orphan" || flag_at(body, {"orphanDependents"});
  const std::vector<std::string> dry = texts_at(body, {"dryRun"});
  options.dry_run = is_dry_run(query) || (!dry.empty() && dry.front() == "All");
  return options;
}

}  // namespace

Outcome<json::object> create_object(Cluster& cluster, const Query& query, const Resource& resource,
                                    const json::value& body) {
  const auto key = key_of_new(cluster, query, resource, body);
  if (!key) return std::unexpected(key.error());
  if (!resource.kept_by_world) {
    return cluster.shelf().create(resource, *key, body.get_object(), cluster.world().version(),
                                  cluster.world().now());
  }
  if (*resource.kept_by_world == Kind::kEndpointSlice) return Failed(method_not_allowed());
  return with_kind(*resource.kept_by_world, [&]<class T>() {
    return create_typed<T>(cluster, *key, body, is_dry_run(query));
  });
}

Outcome<json::object> replace_object(Cluster& cluster, const Query& query, const Resource& resource,
                                     const json::value& body) {
  const std::string name = text_at(body, {"metadata", "name"});
  if (name != query.name) {
    return Failed(bad_request(fmt::format(
        "the name of the object ({}) does not match the name on the URL ({})", name, query.name)));
  }
  if (query.subresource == "scale") return write_scale(cluster, query, resource, body);
  return write(cluster, query, resource, body);
}

Outcome<json::object> patch_object(Cluster& cluster, const Query& query, const Resource& resource,
                                   PatchKind kind, const json::value& patch) {
  auto current = cluster.get(resource, key_of(query));
  if (!current) return current;
  const bool scale = query.subresource == "scale";
  json::value changed = scale ? scale_of(*current) : *current;
  const auto applied = apply_patch(kind, changed, patch);
  if (!applied) {
    if (kind != PatchKind::kJson) return Failed(bad_request(applied.error().message));
    return Failed(Failure(422, "Invalid", applied.error().message));
  }
  // The version that was read binds nobody; one that stands in the patch does.
  const std::string version = text_at(changed, {"metadata", "resourceVersion"});
  if (version == text_at(*current, {"metadata", "resourceVersion"}) && changed.is_object()) {
    child(changed.get_object(), "metadata").erase("resourceVersion");
  }
  if (scale) return write_scale(cluster, query, resource, changed);
  return write(cluster, query, resource, changed);
}

Outcome<json::object> get_scale(const Cluster& cluster, const Query& query,
                                const Resource& resource) {
  const auto object = cluster.get(resource, key_of(query));
  if (!object) return object;
  return scale_of(*object);
}

Outcome<json::object> delete_object(Cluster& cluster, const Query& query, const Resource& resource,
                                    const json::value& options) {
  if (!resource.kept_by_world) {
    const auto gone = cluster.shelf().remove(resource, key_of(query));
    if (!gone) return gone;
    return success(resource, query.name, text_at(*gone, {"metadata", "uid"}));
  }
  const Kind kind = *resource.kept_by_world;
  const world::DeleteOptions how = delete_options(query, options);
  const auto answer = cluster.world().remove(kind, key_of(query), how);
  if (!answer) return Failed(answer.error());
  // An object that is not removed at once is shown; orphaning is a finalizer's work.
  if (kind == Kind::kPod || kind == Kind::kNamespace || how.orphan) return encode(**answer);
  return success(resource, query.name, (*answer)->meta.uid.text());
}

Outcome<json::object> delete_collection(Cluster& cluster, const Query& query,
                                        const Resource& resource, const json::value& options) {
  const auto list = cluster.list(query, resource);
  if (!list) return list;
  Query one = query;
  for (const json::value& item : list->at("items").as_array()) {
    one.ns = text_at(item, {"metadata", "namespace"});
    one.name = text_at(item, {"metadata", "name"});
    const auto gone = delete_object(cluster, one, resource, options);
    if (!gone && gone.error().code != 404) return gone;
  }
  return list;
}

Outcome<json::object> evict_pod(Cluster& cluster, const Query& query, const json::value& eviction) {
  const std::string name = text_at(eviction, {"metadata", "name"});
  if (name != query.name) {
    return Failed(bad_request("name in URL does not match name in Eviction object"));
  }
  // Admission comes first: an eviction is something new in its namespace.
  if (!cluster.world().find<world::Namespace>({"", query.ns})) {
    return Failed(world::not_found(Kind::kNamespace, {"", query.ns}));
  }
  const json::value* options = find(eviction, {"deleteOptions"});
  const auto answer = cluster.world().evict(
      key_of(query), delete_options(query, options == nullptr ? json::value() : *options));
  if (!answer) return Failed(answer.error());
  return json::object{{"kind", "Status"},
                      {"apiVersion", "v1"},
                      {"metadata", json::object()},
                      {"status", "Success"},
                      {"code", 201}};
}

}  // namespace spotkeeper::emulator
