// SPDX-License-Identifier: Apache-2.0
// What is promised in a small world, what tells its states apart, and words.
#include <fmt/format.h>

#include <algorithm>

#include "laboratory/small_world.h"
#include "laboratory/small_world_names.h"

namespace spotkeeper::laboratory {
namespace {

constexpr Seconds kEnoughWord{10};

struct Bytes {
  std::string text;
  void add(auto... values) { (text.push_back(static_cast<char>(values)), ...); }
  void add_time(Time time) {
    const int64_t since = (time - kSmallBegin).count();
    for (int byte = 0; byte < 4; ++byte) add(since >> (8 * byte));
  }
};

}  // namespace

// --- Promises -----------------------------------------------------------------------------------

Time SmallWorld::latest_word() const {
  return kSmallBegin + setup_->notice - std::min(setup_->grace, kEnoughWord);
}

void SmallWorld::check(const core::Action& action, int number) {
  const Pod& pod = pods_[static_cast<size_t>(number)];
  const auto name = [&] {
    return fmt::format("{} {}", core::to_string(action.kind), pod_name(number));
  };
  const core::Track& track = *drain_->find(action.unit);
  if (track.told) wrong(name() + ": has been told");
  if (action.grace && *action.grace < Seconds(1)) wrong(name() + ": with a grace of 0");
  const bool guarded = !track.unit.budgets.empty() && !track.stop_now;
  if (action.kind == core::ActionKind::kStop && guarded && now_ < track.plan.force) {
    wrong(name() + ": its budget is overruled before the last moment");
  }
  if (action.kind != core::ActionKind::kAsk || now_ >= track.plan.ask_by) return;
  if (!track.release.out() || !track.unit.ready) return;
  // What is there now is the judge, but for one too many that its ReplicaSet has just deleted
  // after a pod was put back, and for one that a process which is gone had asked: those words are
  // still on their way.
  int ready = healthy(pod.deployment) + told_unheard(pod.deployment) +
              elsewhere_[static_cast<size_t>(pod.deployment)].deleted;
  for (const Request& each : requests_) {
    const Pod& other = pods_[static_cast<size_t>(each.pod)];
    const bool asked = each.kind == core::ActionKind::kAsk && !each.served && !each.lost;
    if (asked && !each.orphaned && other.deployment == pod.deployment && other.active()) --ready;
  }
  if (ready - 1 < size_of(pod.deployment) && !pod.told) {
    wrong(
        fmt::format("{}: only {} of {} would be left", name(), ready - 1, size_of(pod.deployment)));
  }
}

int SmallWorld::told_unheard(int deployment) const {
  int count = 0;
  for (size_t i = 0; i < pods_.size(); ++i) {
    if (pods_[i].deployment != deployment || !pods_[i].by_orphan) continue;
    const core::Track* track = drain_->find(unit_id(static_cast<int>(i)));
    if (track != nullptr && !track->told) ++count;
  }
  return count;
}

void SmallWorld::wrong(const std::string& what) {
  if (broken_.empty()) {
    broken_ = fmt::format("{} (at {})", what, format_duration(now_ - kSmallBegin));
  }
}

void SmallWorld::check_end() {
  if (!broken_.empty()) return;
  if (!drain_->finished()) wrong("the drain never finished");
  const bool ends = !setup_->soft && !drain_->withdrawn();
  for (size_t i = 0; i < pods_.size(); ++i) {
    const Pod& pod = pods_[i];
    const std::string name = pod_name(static_cast<int>(i));
    if (ends && !pod.told) wrong(name + " was never told");
    if (ends && pod.late) wrong(name + " was told late");
    if (!ends && pod.active() && (!pod.owned || pod.released)) {
      wrong(name + " is left without an owner");
    }
  }
  for (size_t i = 0; !ends && i < elsewhere_.size(); ++i) {
    const auto at = static_cast<int>(i);
    if (elsewhere_[i].done) continue;
    if (frozen(at)) wrong("a ReplicaSet is left frozen");
    if (wanted(at).replaced && owned(at) != size_of(at)) {
      wrong("a Deployment is left with another number of pods than it wants");
    }
  }
}

// --- What tells states apart --------------------------------------------------------------------

// All of one pod but which one it is. Moments of requests are left out but for those whose answer
// is lost: time does not go on while any other is under way.
std::string SmallWorld::fingerprint_of(int number, bool gone_for_good) const {
  Bytes text;
  const Pod& pod = pods_[static_cast<size_t>(number)];
  text.add(pod.deployment, pod.owned + 2 * pod.released + 4 * pod.told + 8 * pod.late +
                               16 * pod.gone + 32 * pod.by_orphan);
  for (const Request& each : requests_) {
    if (each.pod != number) continue;
    text.add(each.kind, each.served, each.lost, each.orphaned, each.answer);
    if (each.lost) text.add_time(each.until);
  }
  text.add(0x7F);
  return text.text + drain_->fingerprint_of(unit_id(number), gone_for_good);
}

// Pods of one Deployment are written in the order of what they are, so that two states in which
// they have changed places are one.
std::string SmallWorld::fingerprint() const {
  Bytes text;
  text.add_time(now_);
  text.add(faults_, crashes_, withdrawals_);
  for (const Elsewhere& each : elsewhere_) {
    text.add(each.ready, each.starting, each.deleted, each.allows, each.done, each.said_owned,
             each.said_ready);
  }
  const bool gone_for_good = std::ranges::none_of(watches_[kPods], [&](const Message& each) {
    return each.kind == Message::Kind::kPod && pods_[static_cast<size_t>(each.which)].gone;
  });
  std::vector<std::pair<std::string, int8_t>> pods;
  for (size_t i = 0; i < pods_.size(); ++i) {
    const auto at = static_cast<int8_t>(i);
    pods.emplace_back(fingerprint_of(at, gone_for_good), at);
  }
  std::ranges::sort(pods);
  std::vector<int8_t> places(pods.size());
  for (size_t i = 0; i < pods.size(); ++i) {
    places[static_cast<size_t>(pods[i].second)] = static_cast<int8_t>(i);
    text.text += pods[i].first;
  }
  for (size_t watch = 0; watch < kWatches; ++watch) {
    text.add(watches_[watch].size());
    for (const Message& each : watches_[watch]) {
      const bool of_pod = each.kind == Message::Kind::kPod || each.kind == Message::Kind::kGone;
      text.add(each.kind, of_pod ? places[static_cast<size_t>(each.which)] : each.which, each.first,
               each.second, each.more);
    }
  }
  return text.text + drain_->fingerprint();
}

// --- Words --------------------------------------------------------------------------------------

std::string SmallWorld::describe_event(const Message& message) {
  switch (message.kind) {
    case Message::Kind::kPod:
      return fmt::format("{} is {}", pod_name(message.which), message.first);
    case Message::Kind::kGone:
      return pod_name(message.which) + " is gone";
    case Message::Kind::kPodsListed:
      return "all pods are listed";
    case Message::Kind::kBudget:
      return fmt::format("budget {} allows {}", message.which, message.first);
    case Message::Kind::kBudgetsListed:
      return "all budgets are listed";
    case Message::Kind::kGroup:
      return fmt::format("{} owns {}, {} Ready", group_name(message.which), message.first,
                         message.second);
  }
  return {};
}

std::string SmallWorld::describe(const Step& step) const {
  using Kind = Step::Kind;
  const auto at = static_cast<size_t>(static_cast<uint8_t>(step.which));
  const auto request = [&] {
    return fmt::format("{} {}", core::to_string(requests_[at].kind), requests_[at].pod);
  };
  switch (step.kind) {
    case Kind::kEvent: {
      std::string text = "heard:";
      for (const Message& each : watches_[at]) {
        text += " " + describe_event(each);
        if (!each.more) break;
        text += ",";
      }
      return text;
    }
    case Kind::kServe:
      return "served: " + request();
    case Kind::kLose:
      return "served, answer lost: " + request();
    case Kind::kDrop:
      return "never arrived: " + request();
    case Kind::kDeny:
      return "denied: " + request();
    case Kind::kAnswer:
      return "answered: " + request();
    case Kind::kLetGo:
      return "let go of " + pod_name(step.which);
    case Kind::kAdopt:
      return "adopted " + pod_name(step.which);
    case Kind::kCreate:
      return "created one of " + group_name(step.which);
    case Kind::kSurplus:
      return "deleted one too many of " + group_name(step.which);
    case Kind::kReady:
      return "Ready: one of " + group_name(step.which);
    case Kind::kGone:
      return "gone: " + pod_name(step.which);
    case Kind::kBudget:
      return fmt::format("budget {} is to allow {}", step.which, allowed(step.which));
    case Kind::kTime:
      return "time goes to " + format_duration(next_moment() - kSmallBegin);
    case Kind::kCrash:
      return "crash";
    case Kind::kWithdraw:
      return "withdrawn";
  }
  return {};
}

}  // namespace spotkeeper::laboratory
