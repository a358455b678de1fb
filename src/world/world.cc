// SPDX-License-Identifier: Apache-2.0
#include "world/world.h"

#include <tuple>

#include "world/api.h"
#include "world/budgets.h"
#include "world/context.h"
#include "world/daemon_sets.h"
#include "world/deployments.h"
#include "world/endpoints.h"
#include "world/garbage.h"
#include "world/jobs.h"
#include "world/kubelet.h"
#include "world/replica_sets.h"
#include "world/scheduler.h"
#include "world/scribe.h"
#include "world/stateful_sets.h"
#include "world/taints.h"
#include "world/workloads.h"

namespace spotkeeper::world {

const char* to_string(Change change) {
  switch (change) {
    case Change::kAdded:
      return "ADDED";
    case Change::kModified:
      return "MODIFIED";
    case Change::kDeleted:
      return "DELETED";
  }
  return "ERROR";
}

struct World::Parts {
  Parts(const Options& options, uint64_t seed, Time start)
      : context(options, seed, start),
        api(context),
        scribe(context),
        kubelet(context, scribe),
        scheduler(context),
        replica_sets(context),
        deployments(context),
        stateful_sets(context),
        daemon_sets(context),
        jobs(context),
        budgets(context),
        endpoints(context),
        garbage(context),
        taints(context) {
    context.api = &api;
    context.store.listen([this](const Event& event) { dispatch(event); });
  }

  void dispatch(const Event& event) {
    scribe.on(event);
    switch (event.kind()) {
      case Kind::kPod:
        on_pod(event);
        break;
      case Kind::kNode:
        scheduler.on(event);
        daemon_sets.on(event);
        taints.on(event);
        break;
      case Kind::kReplicaSet:
        replica_sets.on(event);
        deployments.on(event);
        break;
      case Kind::kDeployment:
        deployments.on(event);
        break;
      case Kind::kStatefulSet:
        stateful_sets.on(event);
        break;
      case Kind::kDaemonSet:
        daemon_sets.on(event);
        break;
      case Kind::kJob:
        jobs.on(event);
        break;
      case Kind::kBudget:
        budgets.on(event);
        break;
      case Kind::kService:
        endpoints.on(event);
        break;
      case Kind::kNamespace:
      case Kind::kEndpointSlice:
        break;
    }
    garbage.on(event);
  }

  void on_pod(const Event& event) {
    const bool counts = counts_differ(event);
    kubelet.on(event);
    scheduler.on(event);
    if (counts) replica_sets.on(event);
    deployments.on(event);
    if (counts) {
      stateful_sets.on(event);
      daemon_sets.on(event);
      jobs.on(event);
      budgets.on(event);
      endpoints.on(event);
    }
    taints.on(event);
  }

  Context context;
  Api api;
  Scribe scribe;
  Kubelet kubelet;
  Scheduler scheduler;
  ReplicaSets replica_sets;
  Deployments deployments;
  StatefulSets stateful_sets;
  DaemonSets daemon_sets;
  Jobs jobs;
  Budgets budgets;
  Endpoints endpoints;
  Garbage garbage;
  Taints taints;
};

World::World(Options options, uint64_t seed, Time start)
    : parts_(std::make_unique<Parts>(options, seed, start)) {
  std::ignore = create(make_namespace("default"));
}

World::~World() = default;

Time World::now() const {
  return parts_->context.now();
}

Time World::wake() const {
  return parts_->context.timeline.wake();
}

void World::advance_to(Time time) {
  parts_->context.timeline.advance_to(time);
}

void World::at(Time time, std::function<void()> what) {
  parts_->context.timeline.at(time, std::move(what));
}

template <class T>
Ptr<T> World::find(const Key& key) const {
  return parts_->context.store.find<T>(key);
}

template <class T>
std::vector<Ptr<T>> World::list(const std::string& ns) const {
  const Table<T>& table = parts_->context.store.table<T>();
  std::vector<Ptr<T>> found;
  if (ns.empty()) found.reserve(table.size());
  auto at = ns.empty() ? table.begin() : table.first_in(ns);
  for (; at != table.end() && (ns.empty() || at->first.ns == ns); ++at) found.push_back(at->second);
  return found;
}

namespace {

// Calls `use` with an object of the type of that kind.
template <class F>
auto with_type(Kind kind, F&& use) {
  switch (kind) {
#define SPOTKEEPER_CASE(T) \
  case T::kKind:           \
    return use(static_cast<const T*>(nullptr));
    SPOTKEEPER_WORLD_FOR_EVERY_KIND(SPOTKEEPER_CASE)
#undef SPOTKEEPER_CASE
  }
  return use(static_cast<const Pod*>(nullptr));
}

}  // namespace

std::vector<Ptr<Object>> World::list(Kind kind, const std::string& ns) const {
  return with_type(kind, [&]<class T>(const T*) {
    const std::vector<Ptr<T>> found = list<T>(ns);
    return std::vector<Ptr<Object>>(found.begin(), found.end());
  });
}

Ptr<Object> World::find(Kind kind, const Key& key) const {
  return with_type(kind, [&]<class T>(const T*) -> Ptr<Object> { return find<T>(key); });
}

std::vector<Ptr<Pod>> World::pods_on(const std::string& node) const {
  std::vector<Ptr<Pod>> found;
  for (const PodIndex::Entry* entry : parts_->context.store.pods().on(node)) {
    found.push_back(entry->pod);
  }
  return found;
}

std::vector<Ptr<Pod>> World::pods_of(Uid owner) const {
  std::vector<Ptr<Pod>> found;
  for (const PodIndex::Entry* entry : parts_->context.store.pods().of(owner)) {
    found.push_back(entry->pod);
  }
  return found;
}

uint64_t World::version() const {
  return parts_->context.store.version();
}

Answer<std::vector<Event>> World::events_since(Kind kind, uint64_t version, size_t most) const {
  return parts_->context.store.events_since(kind, version, most);
}

void World::compact(uint64_t version) {
  parts_->context.store.compact(version);
}

uint64_t World::observe(std::function<void(const Event&)> observer) {
  return parts_->context.store.listen(std::move(observer));
}

void World::forget(uint64_t observer) {
  parts_->context.store.forget(observer);
}

template <class T>
Answer<Ptr<T>> World::create(T object) {
  return parts_->api.create(std::move(object));
}

template <class T>
Answer<Ptr<T>> World::update(const Key& key, const Preconditions& only_if,
                             const std::function<void(T&)>& change) {
  return parts_->api.update(key, only_if, change);
}

Answer<Ptr<Object>> World::remove(Kind kind, const Key& key, const DeleteOptions& options) {
  return parts_->api.remove(kind, key, options);
}

Answer<void> World::evict(const Key& pod, const DeleteOptions& options) {
  return parts_->api.evict(pod, options);
}

void World::end_host(const std::string& node, Time at) {
  parts_->kubelet.end_host(node, at);
}

void World::set_ready(const Key& pod, bool ready) {
  parts_->kubelet.set_ready(pod, ready);
}

void World::finish(const Key& pod, bool success) {
  parts_->kubelet.finish(pod, success);
}

void World::refuse_creations(Kind kind, const std::string& ns, bool refuse) {
  parts_->api.refuse_creations(kind, ns, refuse);
}

void World::admit(const std::string& ns, Admission admission) {
  parts_->api.admit(ns, admission);
}

const History& World::history() const {
  return parts_->context.history;
}

const Options& World::options() const {
  return parts_->context.options;
}

// NOLINTBEGIN(bugprone-macro-parentheses): T is a type
#define SPOTKEEPER_INSTANTIATE(T)                                            \
  template Ptr<T> World::find<T>(const Key&) const;                          \
  template std::vector<Ptr<T>> World::list<T>(const std::string&) const;     \
  template Answer<Ptr<T>> World::create<T>(T);                               \
  template Answer<Ptr<T>> World::update<T>(const Key&, const Preconditions&, \
                                           const std::function<void(T&)>&);
// NOLINTEND(bugprone-macro-parentheses)
SPOTKEEPER_WORLD_FOR_EVERY_KIND(SPOTKEEPER_INSTANTIATE)
#undef SPOTKEEPER_INSTANTIATE

}  // namespace spotkeeper::world
