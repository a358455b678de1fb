// SPDX-License-Identifier: Apache-2.0
#include "world/replica_sets.h"

#include <algorithm>
#include <tuple>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

// As the controller's work queue: 5 ms, twice as much after every failure, at most 1000 s.
constexpr Millis kFirstBackOff{5};
constexpr Millis kLongestBackOff{1'000'000};

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
    if (event.change != Change::kDeleted) queue_.add(event.object->meta.view());
    return;
  }
  if (event.kind() != Kind::kPod) return;
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
  if (!claim(*set)) {
    // Its sync fails, and nothing of it is done: again, each time twice as much later.
    const int failures = failures_[set->meta.uid]++;
    queue_.add_at(
        key, context_.now() + std::min<Millis>(kLongestBackOff,
                                               kFirstBackOff * (1LL << std::min(failures, 30))));
    return;
  }
  if (!failures_.empty()) failures_.erase(set->meta.uid);
  ReplicaSet::Status status{.observed_generation = set->meta.generation};
  for (const PodIndex::Entry* entry : context_.store.pods().of(set->meta.uid)) {
    if (!entry->active) continue;
    ++status.replicas;
    if (entry->ready) ++status.ready;
  }
  if (!set->meta.deletion) scale(*set, status.replicas);
  context_.store.report(set, status);
}

// Lets go what its selector does not match, and adopts what it does. False: it may not let go.
bool ReplicaSets::claim(const ReplicaSet& set) {
  const PodIndex& index = context_.store.pods();
  const PodIndex::Line* line = index.line(Kind::kReplicaSet, set.meta.view());
  PodIndex::Set strangers;
  std::ranges::copy_if(
      index.of(set.meta.uid), std::back_inserter(strangers),
      [&](const PodIndex::Entry* each) { return each->active && !each->matches(line); });
  bool all = true;
  for (const PodIndex::Entry* entry : strangers) all = context_.api->let_go(entry->pod) && all;
  if (set.meta.deletion || line == nullptr) return all;
  PodIndex::Set orphans;
  std::ranges::copy_if(line->pods, std::back_inserter(orphans),
                       [](const PodIndex::Entry* each) { return !each->owned && each->active; });
  for (const PodIndex::Entry* entry : orphans) {
    context_.store.change(entry->pod, [&](Pod& each) {
      each.meta.owner =
          Owner{.kind = Kind::kReplicaSet, .name = set.meta.name, .uid = set.meta.uid};
    });
  }
  return all;
}

void ReplicaSets::scale(const ReplicaSet& set, int replicas) {
  const int excess = replicas - set.spec.replicas;
  for (int missing = excess; missing < 0; ++missing) {
    if (!limit_.take(context_.now())) {
      queue_.add_at(set.meta.view(), limit_.next(context_.now()));
      return;
    }
    Pod pod = pod_from(set.spec.pod, set.meta, Kind::kReplicaSet,
                       generated_name(context_, set.meta.name));
    if (context_.api->create(std::move(pod))) continue;
    // A quota, or the namespace ends: the controller backs off.
    queue_.add_at(set.meta.view(), context_.now() + Seconds(1));
    return;
  }
  if (excess <= 0) return;
  std::vector<Ptr<Pod>> pods;
  for (const PodIndex::Entry* entry : context_.store.pods().of(set.meta.uid)) {
    if (entry->active) pods.push_back(entry->pod);
  }
  std::ranges::sort(pods, {}, usefulness);
  for (int i = 0; i < excess; ++i) {
    context_.api->delete_pod(pods[static_cast<size_t>(i)], std::nullopt);
  }
}

}  // namespace spotkeeper::world
