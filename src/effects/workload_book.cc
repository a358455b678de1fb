// SPDX-License-Identifier: Apache-2.0
#include "effects/workload_book.h"

#include <string_view>
#include <utility>

#include "effects/release.h"

namespace spotkeeper::effects {
namespace {

core::GroupId id_of(const kube::Deployment& deployment) {
  return core::GroupId(deployment.ns + "/" + deployment.name);
}

std::string namespace_of(const core::GroupId& id) {
  return id.value.substr(0, id.value.find('/'));
}

// A Deployment's ReplicaSets bear its name, and a hash without a dash.
std::string_view deployment_of(std::string_view replica_set) {
  const size_t dash = replica_set.rfind('-');
  return dash == std::string_view::npos ? std::string_view() : replica_set.substr(0, dash);
}

std::string why_not(const kube::Deployment& deployment) {
  if (deployment.ending) return "its Deployment is being deleted";
  if (!deployment.surges) {
    return "its Deployment allows no pod more than it has replicas (Recreate, or maxSurge 0)";
  }
  if (deployment.rolling) return "its Deployment is being rolled out";
  if (deployment.replicas == 0) return "its Deployment is scaled to 0";
  return {};
}

}  // namespace

Surroundings surroundings_of(const std::vector<kube::Pod>& pods) {
  Surroundings around;
  for (const kube::Pod& pod : pods) {
    const std::optional<Place> place = place_of(pod);
    if (!place) continue;
    const core::GroupId group(pod.ns + "/" + place->deployment);
    Surroundings::Space& space = around.spaces[pod.ns];
    space.claims = space.claims || !pod.claims.empty();
    space.nodes.insert(pod.node);
    Surroundings::ReplicaSet& replica_set = around.hashes[place->hash];
    replica_set.groups.insert(group);
    replica_set.nodes.insert(pod.node);
    around.groups.insert(group);
  }
  return around;
}

WorkloadBook::Observations WorkloadBook::deployment_changed(const kube::Deployment& deployment) {
  Entry& entry = entries_[id_of(deployment)];
  entry.deployment = deployment;
  entry.there = true;
  Observations out;
  settle(id_of(deployment), entry, out);
  return out;
}

WorkloadBook::Observations WorkloadBook::deployment_gone(const kube::Deployment& deployment) {
  const auto found = entries_.find(id_of(deployment));
  if (found == entries_.end()) return {};
  found->second.there = false;
  Observations out;
  settle(found->first, found->second, out);
  return out;
}

WorkloadBook::Observations WorkloadBook::pod_changed(int source, const kube::Pod& pod) {
  const auto [at, fresh] = pods_.try_emplace(pod.uid);
  Seen& seen = at->second;
  seen.sources.insert(source);
  const uint64_t version = kube::version_number(pod.resource_version);
  if (version < seen.version) return {};  // another watch is ahead
  seen.version = version;
  const bool owned = pod.owner && pod.owner->kind == "ReplicaSet";
  const std::string_view replica_set = owned ? std::string_view(pod.owner->name) : "";
  Facts& facts = seen.facts;
  // Once and for all: another watch may be behind and still show it as it was.
  const bool ending = facts.ending || pod.deletion || pod.finished();
  if (!fresh && !facts.hidden && facts.ready == pod.ready && facts.ending == ending &&
      facts.node == pod.node && facts.replica_set == replica_set && facts.labels == pod.labels &&
      facts.ns == pod.ns) {
    return {};
  }
  if (!fresh) leave(facts);
  std::string before = std::exchange(facts.replica_set, std::string(replica_set));
  if (fresh) facts.ns = pod.ns;
  if (facts.labels != pod.labels) facts.labels = pod.labels;
  facts.node = pod.node;
  facts.ready = pod.ready;
  facts.ending = ending;
  facts.hidden = false;
  enter(facts);
  return settle_around(facts, before);
}

WorkloadBook::Observations WorkloadBook::pod_gone(int source, const kube::Pod& pod) {
  const auto found = pods_.find(pod.uid);
  if (found == pods_.end()) return {};
  Seen& seen = found->second;
  if (seen.sources.erase(source) == 0) return {};  // it never showed it
  const uint64_t version = kube::version_number(pod.resource_version);
  if (!seen.sources.empty() && version < seen.version) return {};  // another watch is ahead
  if (!seen.sources.empty()) {
    // Deleted, or not selected by that watch any more; then another shows it again.
    seen.version = version;
    leave(seen.facts);
    seen.facts.hidden = true;
    return settle_around(seen.facts, {});
  }
  leave(found->second.facts);
  const Facts before = std::move(found->second.facts);
  pods_.erase(found);
  return settle_around(before, {});
}

void WorkloadBook::enter(const Facts& pod) {
  if (pod.counts()) owned_[pod.ns][pod.replica_set].push_back(&pod);
}

void WorkloadBook::leave(const Facts& pod) {
  if (!pod.counts()) return;
  auto& sets = owned_[pod.ns];
  const auto set = sets.find(pod.replica_set);
  std::erase(set->second, &pod);
  if (set->second.empty()) sets.erase(set);
}

WorkloadBook::Observations WorkloadBook::looked_at(const std::string& ns, std::string why_not) {
  looked_at_[ns] = std::move(why_not);
  return recount();
}

WorkloadBook::Observations WorkloadBook::wanted(const std::set<core::GroupId>& ids) {
  for (const core::GroupId& id : ids) {
    wanted_.insert(id);
    entries_.try_emplace(id);
  }
  return recount();
}

WorkloadBook::Observations WorkloadBook::marks_known() {
  if (std::exchange(marks_known_, true)) return {};
  return recount();
}

void WorkloadBook::forget_space(const std::string& ns) {
  const std::string prefix = ns + "/";
  const auto is_of = [&prefix](const core::GroupId& id) { return id.value.starts_with(prefix); };
  std::erase_if(entries_, [&](const auto& each) { return is_of(each.first); });
  std::erase_if(wanted_, is_of);
  looked_at_.erase(ns);
}

void WorkloadBook::forget_source(int source) {
  for (auto at = pods_.begin(); at != pods_.end();) {
    Seen& seen = at->second;
    const bool last = seen.sources.erase(source) != 0 && seen.sources.empty();
    if (last) leave(seen.facts);
    at = last ? pods_.erase(at) : std::next(at);
  }
}

WorkloadBook::Observations WorkloadBook::recount() {
  Observations out;
  for (auto& [id, entry] : entries_) settle(id, entry, out);
  return out;
}

WorkloadBook::Observations WorkloadBook::everything() const {
  Observations out;
  for (const auto& [id, entry] : entries_) {
    if (entry.told) out.emplace_back(core::GroupSeen{.group = entry.last});
  }
  return out;
}

core::Group WorkloadBook::count(const core::GroupId& id, const Entry& entry) const {
  core::Group group{.id = id};
  const std::string ns = namespace_of(id);
  if (!entry.there) {
    group.no_hand_over = "its Deployment is gone";
    return group;
  }
  group.wanted = entry.deployment.replicas;
  group.no_hand_over = looked_at_.at(ns);
  if (group.no_hand_over.empty()) group.no_hand_over = why_not(entry.deployment);
  const auto sets = owned_.find(ns);
  if (sets == owned_.end()) return group;
  const std::string prefix = entry.deployment.name + "-";
  for (auto set = sets->second.lower_bound(prefix);
       set != sets->second.end() && set->first.starts_with(prefix); ++set) {
    for (const Facts* pod : set->second) {
      if (!entry.deployment.selector.matches(pod->labels)) continue;
      ++group.owned;
      if (pod->ready && !pod->node.empty() && !doomed_(pod->node)) ++group.ready;
    }
  }
  return group;
}

void WorkloadBook::settle(const core::GroupId& id, Entry& entry, Observations& out) {
  if (!marks_known_ || !wanted_.contains(id) || !looked_at_.contains(namespace_of(id))) return;
  core::Group now = count(id, entry);
  if (entry.told && now == entry.last) return;
  entry.told = true;
  entry.last = now;
  out.emplace_back(core::GroupSeen{.group = std::move(now)});
}

// Only the Deployment counts it whose name its ReplicaSet bears, or bore.
WorkloadBook::Observations WorkloadBook::settle_around(const Facts& pod,
                                                       std::string_view replica_set_before) {
  Observations out;
  const std::string_view now = deployment_of(pod.replica_set);
  const std::string_view before = deployment_of(replica_set_before);
  for (const std::string_view name : {now, before == now ? std::string_view() : before}) {
    if (name.empty()) continue;
    const auto at = entries_.find(core::GroupId(pod.ns + "/" + std::string(name)));
    if (at == entries_.end() || !at->second.there) continue;
    if (at->second.deployment.selector.matches(pod.labels)) settle(at->first, at->second, out);
  }
  return out;
}

}  // namespace spotkeeper::effects
