// SPDX-License-Identifier: Apache-2.0
#include "world/deployments.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

constexpr const char* kRevision = "deployment.kubernetes.io/revision";

uint64_t hash_of(const Labels& labels, uint64_t seed) {
  for (const auto& [key, value] : labels) {
    seed = Random::mix(seed ^ std::hash<std::string>{}(key));
    seed = Random::mix(seed ^ std::hash<std::string>{}(value));
  }
  return seed;
}

// The ReplicaSet's template is the Deployment's with the hash.
bool is_of_template(const ReplicaSet& set, const PodTemplate& wanted) {
  const PodTemplate& made = set.spec.pod;
  return made.labels.equal_but(kHashLabel, wanted.labels) &&
         made.annotations == wanted.annotations &&
         (made.spec == wanted.spec || *made.spec == *wanted.spec);
}

int total(const std::vector<Ptr<ReplicaSet>>& sets, int ReplicaSet::Status::* what) {
  int sum = 0;
  for (const Ptr<ReplicaSet>& set : sets) sum += set->status.*what;
  return sum;
}

bool same_numbers(const Deployment::Status& a, const Deployment::Status& b) {
  return a.observed_generation == b.observed_generation && a.revision == b.revision &&
         a.replicas == b.replicas && a.updated == b.updated && a.ready == b.ready &&
         a.unavailable == b.unavailable;
}

}  // namespace

Deployments::Deployments(Context& context)
    : context_(context),
      queue_(context, context.options.deployment, [this](const Key& key) { sync(key); }) {}

void Deployments::on(const Event& event) {
  const Meta& meta = event.object->meta;
  if (event.kind() == Kind::kDeployment) {
    if (event.change == Change::kDeleted) {
      owned_.erase(meta.uid);
    } else {
      queue_.add(meta.view());
    }
  } else if (event.kind() == Kind::kReplicaSet) {
    if (!meta.owner || meta.owner->kind != Kind::kDeployment) return;
    if (event.change == Change::kDeleted) {
      owned_[meta.owner->uid].erase(meta.uid);
    } else {
      owned_[meta.owner->uid][meta.uid] = std::static_pointer_cast<const ReplicaSet>(event.object);
    }
    queue_.add({meta.ns, meta.owner->name});
  } else if (event.kind() == Kind::kPod && event.change == Change::kDeleted && meta.owner &&
             meta.owner->kind == Kind::kReplicaSet) {
    // Recreate waits until the last old pod is gone.
    const Ptr<ReplicaSet> set = context_.store.find<ReplicaSet>({meta.ns, meta.owner->name});
    if (!set || !set->meta.owner) return;
    const Ptr<Deployment> owner = context_.store.find<Deployment>({meta.ns, set->meta.owner->name});
    if (owner && owner->spec.recreate) queue_.add(owner->meta.view());
  }
}

void Deployments::sync(const Key& key) {
  const Ptr<Deployment> deployment = context_.store.find<Deployment>(key);
  if (!deployment || deployment->meta.deletion) return;
  Sets sets = find_sets(*deployment);
  if (!sets.current) {
    if (deployment->spec.recreate && !sets.old.empty()) {
      recreate(*deployment, sets);
    } else {
      sets.current = make_set(*deployment, deployment->status.revision + 1);
    }
  }
  if (sets.current) {
    if (deployment->spec.recreate) {
      recreate(*deployment, sets);
    } else {
      roll(*deployment, sets);
    }
  }
  report(deployment);
}

Deployments::Sets Deployments::find_sets(const Deployment& deployment) const {
  Sets sets;
  const auto owned = owned_.find(deployment.meta.uid);
  if (owned == owned_.end()) return sets;
  for (const auto& [uid, set] : owned->second) {
    if (!sets.current && is_of_template(*set, deployment.spec.pod)) {
      sets.current = set;
    } else {
      sets.old.push_back(set);
    }
  }
  return sets;
}

Ptr<ReplicaSet> Deployments::make_set(const Deployment& deployment, int revision) {
  const uint64_t noise = hash_of(deployment.spec.pod.labels, deployment.meta.uid.value) +
                         static_cast<uint64_t>(revision);
  const std::string hash = fmt::format("{:08x}", Random::mix(noise) & 0xFFFFFFFFU);
  ReplicaSet set;
  set.meta.ns = deployment.meta.ns;
  set.meta.name = deployment.meta.name + "-" + hash;
  set.meta.owner =
      Owner{.kind = Kind::kDeployment, .name = deployment.meta.name, .uid = deployment.meta.uid};
  set.meta.annotations.set(kRevision, std::to_string(revision));
  set.spec.pod = deployment.spec.pod;
  set.spec.pod.labels.set(kHashLabel, hash);
  set.meta.labels = set.spec.pod.labels;
  set.spec.selector = deployment.spec.selector;
  set.spec.selector.match_labels.set(kHashLabel, hash);
  set.spec.replicas = 0;
  const Answer<Ptr<ReplicaSet>> made = context_.api->create(std::move(set));
  return made ? *made : nullptr;
}

void Deployments::roll(const Deployment& deployment, const Sets& sets) {
  const int replicas = deployment.spec.replicas;
  const int surge = deployment.spec.max_surge.of(replicas, true);
  int unavailable = deployment.spec.max_unavailable.of(replicas, false);
  if (surge == 0 && unavailable == 0) unavailable = 1;
  int others = 0;
  for (const Ptr<ReplicaSet>& set : sets.old) others += set->spec.replicas;
  int current = sets.current->spec.replicas;
  if (current > replicas || others == 0) {
    current = replicas;
  } else {
    const int room = replicas + surge - others - current;
    current += std::clamp(room, 0, replicas - current);
  }
  scale(sets.current, current);
  if (others == 0) return;

  // Old ones go as far as enough others are Ready; those that are not Ready go first.
  const int least = replicas - unavailable;
  int may_go = others + current - least - (current - std::min(current, sets.current->status.ready));
  for (const Ptr<ReplicaSet>& set : sets.old) {
    const int down = std::clamp(may_go, 0, set->spec.replicas);
    may_go -= down;
    scale(set, set->spec.replicas - down);
  }
}

void Deployments::recreate(const Deployment& deployment, const Sets& sets) {
  bool left = false;
  for (const Ptr<ReplicaSet>& set : sets.old) {
    scale(set, 0);
    left = left || std::ranges::any_of(
                       context_.store.pods().of(set->meta.uid),
                       [](const PodIndex::Entry* entry) { return !entry->pod->finished(); });
  }
  if (left) return;
  const Ptr<ReplicaSet> current =
      sets.current ? sets.current : make_set(deployment, deployment.status.revision + 1);
  if (current) scale(current, deployment.spec.replicas);
}

void Deployments::scale(const Ptr<ReplicaSet>& set, int replicas) {
  if (set->spec.replicas == replicas) return;
  context_.store.change(set, [&](ReplicaSet& each) { each.spec.replicas = replicas; });
}

void Deployments::report(const Ptr<Deployment>& deployment) {
  Sets sets = find_sets(*deployment);
  const Deployment::Status& before = deployment->status;
  Deployment::Status status{.observed_generation = deployment->meta.generation,
                            .revision = before.revision,
                            .updated = before.updated,
                            .conditions = {}};
  if (sets.current) {
    status.revision = std::stoi(sets.current->meta.annotations.at(kRevision));
    status.updated = sets.current->status.replicas;
    sets.old.push_back(sets.current);
  }
  status.replicas = total(sets.old, &ReplicaSet::Status::replicas);
  status.ready = total(sets.old, &ReplicaSet::Status::ready);
  status.unavailable = std::max(0, deployment->spec.replicas - status.ready);
  const int least = deployment->spec.replicas -
                    deployment->spec.max_unavailable.of(deployment->spec.replicas, false);
  const bool available = status.ready >= least;
  // The numbers decide of the conditions, too.
  const bool told = find_condition(before.conditions, "Progressing") != nullptr;
  if (told && same_numbers(before, status)) return;
  status.conditions = before.conditions;
  set_condition(status.conditions,
                {.type = "Available",
                 .status = available,
                 .reason = available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                 .message = {},
                 .since = context_.now()});
  report_progress(*deployment, status);
  context_.store.report(deployment, std::move(status));
}

// A rollout that is complete stays so, whatever becomes of its pods, until the next one.
void Deployments::report_progress(const Deployment& deployment, Deployment::Status& status) const {
  static constexpr const char* kComplete = "NewReplicaSetAvailable";
  const Condition* before = find_condition(status.conditions, "Progressing");
  const int wanted = deployment.spec.replicas;
  if (before != nullptr && before->reason == kComplete && status.replicas == status.updated) return;
  const bool complete =
      status.updated == wanted && status.replicas == wanted && status.ready == wanted;
  set_condition(status.conditions, {.type = "Progressing",
                                    .status = true,
                                    .reason = complete ? kComplete : "ReplicaSetUpdated",
                                    .message = {},
                                    .since = context_.now()});
}

}  // namespace spotkeeper::world
