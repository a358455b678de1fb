// SPDX-License-Identifier: Apache-2.0
#include "effects/workload_watch.h"

#include <utility>

#include "effects/workload_look.h"
#include "kube/follow.h"
#include "kube/list.h"

namespace spotkeeper::effects {
namespace {

kube::Listing listing_of(const std::string& api, const std::string& ns,
                         const std::string& resource) {
  kube::Listing listing = kube::listing_in(ns, api, resource);
  listing.urgent = true;
  return listing;
}

std::string task_of(int space) {
  return "deployments " + std::to_string(space);
}

}  // namespace

WorkloadWatch::WorkloadWatch(kube::Api& api, TaskGroup& group, std::shared_ptr<PodStreams> streams,
                             std::function<bool(const std::string& node)> doomed, Tell tell,
                             Claims claims)
    : api_(api),
      group_(group),
      streams_(std::move(streams)),
      book_(std::move(doomed)),
      tell_(std::move(tell)),
      claims_(std::move(claims)) {}

void WorkloadWatch::tell(WorkloadBook::Observations observations) {
  for (core::Observation& observation : observations) tell_(std::move(observation));
}

void WorkloadWatch::tell_again() {
  tell(book_.everything());
  tell(book_.recount());
}

void WorkloadWatch::marks_known() {
  tell(book_.marks_known());
}

void WorkloadWatch::need(const std::vector<kube::Pod>& pods) {
  Surroundings around = surroundings_of(pods);
  for (auto& [ns, space] : around.spaces) need_space(ns, std::move(space));
  std::set<core::GroupId> listed = std::move(around.groups);
  Source fresh;
  for (auto& [hash, replica_set] : around.hashes) {
    const auto known = hashes_.find(hash);
    Source& source = known == hashes_.end() ? fresh : sources_.at(known->second);
    source.nodes.merge(replica_set.nodes);
    if (known == hashes_.end()) fresh.hashes.insert(hash);
    if (source.listed) continue;
    for (const core::GroupId& group : replica_set.groups) listed.erase(group);
    source.groups.merge(replica_set.groups);
  }
  if (!listed.empty()) tell(book_.wanted(listed));
  if (fresh.hashes.empty()) return;
  const int number = ++last_;
  for (const std::string& hash : fresh.hashes) hashes_[hash] = number;
  Source& source = sources_[number] = std::move(fresh);
  source.stream = streams_->of_replica_sets(source.hashes, sink_of(number));
}

void WorkloadWatch::need_space(const std::string& ns, Surroundings::Space needed) {
  const auto [at, fresh] = spaces_.try_emplace(ns);
  Space& space = at->second;
  space.nodes.merge(needed.nodes);
  if (!fresh) {
    // For a host that goes later. What was not read then is shared by nobody, for all we know.
    if (space.shared || !space.claims) claims_(ns, space.shared.value_or(std::set<std::string>()));
    return;
  }
  space.number = ++last_;
  space.claims = needed.claims;
  watch_deployments(ns, space.number);
  group_.spawn("a look at " + ns, look_at(ns, space.number, space.claims));
}

WorkloadWatch::Space* WorkloadWatch::find(const std::string& ns, int number) {
  const auto found = spaces_.find(ns);
  return found == spaces_.end() || found->second.number != number ? nullptr : &found->second;
}

// What cannot change the mind of a hand-over that is under way is read once.
Task<> WorkloadWatch::look_at(std::string ns, int number, bool claims) {
  const auto self = shared_from_this();
  if (claims) {
    std::set<std::string> shared = co_await read_shared_claims(api_, ns);
    Space* space = find(ns, number);
    if (space == nullptr) co_return;
    space->shared = shared;
    claims_(ns, std::move(shared));
  }
  std::string why_not = co_await read_hash_selectors(api_, ns);
  Space* space = find(ns, number);
  if (space == nullptr) co_return;
  space->others = true;
  space->why_not = std::move(why_not);
  settle(ns, *space);
}

void WorkloadWatch::settle(const std::string& ns, const Space& space) {
  if (space.deployments && space.others) tell(book_.looked_at(ns, space.why_not));
}

void WorkloadWatch::watch_deployments(const std::string& ns, int number) {
  const auto self = shared_from_this();
  kube::Sink<kube::Deployment> sink;
  sink.changed = [self, number](const kube::Deployment& deployment) {
    Space* space = self->find(deployment.ns, number);
    if (space == nullptr) return;
    self->tell(self->book_.deployment_changed(deployment));
    if (deployment.rolling) self->watch_rollout(*space, deployment);
  };
  sink.gone = [self, number](const kube::Deployment& deployment) {
    if (self->find(deployment.ns, number) == nullptr) return;
    self->tell(self->book_.deployment_gone(deployment));
  };
  sink.synced = [self, ns, number] {
    Space* space = self->find(ns, number);
    if (space != nullptr && !std::exchange(space->deployments, true)) self->settle(ns, *space);
  };
  sink.failed = [self, ns, number](const Error& error) {
    const Space* space = self->find(ns, number);
    if (space == nullptr) return;
    self->tell_(core::Trouble{.error = error});
    if (error.kind == ErrorKind::kDenied && !space->deployments) {
      self->tell_(core::GroupsUnread{.why = unread(error, "its Deployment")});
    }
  };
  group_.spawn(task_of(number),
               kube::follow<kube::Deployment>(api_, listing_of("/apis/apps/v1", ns, "deployments"),
                                              kube::decode_deployment, std::move(sink)));
}

kube::Sink<kube::Pod> WorkloadWatch::sink_of(int source) {
  const auto self = shared_from_this();
  kube::Sink<kube::Pod> sink;
  sink.changed = [self, source](const kube::Pod& pod) {
    self->tell(self->book_.pod_changed(source, pod));
  };
  sink.gone = [self, source](const kube::Pod& pod) {
    self->tell(self->book_.pod_gone(source, pod));
  };
  sink.synced = [self, source] {
    Source& listed = self->sources_.at(source);
    listed.listed = true;
    self->tell(self->book_.wanted(std::exchange(listed.groups, {})));
  };
  sink.failed = [self](const Error& error) { self->tell_(core::Trouble{.error = error}); };
  return sink;
}

// A rollout's new pods have another hash.
void WorkloadWatch::watch_rollout(Space& space, const kube::Deployment& deployment) {
  const Labels& labels = deployment.selector.match_labels;
  if (labels.empty() || space.rollouts.contains(deployment.uid)) return;
  kube::Listing listing = listing_of("/api/v1", deployment.ns, "pods");
  for (const auto& [key, value] : labels) {
    listing.label_selector += (listing.label_selector.empty() ? "" : ",") + key + "=" + value;
  }
  const int number = space.rollouts[deployment.uid] = ++last_;
  sources_[number].stream = streams_->select(std::move(listing), sink_of(number));
}

void WorkloadWatch::end(const std::string& node) {
  for (auto at = sources_.begin(); at != sources_.end();) {
    const bool last = at->second.nodes.erase(node) != 0 && at->second.nodes.empty();
    at = last ? end_source(at) : std::next(at);
  }
  for (auto at = spaces_.begin(); at != spaces_.end();) {
    Space& space = at->second;
    if (space.nodes.erase(node) == 0 || !space.nodes.empty()) {
      ++at;
      continue;
    }
    group_.cancel(task_of(space.number));
    for (const auto& [uid, source] : space.rollouts) end_source(sources_.find(source));
    book_.forget_space(at->first);
    at = spaces_.erase(at);
  }
}

WorkloadWatch::Sources::iterator WorkloadWatch::end_source(Sources::iterator source) {
  streams_->stop(source->second.stream);
  book_.forget_source(source->first);
  for (const std::string& hash : source->second.hashes) hashes_.erase(hash);
  return sources_.erase(source);
}

}  // namespace spotkeeper::effects
