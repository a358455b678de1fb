// SPDX-License-Identifier: Apache-2.0
#include "world/context.h"

#include <algorithm>

namespace spotkeeper::world {

bool WriteLimit::take(Time now) {
  if (rate_ <= 0) return true;
  const double passed = static_cast<double>((now - refilled_).count()) / 1000;
  tokens_ = std::min(burst_, tokens_ + passed * rate_);
  refilled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

Time WriteLimit::next(Time now) const {
  if (rate_ <= 0 || tokens_ >= 1) return now;
  return now + Millis(1 + static_cast<int64_t>((1 - tokens_) / rate_ * 1000));
}

WorkQueue::Item& WorkQueue::item_of(const KeyView& key) {
  const auto found = items_.find(key);
  if (found != items_.end()) return *found->second;
  if (items_.size() >= swept_at_) sweep();
  auto item = std::make_unique<Item>(Item{.key = key.copy()});
  const KeyView own = item->key;
  return *items_.emplace(own, std::move(item)).first->second;
}

void WorkQueue::add(const KeyView& key) {
  Item& item = item_of(key);
  if (item.due <= context_.now() + latency_.most) return;
  wake_at(item, context_.now() + context_.random.in(latency_));
}

void WorkQueue::add_at(const KeyView& key, Time at) {
  wake_at(item_of(key), std::max(at, context_.now()));
}

void WorkQueue::wake_at(Item& item, Time when) {
  if (item.due <= when) return;
  item.due = when;
  ++item.alarms;
  context_.timeline.at(when, [this, it = &item] { run(*it); });
}

void WorkQueue::run(Item& item) {
  if (item.due == context_.now()) {
    item.due = kNever;
    sync_(item.key);
  }
  --item.alarms;  // not before: it stays while its turn lasts
}

void WorkQueue::sweep() {
  std::erase_if(items_, [](const auto& each) { return each.second->alarms == 0; });
  swept_at_ = std::max(kFewItems, 2 * items_.size());
}

std::string generated_name(Context& context, const std::string& owner) {
  // Kubernetes' own: no vowels, no look-alikes.
  static constexpr char kLetters[] = "bcdfghjklmnpqrstvwxz2456789";
  static constexpr size_t kLength = 5;
  uint64_t noise = context.random.next();
  std::string name = owner + "-";
  for (size_t i = 0; i < kLength; ++i) {
    name += kLetters[noise % (sizeof(kLetters) - 1)];
    noise /= sizeof(kLetters) - 1;
  }
  return name;
}

Pod pod_from(const PodTemplate& from, const Meta& owner, Kind owner_kind, std::string name) {
  Pod pod;
  pod.meta.ns = owner.ns;
  pod.meta.name = std::move(name);
  pod.meta.labels = from.labels;
  pod.meta.annotations = from.annotations;
  pod.meta.owner = Owner{.kind = owner_kind, .name = owner.name, .uid = owner.uid};
  pod.spec = from.spec;
  return pod;
}

bool counts_differ(const Event& event) {
  if (event.change != Change::kModified) return true;
  const Pod& before = as<Pod>(*event.before);
  const Pod& after = as<Pod>(*event.object);
  return before.status.phase != after.status.phase || before.deleting() != after.deleting() ||
         before.ready() != after.ready() || before.node != after.node ||
         before.meta.owner != after.meta.owner || before.meta.labels != after.meta.labels;
}

}  // namespace spotkeeper::world
