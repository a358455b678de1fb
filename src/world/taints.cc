// SPDX-License-Identifier: Apache-2.0
#include "world/taints.h"

#include <algorithm>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

constexpr const char* kNoExecute = "NoExecute";

bool has_no_execute(const Node& node) {
  return std::ranges::any_of(node.spec.taints,
                             [](const Taint& taint) { return taint.effect == kNoExecute; });
}

// How long the pod may stay; unset: for ever.
std::optional<Seconds> stay(const PodSpec& spec, const Node& node) {
  std::optional<Seconds> least;
  for (const Taint& taint : node.spec.taints) {
    if (taint.effect != kNoExecute) continue;
    const auto found = std::ranges::find_if(
        spec.tolerations, [&](const Toleration& each) { return each.tolerates(taint); });
    if (found == spec.tolerations.end()) return Seconds(0);
    if (found->seconds) least = std::min(least.value_or(*found->seconds), *found->seconds);
  }
  return least;
}

}  // namespace

void Taints::on(const Event& event) {
  if (event.change == Change::kDeleted) return;
  if (event.kind() == Kind::kNode) {
    const Node& node = as<Node>(*event.object);
    if (!has_no_execute(node)) return;
    if (event.before && as<Node>(*event.before).spec.taints == node.spec.taints) return;
    for (const PodIndex::Entry* entry : context_.store.pods().on(node.meta.name)) {
      look_at(*entry->pod, node);
    }
  } else if (event.kind() == Kind::kPod) {
    const Pod& pod = as<Pod>(*event.object);
    const bool bound = !pod.node.empty() && (!event.before || as<Pod>(*event.before).node.empty());
    if (!bound) return;
    const Ptr<Node> node = context_.store.find<Node>({{}, pod.node});
    if (node && has_no_execute(*node)) look_at(pod, *node);
  }
}

void Taints::look_at(const Pod& pod, const Node& node) {
  const std::optional<Seconds> may_stay = stay(*pod.spec, node);
  if (!may_stay) return;
  context_.timeline.after(*may_stay + context_.random.in(context_.options.taints),
                          [this, key = pod.meta.key(), uid = pod.meta.uid] { evict(key, uid); });
}

void Taints::evict(const Key& key, Uid uid) {
  Ptr<Pod> pod = context_.store.find<Pod>(key);
  if (!pod || pod->meta.uid != uid || !pod->active()) return;
  const Ptr<Node> node = context_.store.find<Node>({{}, pod->node});
  if (!node || !stay(*pod->spec, *node)) return;
  pod = context_.store.change(pod, [&](Pod& each) {
    set_condition(each.status.conditions,
                  {.type = "DisruptionTarget",
                   .status = true,
                   .reason = "DeletionByTaintManager",
                   .message = "Taint manager: deleting due to NoExecute taint",
                   .since = context_.now()});
  });
  context_.api->delete_pod(pod, std::nullopt);
}

}  // namespace spotkeeper::world
