// SPDX-License-Identifier: Apache-2.0
#include "laboratory/workload_view.h"

#include <algorithm>
#include <utility>

#include "laboratory/translate.h"

namespace spotkeeper::laboratory {
namespace {

constexpr Millis kListAgain{500};

}  // namespace

WorkloadView::WorkloadView(world::World& world, Ways ways, std::set<std::string> by_hash,
                           bool may_read)
    : world_(world),
      ways_(std::move(ways)),
      by_hash_(std::move(by_hash)),
      may_read_(may_read),
      book_([this](const std::string& node) { return ways_.doomed(node); }) {}

bool WorkloadView::Source::shows(const world::Pod& pod) const {
  if (!hashes.empty()) return hashes.contains(pod.meta.labels.at(world::kHashLabel));
  return pod.meta.ns == ns && selector.matches(pod.meta.labels);
}

void WorkloadView::tell(const effects::WorkloadBook::Observations& observations) {
  for (const core::Observation& observation : observations) ways_.tell(observation);
}

void WorkloadView::tell_again() {
  tell(book_.everything());
  tell(book_.recount());
}

void WorkloadView::marks_known() {
  tell(book_.marks_known());
}

void WorkloadView::deliver(Time& last, std::function<void()> what) {
  last = std::max(last, world_.now() + ways_.watch());
  ways_.in(last - world_.now(), std::move(what));
}

void WorkloadView::need(const std::vector<kube::Pod>& pods) {
  const effects::Surroundings around = effects::surroundings_of(pods);
  for (const auto& [ns, space] : around.spaces) {
    if (looks_.try_emplace(ns).second) look_at(ns);
  }
  std::set<std::string> fresh;
  for (const auto& [hash, replica_set] : around.hashes) {
    if (hashes_.insert(hash).second) fresh.insert(hash);
  }
  if (fresh.empty()) {
    tell(book_.wanted(around.groups));
    return;
  }
  add_source({.hashes = std::move(fresh), .ns = {}, .selector = {}}, around.groups);
}

void WorkloadView::look_at(const std::string& ns) {
  ways_.in(ways_.watch(), [this, ns] { list_deployments(ns); });
  ways_.in(ways_.watch() + ways_.watch(), [this, ns] {
    ways_.claims(ns, {});
    looks_[ns].others = true;
    settle(ns);
  });
}

void WorkloadView::list_deployments(const std::string& ns) {
  if (!may_read_) {
    ways_.tell(core::GroupsUnread{.why = "its Deployment may not be read"});
    return;
  }
  if (ways_.fails()) {
    ways_.in(kListAgain, [this, ns] { list_deployments(ns); });
    return;
  }
  const auto all = world_.list<world::Deployment>(ns);
  Look& look = looks_[ns];
  look.listed = true;
  deliver(look.last, [this, ns, all] {
    for (const auto& each : all) deployment_changed(to_kube(*each));
    looks_[ns].seen = true;
    settle(ns);
  });
}

void WorkloadView::deployment_changed(const kube::Deployment& deployment) {
  tell(book_.deployment_changed(deployment));
  if (!deployment.rolling || deployment.selector.match_labels.empty()) return;
  if (!rollouts_.insert(deployment.uid).second) return;
  add_source({.hashes = {}, .ns = deployment.ns, .selector = to_world(deployment.selector)}, {});
}

void WorkloadView::settle(const std::string& ns) {
  const Look& look = looks_[ns];
  if (!look.seen || !look.others) return;
  if (book_.has_looked_at(ns)) return;
  tell(book_.looked_at(
      ns, by_hash_.contains(ns) ? "Service by-hash selects by pod-template-hash" : ""));
}

void WorkloadView::add_source(Source source, const std::set<core::GroupId>& groups) {
  const int number = static_cast<int>(sources_.size()) + 1;
  source.number = number;
  sources_[number] = std::move(source);
  ways_.in(ways_.watch(), [this, number, groups] { list_pods(sources_.at(number), groups); });
}

void WorkloadView::list_pods(Source& source, const std::set<core::GroupId>& groups) {
  if (ways_.fails()) {
    ways_.in(kListAgain, [this, &source, groups] { list_pods(source, groups); });
    return;
  }
  source.listed = true;
  std::vector<kube::Pod> pods;
  for (const auto& pod : world_.list<world::Pod>(source.ns)) {
    if (source.shows(*pod)) pods.push_back(to_kube(*pod));
  }
  deliver(source.last, [this, number = source.number, pods, groups] {
    for (const kube::Pod& pod : pods) tell(book_.pod_changed(number, pod));
    tell(book_.wanted(groups));
  });
}

void WorkloadView::world_changed(const world::Event& event,
                                 std::shared_ptr<const kube::Pod>& made) {
  if (event.kind() == world::Kind::kDeployment) {
    const auto look = looks_.find(event.object->meta.ns);
    if (look == looks_.end() || !look->second.listed) return;
    const kube::Deployment record = to_kube(world::as<world::Deployment>(*event.object));
    deliver(look->second.last, [this, record, gone = event.change == world::Change::kDeleted] {
      if (gone) {
        tell(book_.deployment_gone(record));
      } else {
        deployment_changed(record);
      }
    });
    return;
  }
  if (event.kind() != world::Kind::kPod) return;
  const world::Pod& pod = world::as<world::Pod>(*event.object);
  for (auto& [number, source] : sources_) {
    if (!source.listed) continue;
    // What a change takes out of the selector is shown as deleted.
    const bool shown = event.change != world::Change::kDeleted && source.shows(pod);
    const auto was = [&] {
      return event.before && source.shows(world::as<world::Pod>(*event.before));
    };
    if (!shown && !was()) continue;
    if (!made) made = std::make_shared<kube::Pod>(to_kube(pod));
    deliver(source.last, [this, at = number, record = made, shown] {
      tell(shown ? book_.pod_changed(at, *record) : book_.pod_gone(at, *record));
    });
  }
}

}  // namespace spotkeeper::laboratory
