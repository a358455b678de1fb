// SPDX-License-Identifier: Apache-2.0
// What is checked when a History is over.
#include <fmt/format.h>

#include <algorithm>

#include "core/verdict.h"
#include "effects/release.h"
#include "laboratory/history.h"

namespace spotkeeper::laboratory {
namespace {

constexpr Seconds kEnoughWord{10};
constexpr Seconds kPromptly{5};  // for what was placed there late

}  // namespace

void History::check_end() {
  check_entries();
  check_nobody_left_out();
  check_replica_sets();
  tally_.pods = static_cast<int64_t>(world_.history().pods().size());
  tally_.changes = static_cast<int64_t>(world_.version());
  for (const Driver* each : drivers()) {
    if (each->killed()) continue;
    judged_ = each;
    check_hosts();
  }
  for (const world::PodStory& pod : world_.history().pods()) {
    const auto doomed = doomed_.find(pod.node);
    judged_ = who_drained(pod.node);
    if (doomed != doomed_.end() && doomed->second.ends) check_pod(pod, doomed->second);
  }
}

// The second may not have heard of all.
void History::check_hosts() {
  for (const auto& [node, doomed] : doomed_) {
    const bool all = judged_ == &driver_ || driver_.killed();
    if (!all && judged_->desk().find(core::HostId(node)) == nullptr) continue;
    doomed.ends ? check_host(node, doomed) : check_spared(node, doomed);
  }
}

void History::check_host(const std::string& node, const Doomed& doomed) {
  const auto object = world_.find<world::Node>({{}, node});
  const auto marked_it = [&node](const Driver* driver) {
    return std::ranges::any_of(driver->journal(), [&node](const core::Entry& entry) {
      return entry.host.value == node && entry.what == core::What::kMarked;
    });
  };
  // A while after the host its Node is deleted.
  const bool marked =
      object ? object->spec.unschedulable : std::ranges::any_of(drivers(), marked_it);
  if (!marked) wrong(node + ": was never marked");
  const core::Drain* drain = judged_->desk().find(core::HostId(node));
  if (drain == nullptr) {
    wrong(node + ": has no drain");
    return;
  }
  if (!drain->finished()) wrong(node + ": its drain never finished");
  check_verdicts(*drain, doomed);
}

void History::check_entries() {
  tally_.shared = second_ != nullptr ? 1 : 0;
  for (const core::Entry& entry : journal()) {
    if (entry.what == core::What::kReplaced) ++tally_.replaced;
    if (entry.text.starts_with("taken over from ")) ++tally_.taken_over;
    if (entry.text.empty() && entry.what != core::What::kMarked) {
      wrong(
          fmt::format("{} {}: journalled without a word", core::to_string(entry.what), entry.unit));
    }
  }
}

// Nobody who stays is left without an owner, and no ReplicaSet keeps a pod that it wants to let go.
void History::check_nobody_left_out() {
  for (const auto& pod : world_.list<world::Pod>()) {
    if (!pod->active() || world_.history().host_ended(pod->node)) continue;
    const world::PodStory* story = world_.history().pod(pod->meta.uid);
    const bool of_set = story->owner && story->owner->kind == world::Kind::kReplicaSet;
    if (!of_set) continue;
    if (!pod->meta.owner) {
      const auto set = world_.find<world::ReplicaSet>({pod->meta.ns, story->owner->name});
      wrong(fmt::format("{}: is left without an owner, {}", pod->meta.key().text(),
                        set ? "which is there" : "which is gone"));
    }
    if (pod->meta.labels.find(effects::kReleasedLabel) != nullptr) {
      wrong(pod->meta.key().text() + ": is left released");
    }
  }
}

// No ReplicaSet stays frozen.
void History::check_replica_sets() {
  for (const auto& set : world_.list<world::ReplicaSet>()) {
    const auto ns = world_.find<world::Namespace>({{}, set->meta.ns});
    if (set->meta.deletion || !ns || ns->terminating() || forbids_new_.contains(set->meta.ns)) {
      continue;
    }
    const auto pods = world_.pods_of(set->meta.uid);
    const auto active = std::ranges::count_if(
        pods, [](const world::Ptr<world::Pod>& pod) { return pod->active(); });
    // Scaled a moment ago, by a rollout: its controller has not looked at it yet.
    if (set->status.observed_generation != set->meta.generation) continue;
    if (active != set->spec.replicas) {
      wrong(fmt::format("{}: has {} pods and wants {}", set->meta.key().text(), active,
                        set->spec.replicas));
    }
  }
}

// A host that stays after all is as it was.
void History::check_spared(const std::string& node, const Doomed& doomed) {
  const core::Drain* drain = judged_->desk().find(core::HostId(node));
  if (drain == nullptr) {
    wrong(node + ": has no drain");
    return;
  }
  if (!drain->finished()) wrong(node + ": its drain never finished");
  const auto object = world_.find<world::Node>({{}, node});
  if (!object || (doomed.withdrawn && !doomed.undone)) return;
  if (second_ && second_->is_left_by_the_dead(node)) return;
  const bool finished_before = !drain->withdrawn();
  if (object->spec.unschedulable && !finished_before) wrong(node + ": stays cordoned");
  if (!object->spec.taints.empty() && !finished_before) wrong(node + ": stays tainted");
}

// Somebody has written that it is to stay.
bool History::is_never(const world::PodStory& pod) const {
  const core::Drain* const drain = judged_->desk().find(core::HostId(pod.node));
  const core::Track* const track =
      drain != nullptr ? drain->find(core::UnitId(pod.uid.text())) : nullptr;
  return track != nullptr &&
         core::wanted_for(track->unit, drain->notice(), judged_->policy()).mode ==
             core::Mode::kNotOurs;
}

bool History::is_exempt(const world::PodStory& pod) const {
  return (pod.owner && pod.owner->kind == world::Kind::kDaemonSet) || pod.mirror;
}

Time History::latest_word(const world::PodStory& pod, const core::Notice& notice) const {
  const Seconds grace = setup_.policy.grace_override.value_or(pod.grace);
  const Time ordinary = notice.deadline - std::min(grace, kEnoughWord);
  return std::max(ordinary, pod.scheduled.value_or(pod.created) + kPromptly);
}

void History::check_pod(const world::PodStory& pod, const Doomed& doomed) {
  if (is_exempt(pod) || is_never(pod)) return;
  const core::Notice& notice = doomed.notice;
  const Time latest = latest_word(pod, notice);
  if (pod.told && *pod.told >= notice.received && pod.ended && !pod.cut_off) ++tally_.moved;
  // Gone or over before it had to be told.
  if (pod.ended && *pod.ended <= latest) return;
  if (pod.gone && *pod.gone <= latest) return;
  if (pod.finished || pod.scheduled.value_or(pod.created) > notice.deadline - kPromptly) return;
  if (pod.cut_off) ++tally_.cut_off;
  if (!pod.told) {
    wrong(fmt::format("{} on {}: never told{}", pod.key.text(), pod.node,
                      pod.cut_off ? ", and cut off" : ""));
  } else if (*pod.told > latest) {
    wrong(fmt::format("{} on {}: told {} before the deadline, grace {} s", pod.key.text(), pod.node,
                      format_duration(notice.deadline - *pod.told), pod.grace.count()));
  }
}

// The journal does not claim more than happened.
void History::check_verdicts(const core::Drain& drain, const Doomed& doomed) {
  for (const core::Track* track : drain.tracks()) {
    const core::Verdict verdict = core::verdict_of(*track, drain.notice());
    const world::PodStory* pod = world_.history().pod(world::Uid::parse(track->unit.id.value));
    if (pod == nullptr) continue;
    const bool claims_told = verdict == core::Verdict::kMoved || verdict == core::Verdict::kEnding;
    // What had finished already is removed at once.
    if (claims_told && !pod->told && !pod->finished) {
      wrong(track->unit.name + ": is said to be told, and was not");
    }
    if (verdict == core::Verdict::kMoved && (!pod->gone || *pod->gone > doomed.notice.deadline) &&
        !pod->ended) {
      wrong(track->unit.name + ": is said to have moved, and had not");
    }
    if (verdict == core::Verdict::kStays && !is_exempt(*pod) && !pod->finished && !pod->ended &&
        !is_never(*pod)) {
      wrong(track->unit.name + ": is said to stay, and is ours to move");
    }
  }
}

}  // namespace spotkeeper::laboratory
