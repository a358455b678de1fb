// SPDX-License-Identifier: Apache-2.0
#include "laboratory/ledger.h"

#include <algorithm>
#include <climits>

namespace spotkeeper::laboratory {
namespace {

// The random cluster names a workload's pods so.
constexpr const char* kApp = "app";
constexpr const char* kReleased = "spotkeeper.io/released";

}  // namespace

void Ledger::follow(const world::Key& group) {
  const auto [at, fresh] = lines_.try_emplace(group);
  if (!fresh) return;
  for (const auto& pod : world_.list<world::Pod>(group.ns)) {
    if (pod->meta.labels.at(kApp) == group.name) put(at->second, *pod, false);
  }
  sample(group, at->second);
}

void Ledger::on(const world::Event& event) {
  if (lines_.empty()) return;
  const world::Meta& meta = event.object->meta;
  const bool is_pod = event.kind() == world::Kind::kPod;
  if (!is_pod && event.kind() != world::Kind::kDeployment) return;
  const auto found =
      lines_.find(world::KeyView(meta.ns, is_pod ? meta.labels.at(kApp) : meta.name));
  if (found == lines_.end()) return;
  if (is_pod) {
    put(found->second, world::as<world::Pod>(*event.object),
        event.change == world::Change::kDeleted);
  }
  sample(found->first, found->second);
}

void Ledger::recount() {
  for (auto& [group, line] : lines_) sample(group, line);
}

void Ledger::put(Line& line, const world::Pod& pod, bool gone) {
  if (gone || !pod.active() || !pod.ready()) {
    line.ready.erase(pod.meta.uid);
    return;
  }
  line.ready[pod.meta.uid] = {
      .node = pod.node,
      .owner = pod.meta.owner ? std::optional(pod.meta.owner->uid) : std::nullopt,
      .released = pod.meta.labels.find(kReleased) != nullptr};
}

void Ledger::sample(const world::Key& group, Line& line) {
  Sample now{.at = world_.now()};
  for (const auto& [uid, state] : line.ready) {
    if (state.released) {
      ++now.out;
    } else if (state.owner && !doomed_(state.node)) {
      ++now.elsewhere[*state.owner];
    }
  }
  const auto deployment = world_.find<world::Deployment>(group);
  now.wanted = deployment ? deployment->spec.replicas : 0;
  line.samples.push_back(now);
}

int Ledger::most_surplus(const world::Key& group, Time since) const {
  const auto found = lines_.find(group);
  if (found == lines_.end()) return INT_MAX;
  const std::vector<Sample>& all = found->second.samples;
  auto from = std::ranges::upper_bound(all, since, {}, &Sample::at);
  if (from != all.begin()) --from;  // what held when it began
  Sample most{.out = 0, .wanted = INT_MAX};
  for (; from != all.end(); ++from) {
    for (const auto& [set, ready] : from->elsewhere) {
      most.elsewhere[set] = std::max(most.elsewhere[set], ready);
    }
    most.out = std::max(most.out, from->out);
    most.wanted = std::min(most.wanted, from->wanted);
  }
  int elsewhere = 0;
  for (const auto& [set, ready] : most.elsewhere) elsewhere += ready;
  return elsewhere + most.out - most.wanted;
}

}  // namespace spotkeeper::laboratory
