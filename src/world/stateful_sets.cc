// SPDX-License-Identifier: Apache-2.0
#include "world/stateful_sets.h"

#include <algorithm>
#include <charconv>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

int ordinal_of(const Pod& pod) {
  const std::string& name = pod.meta.name;
  int ordinal = -1;
  const size_t dash = name.rfind('-');
  if (dash != std::string::npos) {
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), ordinal);
  }
  return ordinal;
}

}  // namespace

StatefulSets::StatefulSets(Context& context)
    : context_(context),
      queue_(context, context.options.stateful_set, [this](const Key& key) { sync(key); }) {}

void StatefulSets::on(const Event& event) {
  const Meta& meta = event.object->meta;
  if (event.kind() == Kind::kStatefulSet && event.change != Change::kDeleted) {
    queue_.add(meta.view());
  } else if (event.kind() == Kind::kPod && meta.owner && meta.owner->kind == Kind::kStatefulSet) {
    queue_.add({meta.ns, meta.owner->name});
  }
}

void StatefulSets::sync(const Key& key) {
  const Ptr<StatefulSet> set = context_.store.find<StatefulSet>(key);
  if (!set || set->meta.deletion) return;
  for (int ordinal = 0; ordinal < set->spec.replicas; ++ordinal) {
    if (!settle(*set, ordinal) && !set->spec.parallel) break;
  }
  const PodIndex::Set& pods = context_.store.pods().of(set->meta.uid);
  const StatefulSet::Status status{
      .observed_generation = set->meta.generation,
      .replicas = static_cast<int>(pods.size()),
      .ready = static_cast<int>(std::ranges::count_if(pods, &PodIndex::Entry::ready))};
  scale_down(*set, pods);
  context_.store.report(set, status);
}

bool StatefulSets::settle(const StatefulSet& set, int ordinal) {
  std::string name = set.meta.name + "-" + std::to_string(ordinal);
  const Ptr<Pod> old = context_.store.find<Pod>({set.meta.ns, name});
  if (old) {
    if (old->finished() && !old->deleting() && old->meta.owner &&
        old->meta.owner->uid == set.meta.uid) {
      context_.api->delete_pod(old, std::nullopt);  // its removal wakes us
    }
    return old->active() && old->ready();
  }
  Pod pod = pod_from(set.spec.pod, set.meta, Kind::kStatefulSet, name);
  pod.meta.labels.set("statefulset.kubernetes.io/pod-name", name);
  pod.meta.labels.set("apps.kubernetes.io/pod-index", std::to_string(ordinal));
  if (!context_.api->create(std::move(pod))) {
    queue_.add_at(set.meta.key(), context_.now() + Seconds(1));
  }
  return false;
}

// The highest first; an ordered set one by one.
void StatefulSets::scale_down(const StatefulSet& set, const PodIndex::Set& pods) {
  std::vector<Ptr<Pod>> extra;
  for (const PodIndex::Entry* entry : pods) {
    if (ordinal_of(*entry->pod) >= set.spec.replicas) extra.push_back(entry->pod);
  }
  std::ranges::sort(extra, std::greater<>(), [](const Ptr<Pod>& pod) { return ordinal_of(*pod); });
  for (const Ptr<Pod>& pod : extra) {
    if (!pod->deleting()) context_.api->delete_pod(pod, std::nullopt);
    if (!set.spec.parallel) return;
  }
}

}  // namespace spotkeeper::world
