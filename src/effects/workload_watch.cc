// SPDX-License-Identifier: Apache-2.0
#include "effects/workload_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
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

}  // namespace

WorkloadWatch::WorkloadWatch(kube::Api& api, TaskGroup& group,
                             std::function<bool(const std::string& node)> doomed, Tell tell,
                             Claims claims)
    : api_(api),
      group_(group),
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
  for (const auto& [ns, claims] : around.spaces) {
    const auto [look, fresh] = looks_.try_emplace(ns, Look{.claims = claims});
    if (!fresh) {
      // For a host that goes later. What was not read then is shared by nobody, for all we know.
      const auto shared = shared_.find(ns);
      if (shared != shared_.end() || !look->second.claims) {
        claims_(ns, shared == shared_.end() ? std::set<std::string>() : shared->second);
      }
      continue;
    }
    watch_deployments(ns);
    group_.spawn("a look at " + ns, look_at(ns, claims));
  }
  std::erase_if(around.hashes, [this](const auto& hash) { return !hashes_.insert(hash).second; });
  if (around.hashes.empty()) return tell(book_.wanted(around.groups));
  kube::Listing listing = kube::listing_of("/api/v1/pods");
  listing.label_selector =
      fmt::format("{} in ({})", kube::kHashLabel, fmt::join(around.hashes, ","));
  listing.urgent = true;
  watch_pods(std::move(listing), std::move(around.groups));
}

// What cannot change the mind of a hand-over that is under way is read once.
Task<> WorkloadWatch::look_at(std::string ns, bool claims) {
  const auto self = shared_from_this();
  if (claims) {
    std::set<std::string> shared = co_await read_shared_claims(api_, ns);
    shared_[ns] = shared;
    claims_(ns, std::move(shared));
  }
  std::string why_not = co_await read_hash_selectors(api_, ns);
  Look& look = looks_[ns];
  look.others = true;
  look.why_not = std::move(why_not);
  settle(ns);
}

void WorkloadWatch::settle(const std::string& ns) {
  const Look& look = looks_[ns];
  if (look.deployments && look.others) tell(book_.looked_at(ns, look.why_not));
}

void WorkloadWatch::watch_deployments(const std::string& ns) {
  const auto self = shared_from_this();
  kube::Sink<kube::Deployment> sink;
  sink.changed = [self](const kube::Deployment& deployment) {
    self->tell(self->book_.deployment_changed(deployment));
    if (deployment.rolling) self->watch_rollout(deployment);
  };
  sink.gone = [self](const kube::Deployment& deployment) {
    self->tell(self->book_.deployment_gone(deployment));
  };
  sink.synced = [self, ns] {
    if (!std::exchange(self->looks_[ns].deployments, true)) self->settle(ns);
  };
  sink.failed = [self, ns](const Error& error) {
    self->tell_(core::Trouble{.error = error});
    if (error.kind == ErrorKind::kDenied && !self->looks_[ns].deployments) {
      self->tell_(core::GroupsUnread{.why = unread(error, "its Deployment")});
    }
  };
  group_.spawn("deployments of " + ns,
               kube::follow<kube::Deployment>(api_, listing_of("/apis/apps/v1", ns, "deployments"),
                                              kube::decode_deployment, std::move(sink)));
}

void WorkloadWatch::watch_pods(kube::Listing listing, std::set<core::GroupId> groups) {
  const auto self = shared_from_this();
  const int source = ++sources_;
  kube::Sink<kube::Pod> sink;
  sink.changed = [self, source](const kube::Pod& pod) {
    self->tell(self->book_.pod_changed(source, pod));
  };
  sink.gone = [self, source](const kube::Pod& pod) {
    self->tell(self->book_.pod_gone(source, pod));
  };
  sink.synced = [self, groups = std::move(groups)] { self->tell(self->book_.wanted(groups)); };
  sink.failed = [self](const Error& error) { self->tell_(core::Trouble{.error = error}); };
  group_.spawn(
      "replacements " + std::to_string(source),
      kube::follow<kube::Pod>(api_, std::move(listing), kube::decode_pod, std::move(sink)));
}

// A rollout's new pods have another hash.
void WorkloadWatch::watch_rollout(const kube::Deployment& deployment) {
  const Labels& labels = deployment.selector.match_labels;
  if (labels.empty() || !rollouts_.insert(deployment.uid).second) return;
  kube::Listing listing = listing_of("/api/v1", deployment.ns, "pods");
  for (const auto& [key, value] : labels) {
    listing.label_selector += (listing.label_selector.empty() ? "" : ",") + key + "=" + value;
  }
  watch_pods(std::move(listing), {});
}

}  // namespace spotkeeper::effects
