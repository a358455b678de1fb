// SPDX-License-Identifier: Apache-2.0
#include "world/pod_index.h"

namespace spotkeeper::world {
namespace {

const PodIndex::Set& nothing() {
  static const PodIndex::Set none;
  return none;
}

void put(PodIndex::Set& set, const PodIndex::Entry* entry) {
  if (set.empty() || set.back()->uid < entry->uid) {  // most pods are new
    set.push_back(entry);
  } else {
    set.insert(std::ranges::lower_bound(set, entry->uid, {}, &PodIndex::Entry::uid), entry);
  }
}

void take(PodIndex::Set& set, const PodIndex::Entry* entry) {
  const auto at = std::ranges::lower_bound(set, entry->uid, {}, &PodIndex::Entry::uid);
  if (at != set.end() && *at == entry) set.erase(at);
}

constexpr uint64_t kNoPair = 0;

uint64_t file_name(const Labels::value_type& pair) {
  return KeyHash()({pair.first, pair.second});
}

}  // namespace

Ptr<Pod> PodIndex::find(Uid pod) const {
  const auto found = entries_.find(pod);
  return found == entries_.end() ? nullptr : found->second.pod;
}

const PodIndex::Set& PodIndex::on(const std::string& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nothing() : found->second.pods;
}

const PodIndex::Place& PodIndex::place(const std::string& node) const {
  return nodes_[node];
}

const PodIndex::Set& PodIndex::of(Uid owner) const {
  const auto found = owners_.find(owner);
  return found == owners_.end() ? nothing() : found->second;
}

const PodIndex::Line* PodIndex::line(Kind kind, const KeyView& key) const {
  const Lines& lines = lines_[static_cast<size_t>(kind)];
  const auto found = lines.find(key);
  return found == lines.end() ? nullptr : found->second.get();
}

const PodIndex::Set& PodIndex::matching(Kind kind, const KeyView& key) const {
  const Line* found = line(kind, key);
  return found == nullptr ? nothing() : found->pods;
}

const std::vector<PodIndex::Line*>& PodIndex::lines_of(Uid pod) const {
  static const std::vector<Line*> none;
  const auto found = entries_.find(pod);
  return found == entries_.end() ? none : found->second.lines;
}

void PodIndex::pod_changed(const Ptr<Pod>& before, const Ptr<Pod>& after) {
  Entry& entry = entries_[after->meta.uid];
  entry.uid = after->meta.uid;
  entry.pod = after;
  entry.ready = after->ready();
  entry.active = after->active();
  entry.owned = after->meta.owner.has_value();
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

uint64_t PodIndex::file_of(const Line& line) {
  const Labels& wanted = line.selector.match_labels;
  // The last pair of a ReplicaSet's is its hash: the rarer, the better.
  return wanted.empty() ? kNoPair : file_name(*std::prev(wanted.end()));
}

void PodIndex::selector_set(Kind kind, const KeyView& key, const Selector& selector) {
  const Line* before = line(kind, key);
  if (before != nullptr && before->selector == selector) return;
  if (before != nullptr) selector_erased(kind, key);
  auto made = std::make_unique<Line>(
      Line{.kind = kind, .key = key.copy(), .selector = selector, .pods = {}});
  Line* line = made.get();
  files_[file_of(*line)].push_back(line);
  for (auto& [uid, entry] : entries_) {
    if (entry.pod->meta.ns != key.ns || !selector.matches(entry.pod->meta.labels)) continue;
    entry.lines.push_back(line);
    line->pods.push_back(&entry);
  }
  std::ranges::sort(line->pods, {}, &Entry::uid);
  lines(kind).emplace(line->key, std::move(made));
}

void PodIndex::selector_erased(Kind kind, const KeyView& key) {
  const auto at = lines(kind).find(key);
  if (at == lines(kind).end()) return;
  const std::unique_ptr<Line> line = std::move(at->second);
  lines(kind).erase(at);
  for (const Entry* entry : line->pods) std::erase(entries_.at(entry->uid).lines, line.get());
  const auto file = files_.find(file_of(*line));
  std::erase(file->second, line.get());
  if (file->second.empty()) files_.erase(file);
}

void PodIndex::enter_lines(Entry& entry) {
  enter_file(entry, kNoPair);
  for (const auto& pair : entry.pod->meta.labels) enter_file(entry, file_name(pair));
}

void PodIndex::enter_file(Entry& entry, uint64_t file) {
  const auto found = files_.find(file);
  if (found == files_.end()) return;
  const Meta& meta = entry.pod->meta;
  for (Line* line : found->second) {
    if (line->key.ns != meta.ns || !line->selector.matches(meta.labels)) continue;
    if (entry.matches(line)) continue;  // two hashes are the same
    entry.lines.push_back(line);
    put(line->pods, &entry);
  }
}

void PodIndex::leave_lines(Entry& entry) {
  for (Line* line : entry.lines) take(line->pods, &entry);
  entry.lines.clear();
}

}  // namespace spotkeeper::world
