// SPDX-License-Identifier: Apache-2.0
#include "world/store.h"

#include <algorithm>
#include <type_traits>

namespace spotkeeper::world {
namespace {

// What counts in metadata.generation.
template <class T>
bool spec_differs(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, Pod>) {
    return a.deleting() != b.deleting();
  } else if constexpr (requires { a.spec; }) {
    return !(a.spec == b.spec);
  } else {
    return false;
  }
}

// Most changes are of the status.
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (requires { a.status; }) {
    if (!(a.status == b.status)) return false;
  }
  return a == b;
}

}  // namespace

template <class T>
Ptr<T> Store::add(T object) {
  auto made = std::make_shared<T>(std::move(object));
  made->meta.uid = Uid{next_uid_++};
  made->meta.version = ++version_;
  made->meta.generation = 1;
  made->meta.created = timeline_.now();
  made->meta.deletion.reset();
  std::get<Table<T>>(tables_).put(made);
  index<T>(nullptr, made);
  emit({.change = Change::kAdded, .object = made, .before = nullptr});
  return made;
}

template <class T>
Ptr<T> Store::commit(const Ptr<T>& before, std::shared_ptr<T> after) {
  if (same(*after, *before)) return before;
  after->meta.version = ++version_;
  if (spec_differs(*before, *after)) ++after->meta.generation;
  std::get<Table<T>>(tables_).put(after);
  index<T>(before, after);
  emit({.change = Change::kModified, .object = after, .before = before});
  return after;
}

template <class T>
Ptr<T> Store::erase(Ptr<T> object) {
  auto last = std::make_shared<T>(*object);
  last->meta.version = ++version_;
  std::get<Table<T>>(tables_).erase(object->meta.view());
  // Listeners still find out to which sets a pod belonged.
  emit({.change = Change::kDeleted, .object = last, .before = object});
  unindex(object);
  return last;
}

template <class T>
void Store::index(const Ptr<T>& before, const Ptr<T>& after) {
  if constexpr (std::is_same_v<T, Pod>) {
    pods_.pod_changed(before, after);
  } else if constexpr (std::is_same_v<T, ReplicaSet>) {
    if (before && before->spec.selector == after->spec.selector) return;
    pods_.selector_set(T::kKind, after->meta.view(), after->spec.selector);
  } else if constexpr (std::is_same_v<T, Budget>) {
    if (before && before->spec.selector == after->spec.selector) return;
    if (after->spec.selector) {
      pods_.selector_set(T::kKind, after->meta.view(), *after->spec.selector);
    } else {
      pods_.selector_erased(T::kKind, after->meta.view());
    }
  } else if constexpr (std::is_same_v<T, Service>) {
    if (!after->spec.selector.empty()) {
      pods_.selector_set(T::kKind, after->meta.view(),
                         {.match_labels = after->spec.selector, .match_expressions = {}});
    } else {
      pods_.selector_erased(T::kKind, after->meta.view());
    }
  }
}

template <class T>
void Store::unindex(const Ptr<T>& object) {
  if constexpr (std::is_same_v<T, Pod>) {
    pods_.pod_erased(object);
  } else if constexpr (std::is_same_v<T, ReplicaSet> || std::is_same_v<T, Budget> ||
                       std::is_same_v<T, Service>) {
    pods_.selector_erased(T::kKind, object->meta.view());
  }
}

void Store::emit(Event event) {
  if (log_keeps_ > 0) {
    Log& log = logs_[static_cast<size_t>(event.kind())];
    log.events.push_back(event);
    if (log.events.size() - log.first > log_keeps_) {
      log.forgotten = log.events[log.first].version();
      log.events[log.first++] = {};
    }
    if (log.first > log_keeps_) {  // seldom enough to cost nothing
      log.events.erase(log.events.begin(), log.events.begin() + static_cast<ptrdiff_t>(log.first));
      log.first = 0;
    }
  }
  for (size_t i = 0; i < listeners_.size(); ++i) listeners_[i].second(event);
}

Answer<std::vector<Event>> Store::events_since(Kind kind, uint64_t version, size_t most) const {
  const Log& log = logs_[static_cast<size_t>(kind)];
  if (version < log.forgotten) return Refused(expired(version, log.forgotten));
  const auto begin = log.events.begin() + static_cast<ptrdiff_t>(log.first);
  const auto from = std::upper_bound(
      begin, log.events.end(), version,
      [](uint64_t wanted, const Event& event) { return wanted < event.version(); });
  const size_t count = std::min(most, static_cast<size_t>(log.events.end() - from));
  return std::vector<Event>(from, from + static_cast<ptrdiff_t>(count));
}

void Store::compact(uint64_t version) {
  for (Log& log : logs_) {
    while (log.first < log.events.size() && log.events[log.first].version() <= version) {
      log.events[log.first++] = {};
    }
    log.forgotten = std::max(log.forgotten, version);
  }
}

uint64_t Store::listen(Listener listener) {
  listeners_.emplace_back(next_listener_, std::move(listener));
  return next_listener_++;
}

void Store::forget(uint64_t listener) {
  std::erase_if(listeners_, [&](const auto& each) { return each.first == listener; });
}

#define SPOTKEEPER_INSTANTIATE(T)                                      \
  template Ptr<T> Store::add<T>(T);                                    \
  template Ptr<T> Store::commit<T>(const Ptr<T>&, std::shared_ptr<T>); \
  template Ptr<T> Store::erase<T>(Ptr<T>);
SPOTKEEPER_WORLD_FOR_EVERY_KIND(SPOTKEEPER_INSTANTIATE)
#undef SPOTKEEPER_INSTANTIATE

}  // namespace spotkeeper::world
