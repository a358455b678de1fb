// SPDX-License-Identifier: Apache-2.0
#include "world/garbage.h"

#include "world/api.h"
#include "world/jobs.h"

namespace spotkeeper::world {
namespace {

template <class T>
std::vector<Ptr<T>> all_in(const Store& store, const std::string& ns) {
  std::vector<Ptr<T>> found;
  const Table<T>& table = store.table<T>();
  for (auto at = table.first_in(ns); at != table.end() && at->first.ns == ns; ++at) {
    found.push_back(at->second);
  }
  return found;
}

template <class T>
bool has_any(const Store& store, const std::string& ns) {
  const auto at = store.table<T>().first_in(ns);
  return at != store.table<T>().end() && at->first.ns == ns;
}

template <class T>
void remove_all_in(Context& context, const std::string& ns) {
  for (const Ptr<T>& object : all_in<T>(context.store, ns)) {
    static_cast<void>(context.api->remove(T::kKind, object->meta.key(), {}));
  }
}

template <class T>
void remove_owned(Context& context, Uid owner) {
  std::vector<Ptr<T>> owned;
  for (const auto& [key, object] : context.store.table<T>()) {
    if (object->meta.owner && object->meta.owner->uid == owner) owned.push_back(object);
  }
  for (const Ptr<T>& object : owned) {
    static_cast<void>(context.api->remove(T::kKind, object->meta.key(), {}));
  }
}

}  // namespace

Garbage::Garbage(Context& context)
    : context_(context), ending_(context, context.options.namespaces, [this](const Key& key) {
        empty_namespace(key);
        end_namespace(key);
      }) {}

void Garbage::on(const Event& event) {
  const Meta& meta = event.object->meta;
  if (event.kind() == Kind::kNamespace) {
    if (event.change == Change::kModified && meta.deletion) ending_.add(meta.key());
    return;
  }
  if (event.change != Change::kDeleted) return;
  if (is_namespaced(event.kind())) {
    const Ptr<Namespace> ns = context_.store.find<Namespace>({{}, meta.ns});
    if (ns && ns->terminating()) ending_.add({{}, meta.ns});
  }
  const Millis delay = context_.random.in(context_.options.garbage);
  switch (event.kind()) {
    case Kind::kNode:
      context_.timeline.after(delay, [this, node = meta.name] { collect_pods_of_node(node); });
      break;
    case Kind::kReplicaSet:
    case Kind::kDeployment:
    case Kind::kStatefulSet:
    case Kind::kDaemonSet:
    case Kind::kJob:
    case Kind::kService:
      context_.timeline.after(
          delay, [this, kind = event.kind(), uid = meta.uid] { collect_dependents(kind, uid); });
      break;
    default:
      break;
  }
}

void Garbage::collect_dependents(Kind kind, Uid owner) {
  if (kind == Kind::kDeployment) remove_owned<ReplicaSet>(context_, owner);
  if (kind == Kind::kService) remove_owned<EndpointSlice>(context_, owner);
  const PodIndex::Set pods = context_.store.pods().of(owner);
  for (const PodIndex::Entry* entry : pods) {
    // A Job's controller would take its finalizer off.
    const Ptr<Pod> pod = context_.store.change(
        entry->pod, [](Pod& each) { std::erase(each.meta.finalizers, kJobFinalizer); });
    context_.api->delete_pod(pod, std::nullopt);
  }
}

void Garbage::collect_pods_of_node(const std::string& node) {
  const PodIndex::Set pods = context_.store.pods().on(node);
  for (const PodIndex::Entry* entry : pods) context_.api->remove_pod_now(entry->pod);
}

void Garbage::empty_namespace(const Key& key) {
  const Ptr<Namespace> ns = context_.store.find<Namespace>(key);
  if (!ns || !ns->terminating()) return;
  remove_all_in<Deployment>(context_, key.name);
  remove_all_in<ReplicaSet>(context_, key.name);
  remove_all_in<StatefulSet>(context_, key.name);
  remove_all_in<DaemonSet>(context_, key.name);
  remove_all_in<Job>(context_, key.name);
  remove_all_in<Budget>(context_, key.name);
  remove_all_in<Service>(context_, key.name);
  remove_all_in<EndpointSlice>(context_, key.name);
  remove_all_in<Pod>(context_, key.name);
}

void Garbage::end_namespace(const Key& key) {
  const Ptr<Namespace> ns = context_.store.find<Namespace>(key);
  if (!ns || !ns->terminating() || !ns->meta.finalizers.empty()) return;
  const Store& store = context_.store;
  const bool left = has_any<Pod>(store, key.name) || has_any<ReplicaSet>(store, key.name) ||
                    has_any<Deployment>(store, key.name) || has_any<StatefulSet>(store, key.name) ||
                    has_any<DaemonSet>(store, key.name) || has_any<Job>(store, key.name) ||
                    has_any<Budget>(store, key.name) || has_any<Service>(store, key.name) ||
                    has_any<EndpointSlice>(store, key.name);
  if (!left) context_.store.erase(ns);
}

}  // namespace spotkeeper::world
