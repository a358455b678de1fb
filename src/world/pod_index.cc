// SPDX-License-Identifier: Apache-2.0
#include "world/pod_index.h"

#include <algorithm>

namespace spotkeeper::world {
namespace {

const PodIndex::Set& nothing() {
  static const PodIndex::Set none;
  return none;
}

Uid uid_of(const PodIndex::Entry* entry) {
  return entry->pod->meta.uid;
}

void put(PodIndex::Set& set, const PodIndex::Entry* entry) {
  set.insert(std::ranges::lower_bound(set, uid_of(entry), {}, uid_of), entry);
}

void take(PodIndex::Set& set, const PodIndex::Entry* entry) {
  const auto at = std::ranges::lower_bound(set, uid_of(entry), {}, uid_of);
  if (at != set.end() && *at == entry) set.erase(at);
}

std::string file_name(const std::string& ns, const std::string& key, const std::string& value) {
  return ns + '\n' + key + '\n' + value;
}

}  // namespace

const PodIndex::Set& PodIndex::on(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nothing() : found->second.pods;
}

int PodIndex::running_on(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? 0 : found->second.running;
}

const PodIndex::Set& PodIndex::of(Uid owner) const {
  const auto found = owners_.find(owner);
  return found == owners_.end() ? nothing() : found->second;
}

const PodIndex::Set& PodIndex::matching(Kind kind, const Key& key) const {
  const auto found = lines_.find({kind, key});
  return found == lines_.end() ? nothing() : found->second.pods;
}

const std::vector<PodIndex::Line*>& PodIndex::lines_of(Uid pod) const {
  static const std::vector<Line*> none;
  const auto found = entries_.find(pod);
  return found == entries_.end() ? none : found->second.lines;
}

void PodIndex::pod_changed(const Ptr<Pod>& before, const Ptr<Pod>& after) {
  Entry& entry = entries_[after->meta.uid];
  entry.pod = after;
  const bool moved = !before || before->node != after->node;
  const bool finished = after->finished() && before && !before->finished();
  if (moved && !after->node.empty()) {
    Place& place = nodes_[after->node];
    put(place.pods, &entry);
    if (!after->finished()) ++place.running;
  } else if (finished && !after->node.empty()) {
    --nodes_[after->node].running;
  }
  if (!before || before->meta.owner != after->meta.owner) {
    if (before && before->meta.owner) take(owners_[before->meta.owner->uid], &entry);
    if (after->meta.owner) put(owners_[after->meta.owner->uid], &entry);
  }
  if (!before || before->meta.labels != after->meta.labels) {
    leave_lines(entry);
    enter_lines(entry);
  }
}

void PodIndex::pod_erased(const Ptr<Pod>& pod) {
  const auto found = entries_.find(pod->meta.uid);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (!pod->node.empty()) {
    Place& place = nodes_[pod->node];
    take(place.pods, &entry);
    if (!pod->finished()) --place.running;
  }
  if (pod->meta.owner) {
    const auto owner = owners_.find(pod->meta.owner->uid);
    take(owner->second, &entry);
    if (owner->second.empty()) owners_.erase(owner);
  }
  leave_lines(entry);
  entries_.erase(found);
}

std::string PodIndex::file_of(const std::string& ns, const Selector& selector) {
  if (selector.match_labels.empty()) return ns;
  // The last pair of a ReplicaSet's is its hash: the rarer, the better.
  const auto& [key, value] = *std::prev(selector.match_labels.end());
  return file_name(ns, key, value);
}

void PodIndex::selector_set(Kind kind, const Key& key, const Selector& selector) {
  const auto [at, fresh] = lines_.try_emplace({kind, key});
  if (!fresh && at->second.selector == selector) return;
  if (!fresh) {
    selector_erased(kind, key);
    selector_set(kind, key, selector);
    return;
  }
  Line& line = at->second;
  line.kind = kind;
  line.key = key;
  line.selector = selector;
  files_[file_of(key.ns, selector)].push_back(&line);
  for (auto& [uid, entry] : entries_) {
    if (entry.pod->meta.ns != key.ns || !selector.matches(entry.pod->meta.labels)) continue;
    entry.lines.push_back(&line);
    line.pods.push_back(&entry);
  }
  std::ranges::sort(line.pods, {}, uid_of);
}

void PodIndex::selector_erased(Kind kind, const Key& key) {
  const auto at = lines_.find({kind, key});
  if (at == lines_.end()) return;
  Line* line = &at->second;
  for (const Entry* entry : line->pods) std::erase(entries_.at(uid_of(entry)).lines, line);
  const auto file = files_.find(file_of(key.ns, line->selector));
  std::erase(file->second, line);
  if (file->second.empty()) files_.erase(file);
  lines_.erase(at);
}

void PodIndex::enter_lines(Entry& entry) {
  const Meta& meta = entry.pod->meta;
  const auto look = [&](const std::string& file) {
    const auto found = files_.find(file);
    if (found == files_.end()) return;
    for (Line* line : found->second) {
      if (!line->selector.matches(meta.labels)) continue;
      entry.lines.push_back(line);
      put(line->pods, &entry);
    }
  };
  look(meta.ns);
  for (const auto& [key, value] : meta.labels) look(file_name(meta.ns, key, value));
}

void PodIndex::leave_lines(Entry& entry) {
  for (Line* line : entry.lines) take(line->pods, &entry);
  entry.lines.clear();
}

}  // namespace spotkeeper::world
