// SPDX-License-Identifier: Apache-2.0
#include "world/api.h"

#include <algorithm>
#include <type_traits>

namespace spotkeeper::world {
namespace {

// What a client cannot write.
void put_back_identity(Meta& meta, const Meta& before) {
  meta.ns = before.ns;
  meta.name = before.name;
  meta.uid = before.uid;
  meta.version = before.version;
  meta.generation = before.generation;
  meta.created = before.created;
  meta.deletion = before.deletion;
  meta.deletion_grace = before.deletion_grace;
}

}  // namespace

std::optional<Refusal> check_preconditions(const Object& object, const Preconditions& only_if) {
  const Key key = object.meta.key();
  if (only_if.uid && *only_if.uid != object.meta.uid) {
    return other_uid(object.kind, key, *only_if.uid, object.meta.uid);
  }
  if (only_if.version && *only_if.version != object.meta.version) {
    return other_version(object.kind, key, *only_if.version, object.meta.version);
  }
  return std::nullopt;
}

template <class T>
Answer<Ptr<T>> Api::create(T object) {
  const KeyView key = object.meta.view();
  if (key.name.empty()) {
    return Refused(invalid(T::kKind, key.copy(), "metadata.name",
                           "Required value: name or generateName is "
                           "required"));
  }
  if (is_namespaced(T::kKind)) {
    const Ptr<Namespace> ns = context_.store.find<Namespace>({{}, key.ns});
    if (!ns) return Refused(not_found(Kind::kNamespace, {{}, object.meta.ns}));
    if (ns->terminating()) return Refused(namespace_terminates(T::kKind, key.copy()));
  }
  if (!refused_.empty() && refused_.contains({T::kKind, object.meta.ns})) {
    return Refused(quota_exceeded(T::kKind, key.copy()));
  }
  if (context_.store.table<T>().contains(key)) return Refused(already_exists(T::kKind, key.copy()));
  if constexpr (std::is_same_v<T, Namespace>) {
    object.meta.labels.set("kubernetes.io/metadata.name", object.meta.name);
  }
  if constexpr (std::is_same_v<T, Budget>) {
    if (object.spec.min_available && object.spec.max_unavailable) {
      return Refused(invalid(T::kKind, key.copy(), "spec",
                             "Invalid value: minAvailable and maxUnavailable cannot be both set"));
    }
  }
  return context_.store.add(std::move(object));
}

template <class T>
Answer<Ptr<T>> Api::update(const Key& key, const Preconditions& only_if,
                           const std::function<void(T&)>& change) {
  const Ptr<T> before = context_.store.find<T>(key);
  if (!before) return Refused(not_found(T::kKind, key));
  if (only_if.uid && *only_if.uid != before->meta.uid) {
    return Refused(uid_is_fixed(T::kKind, key, *only_if.uid));
  }
  if (only_if.version && *only_if.version != before->meta.version) {
    return Refused(conflict(T::kKind, key));
  }
  if constexpr (std::is_same_v<T, Pod>) {
    const auto found = admissions_.find(key.ns);
    if (found != admissions_.end() && found->second.hash_stays != 0) {
      Pod wanted = *before;
      change(wanted);
      if (wanted.meta.labels.at(kHashLabel) != before->meta.labels.at(kHashLabel)) {
        return Refused(forbidden_by_policy(T::kKind, key, found->second.hash_stays));
      }
    }
  }
  const Ptr<T> after = context_.store.change(before, [&](T& object) {
    change(object);
    put_back_identity(object.meta, before->meta);
  });
  if (after->meta.deletion && after->meta.finalizers.empty() && !before->meta.finalizers.empty()) {
    if constexpr (std::is_same_v<T, Pod>) {
      if (after->meta.deletion_grace == Seconds(0)) return context_.store.erase(after);
    } else if constexpr (!std::is_same_v<T, Namespace>) {
      return context_.store.erase(after);
    }
  }
  return after;
}

Answer<Ptr<Object>> Api::remove(Kind kind, const Key& key, const DeleteOptions& options) {
  switch (kind) {
    case Kind::kNamespace:
      return remove_object<Namespace>(key, options);
    case Kind::kNode:
      return remove_object<Node>(key, options);
    case Kind::kPod:
      return remove_object<Pod>(key, options);
    case Kind::kReplicaSet:
      return remove_object<ReplicaSet>(key, options);
    case Kind::kDeployment:
      return remove_object<Deployment>(key, options);
    case Kind::kStatefulSet:
      return remove_object<StatefulSet>(key, options);
    case Kind::kDaemonSet:
      return remove_object<DaemonSet>(key, options);
    case Kind::kJob:
      return remove_object<Job>(key, options);
    case Kind::kBudget:
      return remove_object<Budget>(key, options);
    case Kind::kService:
      return remove_object<Service>(key, options);
    case Kind::kEndpointSlice:
      return remove_object<EndpointSlice>(key, options);
  }
  return Refused(not_found(kind, key));
}

template <class T>
Answer<Ptr<Object>> Api::remove_object(const Key& key, const DeleteOptions& options) {
  Ptr<T> object = context_.store.find<T>(key);
  if (!object) return Refused(not_found(T::kKind, key));
  if (std::optional<Refusal> refusal = check_preconditions(*object, options.only_if)) {
    return Refused(std::move(*refusal));
  }
  if (options.dry_run) return object;
  if constexpr (std::is_same_v<T, Pod>) {
    return delete_pod(object, options.grace);
  } else {
    if (options.orphan) orphan_dependents(*object);
    if (!object->meta.finalizers.empty() || std::is_same_v<T, Namespace>) {
      if (object->meta.deletion) return object;
      return context_.store.change(object, [&](T& each) { each.meta.deletion = context_.now(); });
    }
    return context_.store.erase(object);
  }
}

// Orphan: its dependents lose their ownerReference and stay.
template <class T>
void Api::orphan_dependents(const T& owner) {
  const PodIndex::Set pods = context_.store.pods().of(owner.meta.uid);
  for (const PodIndex::Entry* entry : pods) {
    context_.store.change(entry->pod, [](Pod& pod) { pod.meta.owner.reset(); });
  }
  if constexpr (std::is_same_v<T, Deployment>) {
    std::vector<Ptr<ReplicaSet>> owned;
    for (const auto& [key, set] : context_.store.table<ReplicaSet>()) {
      if (set->meta.owner && set->meta.owner->uid == owner.meta.uid) owned.push_back(set);
    }
    for (const Ptr<ReplicaSet>& set : owned) {
      context_.store.change(set, [](ReplicaSet& each) { each.meta.owner.reset(); });
    }
  }
}

// registry/core/pod: unscheduled and finished pods have no grace; a second deletion may only
// shorten it.
Ptr<Pod> Api::delete_pod(const Ptr<Pod>& pod, std::optional<Seconds> grace) {
  Seconds period = std::max(grace.value_or(pod->spec->grace), Seconds(0));
  if (pod->node.empty() || pod->finished()) period = Seconds(0);
  if (pod->deleting()) {
    if (!grace || period >= pod->meta.deletion_grace) return pod;
    period = std::min(period, pod->meta.deletion_grace);
  }
  if (period == Seconds(0) && pod->meta.finalizers.empty()) return context_.store.erase(pod);
  return context_.store.change(pod, [&](Pod& each) {
    const Time from =
        each.meta.deletion ? *each.meta.deletion - each.meta.deletion_grace : context_.now();
    each.meta.deletion = from + period;
    each.meta.deletion_grace = period;
  });
}

bool Api::let_go(const Ptr<Pod>& pod) {
  const auto found = admissions_.find(pod->meta.ns);
  if (found != admissions_.end() && found->second.owner_stays) return false;
  context_.store.change(pod, [](Pod& each) { each.meta.owner.reset(); });
  return true;
}

void Api::remove_pod_now(const Ptr<Pod>& pod) {
  if (pod->meta.finalizers.empty()) {
    context_.store.erase(pod);
    return;
  }
  context_.store.change(pod, [&](Pod& each) {
    if (!each.meta.deletion) each.meta.deletion = context_.now();
    each.meta.deletion_grace = Seconds(0);
  });
}

void Api::refuse_creations(Kind kind, const std::string& ns, bool refuse) {
  if (refuse) {
    refused_.emplace(kind, ns);
  } else {
    refused_.erase({kind, ns});
  }
}

// NOLINTBEGIN(bugprone-macro-parentheses): T is a type
#define SPOTKEEPER_INSTANTIATE(T)                                          \
  template Answer<Ptr<T>> Api::create<T>(T);                               \
  template Answer<Ptr<T>> Api::update<T>(const Key&, const Preconditions&, \
                                         const std::function<void(T&)>&);
// NOLINTEND(bugprone-macro-parentheses)
SPOTKEEPER_WORLD_FOR_EVERY_KIND(SPOTKEEPER_INSTANTIATE)
#undef SPOTKEEPER_INSTANTIATE

}  // namespace spotkeeper::world
