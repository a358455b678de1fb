// SPDX-License-Identifier: Apache-2.0
// What may happen next in a small world, and what the agent does. The cluster is in
// small_world_server.cc, the promises in small_world_check.cc.
#include "laboratory/small_world.h"

#include <algorithm>

#include "laboratory/small_world_names.h"

namespace spotkeeper::laboratory {
namespace {

core::Policy policy_of(const SmallSetup& setup) {
  core::Policy policy;
  if (setup.soft) policy.hand_over = core::HandOver::kAlways;
  return policy;
}

core::Notice notice_of(const SmallSetup& setup) {
  return {.id = core::NoticeId("notice"),
          .kind = setup.soft ? core::NoticeKind::kRebalanceRecommendation
                             : core::NoticeKind::kSpotInterruption,
          .instance = core::InstanceId("i-1"),
          .deadline = kSmallBegin + setup.notice,
          .source = "imds",
          .detail = "terminate",
          .received = kSmallBegin};
}

}  // namespace

SmallWorld::SmallWorld(const SmallSetup& setup) : setup_(&setup), now_(kSmallBegin) {
  for (size_t i = 0; i < setup.deployments.size(); ++i) {
    const auto at = static_cast<int8_t>(i);
    for (int n = 0; n < wanted(at).pods; ++n) pods_.push_back({.deployment = at});
    elsewhere_.push_back({.ready = static_cast<int8_t>(wanted(at).elsewhere)});
  }
  for (size_t i = 0; i < elsewhere_.size(); ++i) {
    elsewhere_[i].allows = static_cast<int8_t>(allowed(static_cast<int>(i)));
  }
  begin();
}

// A process begins: it hears the notice, and lists what is there.
void SmallWorld::begin() {
  const core::Notice notice = notice_of(*setup_);
  drain_.emplace(core::HostId(kSmallHost), notice, policy_of(*setup_), now_);
  tell(core::NoticeHeard{.notice = notice});
  list();
}

bool SmallWorld::quiet() const {
  for (const auto& watch : watches_) {
    if (!watch.empty()) return false;
  }
  return std::ranges::all_of(requests_, &Request::lost);
}

// When the drain, or the patience with an answer that is lost, wants it.
Time SmallWorld::next_moment() const {
  Time next = drain_->wake();
  for (const Request& request : requests_) {
    if (request.lost) next = std::min(next, request.until);
  }
  return next;
}

// The host has ended, or nobody of it is left, or the drain is withdrawn and done.
bool SmallWorld::over() const {
  if (!drain_->finished()) return false;
  if (setup_->soft || drain_->withdrawn()) return true;
  return now_ >= kSmallBegin + setup_->notice ||
         (withdrawals_ == setup_->withdrawals && std::ranges::all_of(pods_, &Pod::gone) && quiet());
}

// --- Steps --------------------------------------------------------------------------------------

std::vector<SmallWorld::Step> SmallWorld::steps() const {
  using Kind = Step::Kind;
  std::vector<Step> all;
  if (!broken_.empty()) return all;
  const bool ended = over();
  if (ended && !setup_->soft && !drain_->withdrawn()) return all;
  for (size_t i = 0; i < requests_.size() && setup_->prompt; ++i) {
    if (requests_[i].served || requests_[i].lost || requests_[i].orphaned) continue;
    add_request_steps(all, i);
    if (crashes_ < setup_->crashes) all.push_back({Kind::kCrash, 0});
    return all;
  }
  for (int8_t i = 0; i < kWatches; ++i) {
    if (!watches_[i].empty()) all.push_back({Kind::kEvent, i});
  }
  for (size_t i = 0; i < requests_.size(); ++i) add_request_steps(all, i);
  add_server_steps(all);
  if (!ended && quiet() && next_moment() < kNever) all.push_back({Kind::kTime, 0});
  if (!ended && crashes_ < setup_->crashes) all.push_back({Kind::kCrash, 0});
  if (!ended && withdrawals_ < setup_->withdrawals) all.push_back({Kind::kWithdraw, 0});
  return all;
}

void SmallWorld::add_request_steps(std::vector<Step>& all, size_t number) const {
  using Kind = Step::Kind;
  const Request& request = requests_[number];
  const auto at = static_cast<int8_t>(number);
  if (request.lost) return;
  if (request.served) {
    all.push_back({Kind::kAnswer, at});
    return;
  }
  all.push_back({Kind::kServe, at});
  if (request.orphaned) all.push_back({Kind::kDrop, at});
  if (request.orphaned || faults_ >= setup_->faults) return;
  all.push_back({Kind::kLose, at});
  all.push_back({Kind::kDrop, at});
  all.push_back({Kind::kDeny, at});
}

bool SmallWorld::room(Watch watch) const {
  if (setup_->lag == 0) {
    return std::ranges::all_of(watches_, [](const auto& each) { return each.empty(); });
  }
  return std::ranges::count_if(watches_[watch], [](const Message& each) { return !each.more; }) <
         setup_->lag;
}

void SmallWorld::add_server_steps(std::vector<Step>& all) const {
  using Kind = Step::Kind;
  const bool pods = room(kPods);
  const bool groups = room(kGroups);
  const bool both = pods && groups;
  for (size_t i = 0; i < pods_.size(); ++i) {
    const Pod& pod = pods_[i];
    const auto at = static_cast<int8_t>(i);
    const bool stays = wanted(pod.deployment).owner_stays;
    if (both && pod.active() && pod.owned && pod.released && !stays)
      all.push_back({Kind::kLetGo, at});
    if (both && pod.active() && !pod.owned && !pod.released) all.push_back({Kind::kAdopt, at});
    if (pods && pod.told && !pod.gone) all.push_back({Kind::kGone, at});
  }
  for (size_t i = 0; i < elsewhere_.size(); ++i) {
    const SmallSetup::Deployment& each = setup_->deployments[i];
    const auto at = static_cast<int8_t>(i);
    if (elsewhere_[i].done) continue;
    if (each.least >= 0 && elsewhere_[i].allows != allowed(at) && room(kBudgets)) {
      all.push_back({Kind::kBudget, at});
    }
    if (!groups) continue;
    if (elsewhere_[i].starting > 0) all.push_back({Kind::kReady, at});
    if (surplus(at)) all.push_back({Kind::kSurplus, at});
    if (each.replaced && !frozen(at) && owned(at) < size_of(at)) {
      all.push_back({Kind::kCreate, at});
    }
  }
}

void SmallWorld::take(const Step& step) {
  using Kind = Step::Kind;
  const auto at = static_cast<size_t>(static_cast<uint8_t>(step.which));
  switch (step.kind) {
    case Kind::kEvent:
      deliver(static_cast<Watch>(step.which));
      break;
    case Kind::kLose:
      ++faults_;
      [[fallthrough]];
    case Kind::kServe:
      serve(requests_[at]);
      requests_[at].lost = step.kind == Kind::kLose;
      if (requests_[at].orphaned) requests_.erase(requests_.begin() + step.which);
      break;
    case Kind::kDrop:
      requests_[at].lost = true;
      if (requests_[at].orphaned) {
        requests_.erase(requests_.begin() + step.which);
      } else {
        ++faults_;
      }
      break;
    case Kind::kDeny:
      ++faults_;
      requests_[at].served = true;
      requests_[at].answer = Answer::kDenied;
      break;
    case Kind::kAnswer: {
      const Request request = requests_[at];
      requests_.erase(requests_.begin() + step.which);
      tell(core::ActionDone{.number = request.number, .result = result_of(request.answer)});
      break;
    }
    case Kind::kLetGo:
    case Kind::kAdopt:
      pods_[at].owned = step.kind == Kind::kAdopt;
      say_pod(step.which);
      say_groups();
      break;
    case Kind::kCreate:
      ++elsewhere_[at].starting;
      say_groups();
      break;
    case Kind::kSurplus:
      delete_surplus(step.which);
      say_groups();
      break;
    case Kind::kReady:
      --elsewhere_[at].starting;
      ++elsewhere_[at].ready;
      say_groups();
      break;
    case Kind::kGone:
      pods_[at].gone = true;
      watches_[kPods].push_back({.kind = Message::Kind::kGone, .which = step.which});
      break;
    case Kind::kBudget:
      elsewhere_[at].allows = static_cast<int8_t>(allowed(step.which));
      say_budget(step.which);
      break;
    case Kind::kTime:
      advance();
      break;
    case Kind::kCrash:
      ++crashes_;
      for (Request& request : requests_) request.orphaned = true;
      std::erase_if(requests_, [](const Request& each) { return each.served || each.lost; });
      begin();
      break;
    case Kind::kWithdraw:
      ++withdrawals_;
      tell(core::Withdrawn{.undo = true, .why = "changed their mind"});
      break;
  }
  leave_out_what_is_done();
}

void SmallWorld::deliver(Watch watch) {
  std::vector<Message>& queue = watches_[watch];
  size_t taken = 0;
  do {
    tell(observation_of(queue[taken]));
  } while (queue[taken++].more);
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(taken));
  if (watch != kGroups || !queue.empty()) return;
  for (Elsewhere& each : elsewhere_) each.deleted = 0;
}

void SmallWorld::advance() {
  now_ = std::max(now_, next_moment());
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i].until > now_) continue;
    const uint64_t number = requests_[i].number;
    requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(i));
    tell(core::ActionDone{.number = number, .result = retryable("no answer in time")});
    return;  // the next at the same moment
  }
  tell(core::Tick{});
}

// --- What is done with --------------------------------------------------------------------------

// All its pods here are told, the drain knows, and no answer or word of them is on its way but that
// they are gone.
bool SmallWorld::settled(int deployment) const {
  const auto of_it = [&](int pod) {
    return pods_[static_cast<size_t>(pod)].deployment == deployment;
  };
  for (size_t i = 0; i < pods_.size(); ++i) {
    if (!of_it(static_cast<int>(i))) continue;
    if (pods_[i].active()) return false;
    const core::Track* track = drain_->find(unit_id(static_cast<int>(i)));
    if (track != nullptr && !track->gone && (!track->told || track->in_flight != 0)) return false;
    if (track == nullptr && !pods_[i].gone) return false;
  }
  using Kind = Message::Kind;
  return std::ranges::none_of(requests_, [&](const Request& each) { return of_it(each.pod); }) &&
         std::ranges::none_of(watches_[kPods],
                              [&](const Message& each) {
                                return each.kind == Kind::kPodsListed ||
                                       (each.kind == Kind::kPod && of_it(each.which));
                              }) &&
         std::ranges::none_of(
             watches_[kBudgets],
             [](const Message& each) { return each.more || each.kind == Kind::kBudgetsListed; }) &&
         std::ranges::none_of(watches_[kGroups], &Message::more);
}

// What the drain hears of such a Deployment's budget and group decides nothing any more: surplus(),
// unreplaced() and hold() are looked up for a unit that is to be asked, by its own group and
// budgets. So what they say, and will say, is made alike. That its pods are gone is still told,
// whenever that comes: all plans are looked at then.
void SmallWorld::leave_out_what_is_done() {
  if (setup_->whole) return;
  for (size_t i = 0; i < elsewhere_.size(); ++i) {
    const auto at = static_cast<int>(i);
    if (elsewhere_[i].done || !settled(at)) continue;
    elsewhere_[i] = {.done = true};
    for (const Watch watch : {kBudgets, kGroups}) {
      std::erase_if(watches_[watch], [&](const Message& each) { return each.which == at; });
    }
    if (wanted(at).least >= 0) tell(core::BudgetGone{.id = budget_id(at)});
    tell(core::GroupSeen{.group = group_of(at, 0, 0)});
  }
}

// --- The agent ----------------------------------------------------------------------------------

void SmallWorld::tell(const core::Observation& observation) {
  const core::Output out = drain_->on(observation, now_);
  for (const core::Action& action : out.actions) act(action);
}

void SmallWorld::act(const core::Action& action) {
  if (action.reason.empty()) wrong("an action without a reason");
  if (action.kind == core::ActionKind::kMark || action.kind == core::ActionKind::kUndo) {
    tell(core::ActionDone{.number = action.number, .result = std::string("done")});
    return;
  }
  for (size_t i = 0; i < pods_.size(); ++i) {
    const auto pod = static_cast<int8_t>(i);
    if (action.unit != unit_id(pod)) continue;
    check(action, pod);
    const auto after = std::ranges::upper_bound(requests_, pod, {}, &Request::pod);
    requests_.insert(after, {.number = action.number,
                             .until = now_ + action.patience,
                             .kind = action.kind,
                             .pod = pod});
    return;
  }
  wrong("an action names nobody");
}

}  // namespace spotkeeper::laboratory
