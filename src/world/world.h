// SPDX-License-Identifier: Apache-2.0
// An emulated Kubernetes cluster on a virtual clock: the API server's objects and verbs, and its
// controllers, scheduler and kubelets as reactions that come some milliseconds later. Pure: no I/O,
// no threads, no real clock; the same seed and the same calls at the same times give the same
// history. Nothing happens but in advance_to() and in the verbs.
//
// For tests, the laboratory, the demo and the emulator. One owner; not thread-safe. Verbs answer as
// Kubernetes 1.34 does (Refusal); nothing throws.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "world/history.h"
#include "world/objects.h"
#include "world/options.h"
#include "world/refusal.h"

namespace spotkeeper::world {

enum class Change : uint8_t { kAdded, kModified, kDeleted };
const char* to_string(Change change);  // "ADDED"

// One entry of the log. A removed object is shown as it was last, with the version of its removal.
struct Event {
  Change change = Change::kAdded;
  Ptr<Object> object;
  Ptr<Object> before;  // nullptr for kAdded: a watch with selectors needs it
  uint64_t version() const { return object->meta.version; }
  Kind kind() const { return object->kind; }
};

struct Preconditions {
  std::optional<Uid> uid = {};
  std::optional<uint64_t> version = {};
};

struct DeleteOptions {
  std::optional<Seconds> grace = {};  // pods only; absent: the pod's own
  Preconditions only_if = {};
  bool orphan = false;  // propagationPolicy Orphan: dependents stay, without their owner
  bool dry_run = false;
};

// What an admission policy forbids in a namespace.
struct Admission {
  // A pod that has an owner keeps one: the API lets a label change through, and refuses the
  // ReplicaSet that would let go of the pod.
  bool owner_stays = false;
  // A client may not change a pod's pod-template-hash: refused with this code, 422 as a
  // ValidatingAdmissionPolicy does, or 403 as a webhook; 0: it may.
  int hash_stays = 0;
};

class World {
 public:
  explicit World(Options options = {}, uint64_t seed = 1,
                 Time start = Time(Seconds(1'800'000'000)));
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- Time -------------------------------------------------------------------------------------
  Time now() const;
  // When something happens next; kNever when nothing is under way.
  Time wake() const;
  // Lets everything happen that is due until then, in order. Never goes back.
  void advance_to(Time time);
  // Calls back at that time (at the earliest now), in order with everything else. The callback may
  // use every verb. For scripts: "at second 30 the budget opens".
  void at(Time time, std::function<void()> what);

  // --- Reading (T: Pod, Node, Namespace, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job,
  //     Budget, Service, EndpointSlice) -----------------------------------------------------------
  // nullptr when there is none.
  template <class T>
  Ptr<T> find(const Key& key) const;
  // Ordered by namespace and name. `ns` empty: all.
  template <class T>
  std::vector<Ptr<T>> list(const std::string& ns = {}) const;
  std::vector<Ptr<Object>> list(Kind kind, const std::string& ns = {}) const;
  Ptr<Object> find(Kind kind, const Key& key) const;
  std::vector<Ptr<Pod>> pods_on(const std::string& node) const;
  std::vector<Ptr<Pod>> pods_of(Uid owner) const;

  // The newest version of anything: a list's resourceVersion.
  uint64_t version() const;

  // --- Watching
  // ----------------------------------------------------------------------------------- What
  // happened to objects of a kind after that version, oldest first, at most `most`. 410 Expired
  // when the log does not reach back so far.
  Answer<std::vector<Event>> events_since(Kind kind, uint64_t version,
                                          size_t most = SIZE_MAX) const;
  // Forgets all events up to that version: watches from before it are expired.
  void compact(uint64_t version);
  // Called synchronously after each change of an object of any kind. It must not write: use at().
  // The number is for forget().
  uint64_t observe(std::function<void(const Event&)> observer);
  void forget(uint64_t observer);

  // --- Writing, as an API client
  // ------------------------------------------------------------------ The world gives uid,
  // version, generation and creation time. 403 NamespaceTerminating, 404 for an unknown namespace,
  // 409 AlreadyExists, 422 Invalid. A pod with `node` set is bound already. A namespace "default"
  // exists from the start.
  template <class T>
  Answer<Ptr<T>> create(T object);

  // Reads, changes, writes, as a PATCH does. A precondition's version that is another one: 409;
  // its uid: 422, for metadata.uid cannot be changed. `change` must leave uid, name, namespace,
  // version, generation and deletion alone (they are put back); it may write spec or status: the
  // caller knows which subresource it is. A pod's spec stays, but for its labels and the like. A
  // change that changes nothing writes nothing. Taking away the last finalizer of an object that is
  // being deleted removes it (the answer is what it was last).
  template <class T>
  Answer<Ptr<T>> update(const Key& key, const Preconditions& only_if,
                        const std::function<void(T&)>& change);

  // DELETE. A pod gets its grace (unscheduled and finished pods are removed at once; a shorter
  // grace than before shortens, a longer one changes nothing); a namespace terminates; anything
  // else is removed, its dependents after it. Answers the object as it is after that.
  Answer<Ptr<Object>> remove(Kind kind, const Key& key, const DeleteOptions& options = {});

  // pods/eviction. In the server's order: 404; pods that are pending, finished or being deleted
  // pass by budgets; two budgets 500; the budget 429 (it is charged before the UID is looked at:
  // tried); UID or version 409; condition DisruptionTarget; deletion. The answer is 201.
  Answer<void> evict(const Key& pod, const DeleteOptions& options = {});

  // --- What no API does -----------------------------------------------------------------------
  // The machine ends at that time: processes that still run are cut off (History), its kubelet is
  // silent from then on.
  void end_host(const std::string& node, Time at);
  // The pod's readiness probe fails from now on, or succeeds again.
  void set_ready(const Key& pod, bool ready);
  // The pod's containers end by themselves now.
  void finish(const Key& pod, bool success);
  // Evictions and deletions pass until then; creations of that kind are refused (a quota, 403).
  void refuse_creations(Kind kind, const std::string& ns, bool refuse);
  // Replaces what was in force there.
  void admit(const std::string& ns, Admission admission);

  const History& history() const;
  const Options& options() const;

  // Everything inside; for the world's own parts.
  struct Parts;

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace spotkeeper::world
