// SPDX-License-Identifier: Apache-2.0
#include "world/kubelet.h"

#include <algorithm>

#include "world/api.h"
#include "world/scribe.h"

namespace spotkeeper::world {
namespace {

// What a kubelet gives a pod that is removed from the API without any grace.
constexpr Millis kLeastGrace{2'000};

std::string ip_of(Uid uid) {
  std::string ip = "10";
  for (const unsigned shift : {16U, 8U, 0U}) {
    ip += '.';
    ip += std::to_string((uid.value >> shift) & 0xFFU);
  }
  return ip;
}

ConditionView readiness(bool ready, const char* reason, Time now) {
  return {.type = "Ready", .status = ready, .reason = reason, .message = {}, .since = now};
}

}  // namespace

void Kubelet::on(const Event& event) {
  if (event.kind() != Kind::kPod) return;
  const Ptr<Pod> pod = std::static_pointer_cast<const Pod>(event.object);
  if (pod->node.empty()) return;
  if (event.change == Change::kDeleted) {
    pod_gone(*pod);
  } else {
    pod_seen(pod);
  }
}

void Kubelet::pod_seen(const Ptr<Pod>& pod) {
  const Uid uid = pod->meta.uid;
  const auto [at, fresh] = runs_.try_emplace(uid);
  Run& run = at->second;
  if (fresh) {
    if (pod->finished()) {
      runs_.erase(at);
      return;
    }
    run.node = pod->node;
    context_.timeline.after(context_.random.in(context_.options.start),
                            [this, uid] { start(uid); });
  }
  if (pod->deleting() && !pod->meta.annotations.find(kMirrorAnnotation)) plan_end(*pod, run);
}

Kubelet::Run* Kubelet::find(Uid uid) {
  const auto found = runs_.find(uid);
  if (found == runs_.end() || dead_.contains(found->second.node)) return nullptr;
  return &found->second;
}

void Kubelet::start(Uid uid) {
  Run* run = find(uid);
  if (run == nullptr || run->told) return;
  const Ptr<Pod> pod = context_.store.pods().find(uid);
  if (!pod) return;
  run->running = true;
  const Behaviour& behaviour = pod->spec->behaviour;
  const bool ready_now = behaviour.ready_after == Millis(0);
  context_.store.change(pod, [&](Pod& each) {
    each.status.phase = Phase::kRunning;
    each.status.started = context_.now();
    each.status.ip = ip_of(uid);
    set_condition(each.status.conditions,
                  readiness(ready_now, ready_now ? "" : "ContainersNotReady", context_.now()));
  });
  if (!ready_now && behaviour.ready_after) {
    context_.timeline.after(*behaviour.ready_after, [this, uid] { become_ready(uid); });
  }
  if (behaviour.runs_for && pod->spec->restart_policy != RestartPolicy::kAlways) {
    context_.timeline.after(*behaviour.runs_for,
                            [this, uid, fails = behaviour.fails] { complete(uid, !fails); });
  }
}

void Kubelet::become_ready(Uid uid) {
  const Run* run = find(uid);
  if (run == nullptr || !run->running || run->failing) return;
  const Ptr<Pod> pod = context_.store.pods().find(uid);
  if (!pod) return;
  context_.store.change(pod, [&](Pod& each) {
    set_condition(each.status.conditions, readiness(true, "", context_.now()));
  });
}

void Kubelet::set_ready(const Key& key, bool ready) {
  const Ptr<Pod> pod = context_.store.find<Pod>(key);
  Run* run = pod ? find(pod->meta.uid) : nullptr;
  if (run == nullptr || !run->running) return;
  run->failing = !ready;
  context_.store.change(pod, [&](Pod& each) {
    set_condition(each.status.conditions,
                  readiness(ready, ready ? "" : "ContainersNotReady", context_.now()));
  });
}

void Kubelet::finish(const Key& key, bool success) {
  if (const Ptr<Pod> pod = context_.store.find<Pod>(key)) complete(pod->meta.uid, success);
}

// Its containers have ended by themselves.
void Kubelet::complete(Uid uid, bool success) {
  Run* run = find(uid);
  if (run == nullptr || !run->running) return;
  const Ptr<Pod> pod = context_.store.pods().find(uid);
  if (!pod) return;
  run->running = false;
  scribe_.processes_ended(uid, false);
  const bool told = run->told.has_value();
  context_.store.change(pod, [&](Pod& each) {
    each.status.phase = success ? Phase::kSucceeded : Phase::kFailed;
    set_condition(each.status.conditions, readiness(false, "PodCompleted", context_.now()));
  });
  if (told) remove(uid);
}

// Told at that moment, it ends when its application is done or its grace is over; a grace that is
// shortened later ends it sooner.
void Kubelet::plan_end(const Pod& pod, Run& run) {
  if (dead_.contains(run.node)) return;
  if (!run.told) run.told = context_.now();
  const Uid uid = pod.meta.uid;
  const Time by_itself = *run.told + pod.spec->behaviour.ends_after;
  const bool killed = *pod.meta.deletion < by_itself;
  const Time when = run.running ? std::min(by_itself, *pod.meta.deletion) : context_.now();
  context_.timeline.at(when,
                       [this, uid, plan = ++run.end_plan, killed] { end(uid, plan, killed); });
}

void Kubelet::end(Uid uid, uint64_t plan, bool killed) {
  Run* run = find(uid);
  if (run == nullptr || run->end_plan != plan) return;
  if (run->running) {
    run->running = false;
    scribe_.processes_ended(uid, killed);
  }
  context_.timeline.after(context_.random.in(context_.options.removal),
                          [this, uid] { remove(uid); });
}

void Kubelet::remove(Uid uid) {
  const Run* run = find(uid);
  if (run == nullptr) return;
  Ptr<Pod> pod = context_.store.pods().find(uid);
  if (!pod || !pod->deleting()) return;
  if (!pod->meta.finalizers.empty() && !pod->finished()) {
    // Somebody wants to see how it ended; it may never have begun.
    scribe_.processes_ended(uid, false);
    pod = context_.store.change(pod, [&](Pod& each) {
      each.status.phase = Phase::kFailed;
      set_condition(each.status.conditions, readiness(false, "PodFailed", context_.now()));
    });
  }
  context_.api->remove_pod_now(pod);
}

// Removed from the API while it runs (grace 0): killed soon after.
void Kubelet::pod_gone(const Pod& pod) {
  const Uid uid = pod.meta.uid;
  const auto found = runs_.find(uid);
  if (found == runs_.end()) return;
  if (!found->second.running || dead_.contains(found->second.node)) {
    runs_.erase(found);
    return;
  }
  const Millis needs = std::min(pod.spec->behaviour.ends_after, kLeastGrace);
  context_.timeline.after(needs, [this, uid] {
    if (find(uid) != nullptr) scribe_.processes_ended(uid, true);
    runs_.erase(uid);
  });
}

void Kubelet::end_host(const std::string& node, Time at) {
  context_.timeline.at(at, [this, node] { host_ends(node); });
}

void Kubelet::host_ends(const std::string& node) {
  if (!dead_.insert(node).second) return;
  scribe_.host_ended(node);
  for (const PodIndex::Entry* entry : context_.store.pods().on(node)) {
    const auto found = runs_.find(entry->pod->meta.uid);
    if (found != runs_.end() && found->second.running) scribe_.cut_off(found->first);
  }
  context_.timeline.after(context_.options.host_missed_after, [this, node] { host_missed(node); });
  context_.timeline.after(context_.options.host_removed_after, [this, node] {
    if (const Ptr<Node> gone = context_.store.find<Node>({{}, node})) context_.store.erase(gone);
  });
}

// The node lifecycle controller: no word from the kubelet.
void Kubelet::host_missed(const std::string& node) {
  const Ptr<Node> missed = context_.store.find<Node>({{}, node});
  if (!missed) return;
  context_.store.change(missed, [&](Node& each) {
    each.status.ready = false;
    each.status.ready_since = context_.now();
  });
  const PodIndex::Set pods = context_.store.pods().on(node);
  for (const PodIndex::Entry* entry : pods) {
    if (!entry->pod->ready()) continue;
    context_.store.change(entry->pod, [&](Pod& each) {
      set_condition(each.status.conditions, readiness(false, "NodeLost", context_.now()));
    });
  }
}

}  // namespace spotkeeper::world
