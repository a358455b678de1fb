// SPDX-License-Identifier: Apache-2.0
#include "world/replica_sets.h"

#include <algorithm>
#include <tuple>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

// Which pods go first when there are too many: the least useful.
auto usefulness(const Ptr<Pod>& pod) {
  return std::tuple(!pod->node.empty(), pod->status.phase == Phase::kRunning, pod->ready(),
                    -pod->meta.created.time_since_epoch().count(), pod->meta.uid.value);
}

}  // namespace

ReplicaSets::ReplicaSets(Context& context)
    : context_(context),
      limit_(context.options.controller_rate, context.options.controller_burst),
      queue_(context, context.options.replica_set, [this](const Key& key) { sync(key); }) {}

void ReplicaSets::on(const Event& event) {
  if (event.kind() == Kind::kReplicaSet) {
    if (event.change != Change::kDeleted) queue_.add(event.object->meta.key());
    return;
  }
  if (event.kind() != Kind::kPod || !counts_differ(event)) return;
  const auto wake_owner = [&](const Object& object) {
    if (!object.meta.owner || object.meta.owner->kind != Kind::kReplicaSet) return false;
    queue_.add({object.meta.ns, object.meta.owner->name});
    return true;
  };
  const bool owned = wake_owner(*event.object);
  if (event.before && event.before->meta.owner != event.object->meta.owner) {
    wake_owner(*event.before);
  }
  if (owned) return;
  for (const PodIndex::Line* line : context_.store.pods().lines_of(event.object->meta.uid)) {
    if (line->kind == Kind::kReplicaSet) queue_.add(line->key);
  }
}

void ReplicaSets::sync(const Key& key) {
  const Ptr<ReplicaSet> set = context_.store.find<ReplicaSet>(key);
  if (!set) return;
  std::vector<Ptr<Pod>> pods = claim(set);
  const auto ready = std::ranges::count_if(pods, [](const Ptr<Pod>& pod) { return pod->ready(); });
  const auto replicas = pods.size();
  if (!set->meta.deletion) scale(set, std::move(pods));
  context_.store.change(context_.store.find<ReplicaSet>(key), [&](ReplicaSet& each) {
    each.status = {.observed_generation = each.meta.generation,
                   .replicas = static_cast<int>(replicas),
                   .ready = static_cast<int>(ready)};
  });
}

std::vector<Ptr<Pod>> ReplicaSets::claim(const Ptr<ReplicaSet>& set) {
  std::vector<Ptr<Pod>> mine;
  const PodIndex::Set owned = context_.store.pods().of(set->meta.uid);
  for (const PodIndex::Entry* entry : owned) {
    const Ptr<Pod> pod = entry->pod;
    if (set->spec.selector.matches(pod->meta.labels)) {
      if (pod->active()) mine.push_back(pod);
    } else {
      context_.store.change(pod, [](Pod& each) { each.meta.owner.reset(); });
    }
  }
  if (set->meta.deletion) return mine;
  const PodIndex::Set matching = context_.store.pods().matching(Kind::kReplicaSet, set->meta.key());
  for (const PodIndex::Entry* entry : matching) {
    if (entry->pod->meta.owner || !entry->pod->active()) continue;
    mine.push_back(context_.store.change(entry->pod, [&](Pod& each) {
      each.meta.owner =
          Owner{.kind = Kind::kReplicaSet, .name = set->meta.name, .uid = set->meta.uid};
    }));
  }
  return mine;
}

void ReplicaSets::scale(const Ptr<ReplicaSet>& set, std::vector<Ptr<Pod>> pods) {
  const int excess = static_cast<int>(pods.size()) - set->spec.replicas;
  for (int missing = excess; missing < 0; ++missing) {
    if (!limit_.take(context_.now())) {
      queue_.add_at(set->meta.key(), limit_.next(context_.now()));
      return;
    }
    Pod pod = pod_from(set->spec.pod, set->meta, Kind::kReplicaSet,
                       generated_name(context_, set->meta.name));
    if (context_.api->create(std::move(pod))) continue;
    // A quota, or the namespace ends: the controller backs off.
    queue_.add_at(set->meta.key(), context_.now() + Seconds(1));
    return;
  }
  if (excess <= 0) return;
  std::ranges::sort(pods, {}, usefulness);
  for (int i = 0; i < excess; ++i) {
    context_.api->delete_pod(pods[static_cast<size_t>(i)], std::nullopt);
  }
}

}  // namespace spotkeeper::world
