// SPDX-License-Identifier: Apache-2.0
#include "world/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

namespace spotkeeper::world {
namespace {

// As the real one does with many nodes: the best of so many that fit is good enough.
constexpr int kEnoughNodes = 16;

bool tolerates_unschedulable(const PodSpec& spec) {
  const Taint taint{.key = "node.kubernetes.io/unschedulable", .value = {}, .effect = "NoSchedule"};
  return std::ranges::any_of(spec.tolerations,
                             [&](const Toleration& each) { return each.tolerates(taint); });
}

bool tolerates_all(const PodSpec& spec, const std::vector<Taint>& taints) {
  return std::ranges::all_of(taints, [&](const Taint& taint) {
    return taint.effect == "PreferNoSchedule" ||
           std::ranges::any_of(spec.tolerations,
                               [&](const Toleration& each) { return each.tolerates(taint); });
  });
}

}  // namespace

Scheduler::Scheduler(Context& context)
    : context_(context),
      queue_(context, context.options.scheduler, [this](const Key& key) { sync(key); }) {}

void Scheduler::on(const Event& event) {
  const Meta& meta = event.object->meta;
  if (event.kind() == Kind::kPod) {
    const Pod& pod = as<Pod>(*event.object);
    if (event.change == Change::kDeleted) {
      if (!waiting_.empty()) waiting_.erase(meta.key());
      if (!pod.node.empty()) wake_waiting();
    } else if (event.change == Change::kAdded && pod.node.empty()) {
      queue_.add(meta.view());
    } else if (pod.finished()) {
      wake_waiting();
    }
  } else if (event.kind() == Kind::kNode) {
    const auto same = [&](const Candidate& each) { return each.node->meta.uid == meta.uid; };
    const auto found = std::ranges::find_if(nodes_, same);
    if (event.change == Change::kDeleted) {
      if (found != nodes_.end()) nodes_.erase(found);
      return;
    }
    const Ptr<Node> node = std::static_pointer_cast<const Node>(event.object);
    if (found != nodes_.end()) {
      found->node = node;
    } else {
      nodes_.push_back({node, &context_.store.pods().place(meta.name)});
    }
    wake_waiting();
  }
}

void Scheduler::wake_waiting() {
  for (const Key& key : waiting_) queue_.add(key);
}

void Scheduler::sync(const Key& key) {
  const Ptr<Pod> pod = context_.store.find<Pod>(key);
  if (!pod || !pod->node.empty() || pod->deleting() || pod->finished()) return;
  const Node* node = choose(*pod);
  if (node == nullptr) {
    wait(pod);
    return;
  }
  if (!waiting_.empty()) waiting_.erase(key);
  context_.store.change(pod, [&](Pod& each) {
    each.node = node->meta.name;
    set_condition(each.status.conditions, {.type = "PodScheduled",
                                           .status = true,
                                           .reason = {},
                                           .message = {},
                                           .since = context_.now()});
  });
}

const Node* Scheduler::choose(const Pod& pod) {
  const Node* best = nullptr;
  int least = INT_MAX;
  int fitting = 0;
  size_t at = nodes_.empty() ? 0 : next_ % nodes_.size();
  for (size_t i = 0; i < nodes_.size() && fitting < kEnoughNodes; ++i, ++at) {
    if (at == nodes_.size()) at = 0;
    const Candidate& each = nodes_[at];
    if (!fits(pod, each)) continue;
    ++fitting;
    if (each.place->running < least) {
      least = each.place->running;
      best = each.node.get();
    }
  }
  if (!nodes_.empty()) next_ = (next_ + 1) % nodes_.size();
  return best;
}

bool Scheduler::fits(const Pod& pod, const Candidate& candidate) const {
  const PodSpec& spec = *pod.spec;
  const Node& node = *candidate.node;
  if (!node.status.ready || candidate.place->running >= node.status.capacity_pods) return false;
  if (node.spec.unschedulable && !tolerates_unschedulable(spec)) return false;
  if (!node.spec.taints.empty() && !tolerates_all(spec, node.spec.taints)) return false;
  for (const auto& [key, value] : spec.node_selector) {
    if (!node.meta.labels.has(key, value)) return false;
  }
  if (spec.host_port != 0) {
    for (const PodIndex::Entry* entry : candidate.place->pods) {
      if (!entry->pod->finished() && entry->pod->spec->host_port == spec.host_port) return false;
    }
  }
  return spec.spread.empty() || spread_allows(pod, node);
}

// topologySpreadConstraints, DoNotSchedule: here it would not be more than maxSkew above the least.
bool Scheduler::spread_allows(const Pod& pod, const Node& node) const {
  return std::ranges::all_of(pod.spec->spread, [&](const Spread& spread) {
    const std::string* here = node.meta.labels.find(spread.topology_key);
    if (here == nullptr) return false;
    std::map<std::string, int> counts;
    for (const Candidate& each : nodes_) {
      const std::string* domain = each.node->meta.labels.find(spread.topology_key);
      if (domain == nullptr) continue;
      int& count = counts[*domain];
      for (const PodIndex::Entry* entry : each.place->pods) {
        const Pod& other = *entry->pod;
        if (other.active() && other.meta.ns == pod.meta.ns &&
            spread.selector.matches(other.meta.labels)) {
          ++count;
        }
      }
    }
    int least = INT_MAX;
    for (const auto& [domain, count] : counts) least = std::min(least, count);
    return counts[*here] + 1 - least <= spread.max_skew;
  });
}

void Scheduler::wait(const Ptr<Pod>& pod) {
  waiting_.insert(pod->meta.key());
  const std::string why = fmt::format("0/{} nodes are available.", nodes_.size());
  const Condition* said = find_condition(pod->status.conditions, "PodScheduled");
  if (said != nullptr && said->message == why) return;  // woken in vain
  context_.store.change(pod, [&](Pod& each) {
    set_condition(each.status.conditions, {.type = "PodScheduled",
                                           .status = false,
                                           .reason = "Unschedulable",
                                           .message = why,
                                           .since = context_.now()});
  });
}

}  // namespace spotkeeper::world
