// SPDX-License-Identifier: Apache-2.0
// Tried on Kubernetes 1.34: pods without an owner count as healthy but are not expected, so that a
// budget by percent or maxUnavailable over such pods alone allows nothing; pods of Jobs and
// DaemonSets, which have no scale, keep such a budget from ever being synced.
#include "world/budgets.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::world {
namespace {

// DeletionTimeout of the real controller: an eviction whose deletion nobody sees is forgotten.
constexpr Seconds kForgetDisruption{120};

}  // namespace

Budgets::Budgets(Context& context)
    : context_(context),
      limit_(context.options.controller_rate, context.options.controller_burst),
      queue_(context, context.options.budget, [this](const Key& key) { sync(key); }) {}

void Budgets::on(const Event& event) {
  if (event.kind() == Kind::kBudget) {
    if (event.change != Change::kDeleted) queue_.add(event.object->meta.view());
    return;
  }
  if (event.kind() != Kind::kPod) return;
  for (const PodIndex::Line* line : context_.store.pods().lines_of(event.object->meta.uid)) {
    if (line->kind == Kind::kBudget) queue_.add(line->key);
  }
  // A pod that a label has taken out of a budget.
  if (event.change == Change::kModified && event.before->meta.labels != event.object->meta.labels) {
    const Pod& before = as<Pod>(*event.before);
    for (const auto& [key, budget] : context_.store.table<Budget>()) {
      if (budget->covers(before)) queue_.add(key);
    }
  }
}

void Budgets::sync(const Key& key) {
  const Ptr<Budget> budget = context_.store.find<Budget>(key);
  if (!budget) return;
  const PodIndex::Set& pods = context_.store.pods().matching(Kind::kBudget, key);
  const Counts counts = count(*budget, pods);
  if (!limit_.take(context_.now())) {
    queue_.add_at(key, limit_.next(context_.now()));
    return;
  }
  if (!counts.error.empty()) {
    fail(budget, counts.error);
    return;
  }
  Budget::Status status = budget->status;
  status.disrupted_pods = still_disrupted(*budget, pods);
  status.observed_generation = budget->meta.generation;
  status.expected_pods = counts.expected;
  status.desired_healthy = counts.desired;
  status.current_healthy =
      static_cast<int>(std::ranges::count_if(pods, [&](const PodIndex::Entry* entry) {
        return !entry->pod->deleting() && entry->ready &&
               !status.disrupted_pods.contains(entry->pod->meta.name);
      }));
  status.disruptions_allowed =
      counts.expected > 0 ? std::max(0, status.current_healthy - counts.desired) : 0;
  const bool allowed = status.disruptions_allowed > 0;
  set_condition(status.conditions, {.type = "DisruptionAllowed",
                                    .status = allowed,
                                    .reason = allowed ? "SufficientPods" : "InsufficientPods",
                                    .message = {},
                                    .since = context_.now()});
  context_.store.report(budget, std::move(status));
}

Budgets::Counts Budgets::count(const Budget& budget, const PodIndex::Set& pods) const {
  Counts counts;
  if (budget.spec.max_unavailable) {
    if (!expected_scale(pods, counts)) return counts;
    counts.desired =
        std::max(0, counts.expected - budget.spec.max_unavailable->of(counts.expected, true));
  } else if (budget.spec.min_available && budget.spec.min_available->percent) {
    if (!expected_scale(pods, counts)) return counts;
    counts.desired = budget.spec.min_available->of(counts.expected, true);
  } else if (budget.spec.min_available) {
    counts.expected = static_cast<int>(pods.size());
    counts.desired = budget.spec.min_available->value;
  }
  return counts;
}

bool Budgets::expected_scale(const PodIndex::Set& pods, Counts& counts) const {
  Uid last;  // pods of one owner often follow each other
  std::map<Uid, int> scales;
  for (const PodIndex::Entry* entry : pods) {
    const Pod& pod = *entry->pod;
    if (!pod.meta.owner || pod.meta.owner->uid == last) continue;
    last = pod.meta.owner->uid;
    const KeyView key{pod.meta.ns, pod.meta.owner->name};
    if (pod.meta.owner->kind == Kind::kReplicaSet) {
      const Ptr<ReplicaSet> set = context_.store.find<ReplicaSet>(key);
      if (!set) continue;
      const Ptr<Deployment> deployment =
          set->meta.owner ? context_.store.find<Deployment>({key.ns, set->meta.owner->name})
                          : nullptr;
      if (deployment) {
        scales[deployment->meta.uid] = deployment->spec.replicas;
      } else {
        scales[set->meta.uid] = set->spec.replicas;
      }
    } else if (pod.meta.owner->kind == Kind::kStatefulSet) {
      if (const Ptr<StatefulSet> set = context_.store.find<StatefulSet>(key)) {
        scales[set->meta.uid] = set->spec.replicas;
      }
    } else {
      counts.error = fmt::format("{}.{} does not implement the scale subresource",
                                 resource_name(pod.meta.owner->kind),
                                 pod.meta.owner->kind == Kind::kJob ? "batch" : "apps");
      return false;
    }
  }
  for (const auto& [uid, replicas] : scales) counts.expected += replicas;
  return true;
}

std::map<std::string, Time> Budgets::still_disrupted(const Budget& budget,
                                                     const PodIndex::Set& pods) {
  std::map<std::string, Time> still;
  if (budget.status.disrupted_pods.empty()) return still;
  for (const PodIndex::Entry* entry : pods) {
    const Pod& pod = *entry->pod;
    const auto found = budget.status.disrupted_pods.find(pod.meta.name);
    if (found == budget.status.disrupted_pods.end() || pod.deleting()) continue;
    if (context_.now() >= found->second + kForgetDisruption) continue;
    still.insert(*found);
    queue_.add_at(budget.meta.view(), found->second + kForgetDisruption);
  }
  return still;
}

// Fail-safe: nothing is allowed, and observedGeneration stays where it is.
void Budgets::fail(const Ptr<Budget>& budget, const std::string& error) {
  context_.store.change(budget, [&](Budget& each) {
    each.status.disruptions_allowed = 0;
    set_condition(each.status.conditions, {.type = "DisruptionAllowed",
                                           .status = false,
                                           .reason = "SyncFailed",
                                           .message = error,
                                           .since = context_.now()});
  });
}

}  // namespace spotkeeper::world
