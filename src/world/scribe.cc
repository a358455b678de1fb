// SPDX-License-Identifier: Apache-2.0
#include "world/scribe.h"

#include <algorithm>

namespace spotkeeper::world {

Millis ServiceStory::longest_gap(Time now) const {
  Millis longest{0};
  for (const Gap& gap : gaps) longest = std::max(longest, gap.to.value_or(now) - gap.from);
  return longest;
}

const PodStory* History::pod(Uid uid) const {
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? nullptr : &pods_[found->second];
}

std::optional<Time> History::host_ended(const std::string& node) const {
  const auto found = ended_hosts_.find(node);
  if (found == ended_hosts_.end()) return std::nullopt;
  return found->second;
}

void Scribe::on(const Event& event) {
  if (event.kind() == Kind::kPod) {
    on_pod(event);
  } else if (event.kind() == Kind::kEndpointSlice) {
    on_slice(as<EndpointSlice>(*event.object), event.change == Change::kDeleted);
  }
}

PodStory* Scribe::story(Uid uid) {
  History& history = context_.history;
  const auto found = history.by_uid_.find(uid);
  return found == history.by_uid_.end() ? nullptr : &history.pods_[found->second];
}

void Scribe::on_pod(const Event& event) {
  const Pod& pod = as<Pod>(*event.object);
  const Time now = context_.now();
  if (event.change == Change::kAdded) {
    History& history = context_.history;
    history.by_uid_.emplace(pod.meta.uid, history.pods_.size());
    history.pods_.push_back({.key = pod.meta.key(),
                             .uid = pod.meta.uid,
                             .node = pod.node,
                             .owner = pod.meta.owner,
                             .labels = pod.meta.labels,
                             .grace = pod.spec->grace,
                             .mirror = pod.meta.annotations.find(kMirrorAnnotation) != nullptr,
                             .created = now});
  }
  PodStory* found = story(pod.meta.uid);
  if (found == nullptr) return;
  PodStory& it = *found;
  if (!it.scheduled && !pod.node.empty()) {
    it.node = pod.node;
    it.scheduled = now;
  }
  if (!it.ready && pod.ready()) it.ready = now;
  if (pod.deleting()) {
    if (!it.told) it.told = now;
    it.told_grace = pod.meta.deletion_grace;
  }
  it.finished = it.finished || (pod.finished() && !pod.deleting());
  if (!it.disrupted) {
    const Condition* target = find_condition(pod.status.conditions, "DisruptionTarget");
    it.disrupted = target != nullptr && target->status;
  }
  if (event.change == Change::kDeleted) {
    it.gone = now;
    if (!it.told && !it.finished) {  // removed without any grace
      it.told = now;
      it.told_grace = Seconds(0);
    }
  }
}

void Scribe::on_slice(const EndpointSlice& slice, bool deleted) {
  if (!slice.meta.owner) return;
  const Key key{slice.meta.ns, slice.meta.owner->name};
  ServiceStory& it = context_.history.services_[key];
  it.key = key;
  const bool serves = !deleted && slice.ready() > 0;
  const bool gap_open = !it.gaps.empty() && !it.gaps.back().to;
  if (serves) {
    it.served = true;
    if (gap_open) it.gaps.back().to = context_.now();
  } else if (deleted) {
    if (gap_open) it.gaps.back().to = context_.now();
  } else if (it.served && !gap_open) {
    it.gaps.push_back({.from = context_.now(), .to = std::nullopt});
  }
}

void Scribe::processes_ended(Uid pod, bool killed) {
  PodStory* it = story(pod);
  if (it == nullptr || it->ended) return;
  it->ended = context_.now();
  it->killed = killed;
}

void Scribe::cut_off(Uid pod) {
  if (PodStory* it = story(pod)) it->cut_off = context_.now();
}

void Scribe::host_ended(const std::string& node) {
  context_.history.ended_hosts_.emplace(node, context_.now());
}

}  // namespace spotkeeper::world
