// SPDX-License-Identifier: Apache-2.0
// The objects, their versions and the log of their changes: what etcd and the watch cache are to
// the API server. Checks nothing; its callers do. Listeners hear of a change after it and only note
// it down: nobody writes from within one.
#pragma once

#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include "world/pod_index.h"
#include "world/table.h"
#include "world/timeline.h"
#include "world/world.h"

namespace spotkeeper::world {

class Store {
 public:
  using Listener = std::function<void(const Event&)>;

  Store(const Timeline& timeline, size_t log_keeps) : timeline_(timeline), log_keeps_(log_keeps) {}

  template <class T>
  const Table<T>& table() const {
    return std::get<Table<T>>(tables_);
  }
  template <class T>
  Ptr<T> find(const KeyView& key) const {
    return table<T>().find(key);
  }
  const PodIndex& pods() const { return pods_; }

  // Gives uid, version, generation and creation time.
  template <class T>
  Ptr<T> add(T object);

  // A new snapshot of what is in the store; the old one when `what` changes nothing. By value: the
  // argument may well stand in an index that this writes.
  template <class T, class F>
  Ptr<T> change(Ptr<T> before, F&& what) {
    auto after = std::make_shared<T>(*before);
    std::forward<F>(what)(*after);
    return commit(before, std::move(after));
  }
  // The same with all of the new one made already.
  template <class T>
  Ptr<T> commit(const Ptr<T>& before, std::shared_ptr<T> after);
  // A controller's report: writes the status where it is another one.
  template <class T>
  void report(const Ptr<T>& before, T::Status status) {
    if (before->status == status) return;
    change(before, [&](T& after) { after.status = std::move(status); });
  }

  // Answers the object as its watchers see it last.
  template <class T>
  Ptr<T> erase(Ptr<T> object);

  uint64_t version() const { return version_; }
  Answer<std::vector<Event>> events_since(Kind kind, uint64_t version, size_t most) const;
  void compact(uint64_t version);

  uint64_t listen(Listener listener);
  void forget(uint64_t listener);

 private:
  template <class T>
  void index(const Ptr<T>& before, const Ptr<T>& after);
  template <class T>
  void unindex(const Ptr<T>& object);
  void emit(Event event);

  const Timeline& timeline_;
  size_t log_keeps_;
  uint64_t version_ = 1;
  uint64_t next_uid_ = 1;
  uint64_t next_listener_ = 1;
  std::tuple<Table<Namespace>, Table<Node>, Table<Pod>, Table<ReplicaSet>, Table<Deployment>,
             Table<StatefulSet>, Table<DaemonSet>, Table<Job>, Table<Budget>, Table<Service>,
             Table<EndpointSlice>>
      tables_;
  PodIndex pods_;
  struct Log {
    std::vector<Event> events;
    size_t first = 0;        // of `events` that is kept
    uint64_t forgotten = 0;  // the version up to which events are gone
  };
  Log logs_[kKinds];
  std::vector<std::pair<uint64_t, Listener>> listeners_;
};

// For every kind: what the world's templates are made for.
#define SPOTKEEPER_WORLD_FOR_EVERY_KIND(DO) \
  DO(Namespace)                             \
  DO(Node)                                  \
  DO(Pod)                                   \
  DO(ReplicaSet)                            \
  DO(Deployment)                            \
  DO(StatefulSet)                           \
  DO(DaemonSet)                             \
  DO(Job)                                   \
  DO(Budget)                                \
  DO(Service)                               \
  DO(EndpointSlice)

}  // namespace spotkeeper::world
