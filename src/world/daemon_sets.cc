// SPDX-License-Identifier: Apache-2.0
#include "world/daemon_sets.h"

#include <algorithm>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

constexpr Latency kReport{Millis(20), Millis(100)};

// What the controller adds to every pod of a set.
std::vector<Toleration> always_tolerated() {
  std::vector<Toleration> all;
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    all.push_back({.key = key, .op = "Exists", .value = {}, .effect = "NoExecute"});
  }
  for (const char* key : {"node.kubernetes.io/disk-pressure", "node.kubernetes.io/memory-pressure",
                          "node.kubernetes.io/pid-pressure", "node.kubernetes.io/unschedulable"}) {
    all.push_back({.key = key, .op = "Exists", .value = {}, .effect = "NoSchedule"});
  }
  return all;
}

bool may_run(const DaemonSet& set, const Node& node) {
  const PodSpec& spec = *set.spec.pod.spec;
  const Selector where{.match_labels = spec.node_selector, .match_expressions = {}};
  return node.status.ready && where.matches(node.meta.labels) &&
         std::ranges::all_of(node.spec.taints, [&](const Taint& taint) {
           return taint.effect == "PreferNoSchedule" ||
                  std::ranges::any_of(spec.tolerations, [&](const Toleration& each) {
                    return each.tolerates(taint);
                  });
         });
}

Key split(const std::string& key) {
  const size_t slash = key.find('/');
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace

DaemonSets::DaemonSets(Context& context)
    : context_(context),
      queue_(context, context.options.daemon_set, [this](const Key& key) { sync(key); }),
      reports_(context, kReport, [this](const Key& key) { report(key); }) {}

void DaemonSets::on(const Event& event) {
  const Meta& meta = event.object->meta;
  if (event.kind() == Kind::kNode && event.change != Change::kDeleted) {
    if (event.before &&
        as<Node>(*event.before).spec.taints == as<Node>(*event.object).spec.taints &&
        as<Node>(*event.before).status == as<Node>(*event.object).status) {
      return;
    }
    for (const auto& [key, set] : context_.store.table<DaemonSet>()) {
      queue_.add({key.text(), meta.name});
    }
  } else if (event.kind() == Kind::kDaemonSet && event.change != Change::kDeleted) {
    if (event.before && as<DaemonSet>(*event.before).spec == as<DaemonSet>(*event.object).spec) {
      return;
    }
    for (const auto& [node, object] : context_.store.table<Node>()) {
      queue_.add({meta.key().text(), node.name});
    }
    reports_.add(meta.view());
  } else if (event.kind() == Kind::kPod && meta.owner && meta.owner->kind == Kind::kDaemonSet) {
    const Key set{meta.ns, meta.owner->name};
    reports_.add(set);
    const Pod& pod = as<Pod>(*event.object);
    if (event.change == Change::kDeleted) {
      queue_.add_at({set.text(), pod.node},
                    context_.now() + context_.random.in(context_.options.daemon_return));
    } else if (pod.finished()) {
      queue_.add({set.text(), pod.node});
    }
  }
}

void DaemonSets::sync(const Key& set_on_node) {
  const Ptr<DaemonSet> set = context_.store.find<DaemonSet>(split(set_on_node.ns));
  const Ptr<Node> node = context_.store.find<Node>({{}, set_on_node.name});
  if (!set || set->meta.deletion || !node) return;
  for (const PodIndex::Entry* entry : context_.store.pods().on(node->meta.name)) {
    const Ptr<Pod> pod = entry->pod;
    if (!pod->meta.owner || pod->meta.owner->uid != set->meta.uid) continue;
    if (pod->finished() && !pod->deleting()) context_.api->delete_pod(pod, std::nullopt);
    return;  // there, or on its way out: its removal wakes us
  }
  if (!may_run(*set, *node)) return;
  Pod pod = pod_from(set->spec.pod, set->meta, Kind::kDaemonSet,
                     generated_name(context_, set->meta.name));
  static const std::vector<Toleration> always = always_tolerated();
  auto spec = std::make_shared<PodSpec>(*pod.spec);
  spec->tolerations.insert(spec->tolerations.end(), always.begin(), always.end());
  pod.spec = std::move(spec);
  pod.node = node->meta.name;
  pod.status.conditions.push_back({.type = "PodScheduled",
                                   .status = true,
                                   .reason = {},
                                   .message = {},
                                   .since = context_.now()});
  if (!context_.api->create(std::move(pod))) {
    queue_.add_at(set_on_node, context_.now() + Seconds(1));
  }
}

void DaemonSets::report(const Key& key) {
  const Ptr<DaemonSet> set = context_.store.find<DaemonSet>(key);
  if (!set) return;
  DaemonSet::Status status{.observed_generation = set->meta.generation};
  for (const auto& [name, node] : context_.store.table<Node>()) {
    if (may_run(*set, *node)) ++status.desired;
  }
  for (const PodIndex::Entry* entry : context_.store.pods().of(set->meta.uid)) {
    if (!entry->active) continue;
    ++status.current;
    if (entry->ready) ++status.ready;
  }
  context_.store.report(set, status);
}

}  // namespace spotkeeper::world
