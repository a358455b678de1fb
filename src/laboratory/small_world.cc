// SPDX-License-Identifier: Apache-2.0
#include "laboratory/small_world.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::laboratory {
namespace {

constexpr Time kBegin = Time(Seconds(1'800'000'000));
constexpr Seconds kEnoughWord{10};
constexpr size_t kMostPods = 10;
constexpr const char* kHost = "n1";

core::Policy policy_of(const SmallSetup& setup) {
  core::Policy policy;
  if (setup.soft) policy.hand_over = core::HandOver::kAlways;
  return policy;
}

std::string pod_name(int pod) {
  return "default/p" + std::to_string(pod);
}

std::string group_name(int deployment) {
  return "default/d" + std::to_string(deployment);
}

core::BudgetId budget_id(int deployment) {
  return core::BudgetId("default/b" + std::to_string(deployment));
}

Error denied() {
  return {.kind = ErrorKind::kDenied,
          .message = "admission webhook denied the request",
          .status = 403,
          .reason = "Forbidden"};
}

}  // namespace

SmallWorld::SmallWorld(const SmallSetup& setup)
    : setup_(setup),
      notice_{.id = core::NoticeId("notice"),
              .kind = setup.soft ? core::NoticeKind::kRebalanceRecommendation
                                 : core::NoticeKind::kSpotInterruption,
              .instance = core::InstanceId("i-1"),
              .deadline = kBegin + setup.notice,
              .source = "imds",
              .detail = "terminate",
              .received = kBegin},
      now_(kBegin) {
  for (size_t i = 0; i < setup_.deployments.size(); ++i) {
    const SmallSetup::Deployment& each = setup_.deployments[i];
    const auto add = [&](bool here) {
      pods_.push_back({.deployment = static_cast<int>(i), .here = here});
    };
    for (int n = 0; n < each.pods; ++n) add(true);
    for (int n = 0; n < each.elsewhere; ++n) add(false);
  }
  for (size_t i = 0; i < setup_.deployments.size(); ++i) {
    allows_.push_back(allowed(static_cast<int>(i)));
  }
  begin();
}

// A process begins: it hears the notice, and lists what is there.
void SmallWorld::begin() {
  for (auto& watch : watches_) watch.clear();
  drain_.emplace(core::HostId(kHost), notice_, policy_of(setup_), now_);
  tell(core::NoticeHeard{.notice = notice_});
  Message pods{.text = "list"};
  for (size_t i = 0; i < pods_.size(); ++i) {
    const int pod = static_cast<int>(i);
    if (!pods_[i].here || pods_[i].gone) continue;
    pods.observations.emplace_back(core::UnitSeen{.unit = unit_of(pod)});
    pods.text += text_of(pod);
  }
  pods.observations.emplace_back(core::UnitsListed{});
  watches_[kPods].push_back(std::move(pods));
  Message budgets{.text = "list"};
  Message groups{.text = "list"};
  seen_.clear();
  for (size_t i = 0; i < setup_.deployments.size(); ++i) {
    const int at = static_cast<int>(i);
    if (setup_.deployments[i].least >= 0) {
      budgets.observations.emplace_back(
          core::BudgetSeen{.budget = {.id = budget_id(at), .allows = allows_[i]}});
      budgets.text += std::to_string(allows_[i]);
    }
    seen_.push_back(group_of(at));
    groups.observations.emplace_back(core::GroupSeen{.group = seen_.back()});
    groups.text +=
        fmt::format("{}/{}/{};", seen_.back().wanted, seen_.back().owned, seen_.back().ready);
  }
  budgets.observations.emplace_back(core::BudgetsListed{});
  watches_[kBudgets].push_back(std::move(budgets));
  watches_[kGroups].push_back(std::move(groups));
}

// --- What is there ------------------------------------------------------------------------------

core::Unit SmallWorld::unit_of(int pod) const {
  const Pod& at = pods_[static_cast<size_t>(pod)];
  core::Unit unit;
  unit.id = core::UnitId("uid-" + std::to_string(pod));
  unit.name = pod_name(pod);
  unit.grace = setup_.grace;
  unit.ready = at.ready;
  if (at.told) unit.ending = at.told;
  if (setup_.deployments[static_cast<size_t>(at.deployment)].least >= 0) {
    unit.budgets = {budget_id(at.deployment)};
  }
  unit.facts.ns = "default";
  unit.orphan = !at.owned;
  unit.released = at.released;
  // As effects/release.h place_of() finds it: neither owned nor marked, it is nobody's.
  if (at.owned || at.released) {
    unit.group = core::GroupId(group_name(at.deployment));
    unit.facts.owner_kind = "Deployment";
  }
  return unit;
}

core::Group SmallWorld::group_of(int deployment) const {
  const SmallSetup::Deployment& setup = setup_.deployments[static_cast<size_t>(deployment)];
  core::Group group{.id = core::GroupId(group_name(deployment)),
                    .wanted = setup.pods + setup.elsewhere};
  for (const Pod& pod : pods_) {
    if (pod.deployment != deployment || !pod.active() || !pod.owned || pod.released) continue;
    ++group.owned;
    if (pod.ready && !pod.here) ++group.ready;
  }
  return group;
}

int SmallWorld::healthy(int deployment) const {
  return static_cast<int>(std::ranges::count_if(pods_, [&](const Pod& pod) {
    return pod.deployment == deployment && pod.active() && pod.ready;
  }));
}

int SmallWorld::allowed(int deployment) const {
  const int least = setup_.deployments[static_cast<size_t>(deployment)].least;
  return least < 0 ? 0 : std::max(0, healthy(deployment) - least);
}

int SmallWorld::owned(int deployment) const {
  return static_cast<int>(std::ranges::count_if(pods_, [&](const Pod& pod) {
    return pod.deployment == deployment && pod.active() && pod.owned;
  }));
}

bool SmallWorld::frozen(int deployment) const {
  return setup_.deployments[static_cast<size_t>(deployment)].owner_stays &&
         std::ranges::any_of(pods_, [&](const Pod& pod) {
           return pod.deployment == deployment && pod.active() && pod.owned && pod.released;
         });
}

// Which one goes when there are too many: not Ready first, then the youngest; below 0: none.
int SmallWorld::surplus_pod(int deployment) const {
  const SmallSetup::Deployment& setup = setup_.deployments[static_cast<size_t>(deployment)];
  if (frozen(deployment) || owned(deployment) <= setup.pods + setup.elsewhere) return -1;
  int found = -1;
  for (size_t i = 0; i < pods_.size(); ++i) {
    const Pod& pod = pods_[i];
    if (pod.deployment != deployment || !pod.active() || !pod.owned || pod.released) continue;
    if (found < 0 || !pod.ready || pods_[static_cast<size_t>(found)].ready) {
      found = static_cast<int>(i);
    }
  }
  return found;
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
    if (request.lost) {
      next = std::min(next, request.action.notice.received + request.action.patience);
    }
  }
  return next;
}

// The host has ended, or the drain is withdrawn and done.
bool SmallWorld::over() const {
  if (!setup_.soft && !drain_->withdrawn()) return now_ >= notice_.deadline;
  return drain_->finished();
}

// --- Steps --------------------------------------------------------------------------------------

std::vector<SmallWorld::Step> SmallWorld::steps() const {
  using Kind = Step::Kind;
  std::vector<Step> all;
  if (!broken_.empty()) return all;
  const bool ended = over() && drain_->finished();
  if (ended && !setup_.soft && !drain_->withdrawn()) return all;
  for (int i = 0; i < kWatches; ++i) {
    if (!watches_[i].empty()) all.push_back({Kind::kEvent, i});
  }
  for (size_t i = 0; i < requests_.size(); ++i) {
    const Request& request = requests_[i];
    const int at = static_cast<int>(i);
    if (request.lost) continue;
    if (request.served) {
      all.push_back({Kind::kAnswer, at});
      continue;
    }
    all.push_back({Kind::kServe, at});
    if (request.orphaned) all.push_back({Kind::kDrop, at});
    if (request.orphaned || faults_ >= setup_.faults) continue;
    all.push_back({Kind::kLose, at});
    all.push_back({Kind::kDrop, at});
    all.push_back({Kind::kDeny, at});
  }
  for (size_t i = 0; i < pods_.size(); ++i) {
    const Pod& pod = pods_[i];
    const int at = static_cast<int>(i);
    const bool stays = setup_.deployments[static_cast<size_t>(pod.deployment)].owner_stays;
    if (pod.active() && pod.owned && pod.released && !stays) all.push_back({Kind::kLetGo, at});
    if (pod.active() && !pod.owned && !pod.released) all.push_back({Kind::kAdopt, at});
    if (pod.active() && !pod.ready) all.push_back({Kind::kReady, at});
    if (pod.told && !pod.gone) all.push_back({Kind::kGone, at});
  }
  for (size_t i = 0; i < setup_.deployments.size(); ++i) {
    const SmallSetup::Deployment& each = setup_.deployments[i];
    const int at = static_cast<int>(i);
    if (surplus_pod(at) >= 0) all.push_back({Kind::kSurplus, at});
    if (each.least >= 0 && allows_[i] != allowed(at)) all.push_back({Kind::kBudget, at});
    if (each.replaced && !frozen(at) && owned(at) < each.pods + each.elsewhere &&
        pods_.size() < kMostPods) {
      all.push_back({Kind::kCreate, at});
    }
  }
  if (!ended && quiet() && next_moment() < kNever) all.push_back({Kind::kTime, 0});
  if (!ended && crashes_ < setup_.crashes) all.push_back({Kind::kCrash, 0});
  if (!ended && withdrawals_ < setup_.withdrawals) all.push_back({Kind::kWithdraw, 0});
  return all;
}

void SmallWorld::take(const Step& step) {
  using Kind = Step::Kind;
  const auto at = static_cast<size_t>(step.which);
  switch (step.kind) {
    case Kind::kEvent: {
      const Message message = std::move(watches_[at].front());
      watches_[at].pop_front();
      for (const core::Observation& each : message.observations) tell(each);
      return;
    }
    case Kind::kServe:
      serve(requests_[at]);
      break;
    case Kind::kLose:
      ++faults_;
      serve(requests_[at]);
      requests_[at].lost = true;
      return;
    case Kind::kDrop:
      if (!requests_[at].orphaned) ++faults_;
      requests_[at].lost = true;
      break;
    case Kind::kDeny:
      ++faults_;
      requests_[at].served = true;
      requests_[at].result = std::unexpected(denied());
      return;
    case Kind::kAnswer: {
      const Request request = std::move(requests_[at]);
      requests_.erase(requests_.begin() + step.which);
      tell(core::ActionDone{.number = request.action.number, .result = request.result});
      return;
    }
    case Kind::kLetGo:
      pods_[at].owned = false;
      break;
    case Kind::kAdopt:
      pods_[at].owned = true;
      break;
    case Kind::kCreate:
      pods_.push_back({.deployment = step.which, .here = false, .ready = false});
      say_groups();
      return;
    case Kind::kSurplus:
      tell_pod(surplus_pod(step.which));
      return;
    case Kind::kReady:
      pods_[at].ready = true;
      break;
    case Kind::kGone:
      pods_[at].gone = true;
      if (pods_[at].here) {
        push(kPods, core::UnitGone{.id = core::UnitId("uid-" + std::to_string(step.which))},
             "gone" + std::to_string(step.which));
      }
      return;
    case Kind::kBudget:
      allows_[at] = allowed(step.which);
      say_budget(step.which);
      return;
    case Kind::kTime:
      advance();
      return;
    case Kind::kCrash:
      ++crashes_;
      for (Request& request : requests_) request.orphaned = true;
      std::erase_if(requests_, [](const Request& each) { return each.served || each.lost; });
      begin();
      return;
    case Kind::kWithdraw:
      ++withdrawals_;
      tell(core::Withdrawn{.undo = true, .why = "changed their mind"});
      return;
  }
  if (step.kind == Kind::kServe || step.kind == Kind::kDrop) {
    if (requests_[at].orphaned) requests_.erase(requests_.begin() + step.which);
    return;
  }
  say_pod(step.which);
  say_groups();
}

void SmallWorld::advance() {
  now_ = std::max(now_, next_moment());
  for (size_t i = 0; i < requests_.size(); ++i) {
    const core::Action& action = requests_[i].action;
    if (action.notice.received + action.patience > now_) continue;
    const uint64_t number = action.number;
    requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(i));
    tell(core::ActionDone{.number = number, .result = retryable("no answer in time")});
    return;  // the next at the same moment
  }
  tell(core::Tick{});
}

// --- The server ---------------------------------------------------------------------------------

void SmallWorld::serve(Request& request) {
  request.served = true;
  Pod& pod = pods_[static_cast<size_t>(request.pod)];
  if (!pod.exists()) {
    request.result =
        std::unexpected(Error{.kind = ErrorKind::kGone, .message = "not found", .status = 404});
    return;
  }
  request.result = std::string();
  switch (request.action.kind) {
    case core::ActionKind::kAsk:
      request.result = evict(request.pod);
      return;
    case core::ActionKind::kStop:
      if (pod.active()) tell_pod(request.pod);
      return;
    case core::ActionKind::kRelease:
    case core::ActionKind::kPutBack:
      pod.released = request.action.kind == core::ActionKind::kRelease;
      say_pod(request.pod);
      say_groups();
      return;
    case core::ActionKind::kMark:
    case core::ActionKind::kForewarn:
    case core::ActionKind::kExplain:
    case core::ActionKind::kUndo:
      return;
  }
}

Result<std::string> SmallWorld::evict(int number) {
  const Pod& pod = pods_[static_cast<size_t>(number)];
  if (!pod.active()) return std::string();
  const auto at = static_cast<size_t>(pod.deployment);
  if (setup_.deployments[at].least >= 0) {
    const bool free = !pod.ready && healthy(pod.deployment) >= setup_.deployments[at].least;
    if (!free && allows_[at] == 0) {
      return std::unexpected(Error{.kind = ErrorKind::kRetryable,
                                   .message = "would violate the disruption budget",
                                   .status = 429,
                                   .reason = "TooManyRequests",
                                   .budget = true});
    }
    if (!free) {
      --allows_[at];
      say_budget(pod.deployment);
    }
  }
  tell_pod(number);
  return std::string();
}

void SmallWorld::tell_pod(int pod) {
  pods_[static_cast<size_t>(pod)].told = now_;
  say_pod(pod);
  say_groups();
}

void SmallWorld::push(Watch watch, core::Observation observation, std::string text) {
  watches_[watch].push_back({.observations = {std::move(observation)}, .text = std::move(text)});
}

void SmallWorld::say_pod(int pod) {
  if (!pods_[static_cast<size_t>(pod)].here) return;
  push(kPods, core::UnitSeen{.unit = unit_of(pod)}, text_of(pod));
}

void SmallWorld::say_budget(int deployment) {
  const int allows = allows_[static_cast<size_t>(deployment)];
  push(kBudgets, core::BudgetSeen{.budget = {.id = budget_id(deployment), .allows = allows}},
       fmt::format("b{}={}", deployment, allows));
}

void SmallWorld::say_groups() {
  for (size_t i = 0; i < seen_.size(); ++i) {
    const core::Group now = group_of(static_cast<int>(i));
    if (now == seen_[i]) continue;
    seen_[i] = now;
    push(kGroups, core::GroupSeen{.group = now}, fmt::format("g{}={}/{}", i, now.owned, now.ready));
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
    if (action.unit.value != "uid-" + std::to_string(i)) continue;
    const int pod = static_cast<int>(i);
    check(action, pod);
    Request request{.action = action, .pod = pod};
    request.action.notice.received = now_;  // when it was sent
    requests_.push_back(std::move(request));
    return;
  }
  wrong("an action names nobody");
}

void SmallWorld::check(const core::Action& action, int number) {
  const Pod& pod = pods_[static_cast<size_t>(number)];
  const std::string what = fmt::format("{} {}", core::to_string(action.kind), pod_name(number));
  if (!pod.here) wrong(what + ": is on another host");
  const auto tracks = drain_->tracks();
  const auto found = std::ranges::find_if(
      tracks, [&](const core::Track* each) { return each->unit.id == action.unit; });
  const core::Track& track = **found;
  if (track.told) wrong(what + ": has been told");
  if (action.grace && *action.grace < Seconds(1)) wrong(what + ": with a grace of 0");
  const bool guarded = !track.unit.budgets.empty() && !track.stop_now;
  if (action.kind == core::ActionKind::kStop && guarded && now_ < track.plan.force) {
    wrong(what + ": its budget is overruled before the last moment");
  }
  if (action.kind != core::ActionKind::kAsk || now_ >= track.plan.ask_by) return;
  if (!track.release.out() || !track.unit.ready) return;
  // What is there now is the judge, but for one too many that its ReplicaSet has just deleted
  // after a pod was put back: that word is still on its way.
  const SmallSetup::Deployment& setup = setup_.deployments[static_cast<size_t>(pod.deployment)];
  int ready = healthy(pod.deployment);
  if (!watches_[kGroups].empty()) {
    ready += static_cast<int>(std::ranges::count_if(pods_, [&](const Pod& each) {
      return each.deployment == pod.deployment && !each.here && each.told && each.ready;
    }));
  }
  for (const Request& each : requests_) {
    const Pod& other = pods_[static_cast<size_t>(each.pod)];
    const bool asked = each.action.kind == core::ActionKind::kAsk && !each.served && !each.lost;
    if (asked && !each.orphaned && other.deployment == pod.deployment && other.active()) --ready;
  }
  if (ready - 1 < setup.pods + setup.elsewhere && !pod.told) {
    wrong(fmt::format("{}: only {} of {} would be left", what, ready - 1,
                      setup.pods + setup.elsewhere));
  }
}

void SmallWorld::wrong(const std::string& what) {
  if (broken_.empty()) broken_ = fmt::format("{} (at {})", what, format_duration(now_ - kBegin));
}

void SmallWorld::check_end() {
  if (!broken_.empty()) return;
  if (!drain_->finished()) wrong("the drain never finished");
  const bool ends = !setup_.soft && !drain_->withdrawn();
  const Time latest = notice_.deadline - std::min(setup_.grace, kEnoughWord);
  for (size_t i = 0; i < pods_.size(); ++i) {
    const Pod& pod = pods_[i];
    const std::string name = pod_name(static_cast<int>(i));
    if (!pod.here) continue;
    if (ends && !pod.told) wrong(name + " was never told");
    if (ends && pod.told && *pod.told > latest) wrong(name + " was told late");
    if (!ends && pod.active() && (!pod.owned || pod.released)) {
      wrong(name + " is left without an owner");
    }
  }
  for (size_t i = 0; !ends && i < setup_.deployments.size(); ++i) {
    const SmallSetup::Deployment& each = setup_.deployments[i];
    if (frozen(static_cast<int>(i))) wrong("a ReplicaSet is left frozen");
    if (each.replaced && owned(static_cast<int>(i)) != each.pods + each.elsewhere) {
      wrong("a Deployment is left with another number of pods than it wants");
    }
  }
}

std::string SmallWorld::text_of(int pod) const {
  const Pod& at = pods_[static_cast<size_t>(pod)];
  return fmt::format("p{}{}{}{}{}{}", pod, at.owned ? 'o' : '-', at.released ? 'r' : '-',
                     at.ready ? 'R' : '-', at.gone ? 'g' : '-',
                     at.told ? (*at.told - kBegin).count() : -1);
}

std::string SmallWorld::fingerprint() const {
  std::string text =
      fmt::format("{};{}{}{};", (now_ - kBegin).count(), faults_, crashes_, withdrawals_);
  for (size_t i = 0; i < pods_.size(); ++i) {
    text +=
        fmt::format("{}.{}{};", pods_[i].deployment, pods_[i].here, text_of(static_cast<int>(i)));
  }
  for (const int allows : allows_) text += fmt::format("{},", allows);
  for (const auto& watch : watches_) {
    for (const Message& message : watch) text += message.text + ",";
    text += ";";
  }
  for (const Request& each : requests_) {
    text +=
        fmt::format("{}{}{}{}{}@{}:{}{};", core::to_string(each.action.kind), each.pod, each.served,
                    each.lost, each.orphaned, (each.action.notice.received - kBegin).count(),
                    each.result ? "" : each.result.error().message, each.action.patience.count());
  }
  return text + drain_->fingerprint();
}

std::string SmallWorld::describe(const Step& step) const {
  using Kind = Step::Kind;
  const auto at = static_cast<size_t>(step.which);
  const auto request = [&] {
    return fmt::format("{} {}", core::to_string(requests_[at].action.kind), requests_[at].pod);
  };
  switch (step.kind) {
    case Kind::kEvent:
      return "event " + watches_[at].front().text;
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
      return "Ready: " + pod_name(step.which);
    case Kind::kGone:
      return "gone: " + pod_name(step.which);
    case Kind::kBudget:
      return fmt::format("budget {} allows {}", step.which, allowed(step.which));
    case Kind::kTime:
      return "time goes to " + format_duration(next_moment() - kBegin);
    case Kind::kCrash:
      return "crash";
    case Kind::kWithdraw:
      return "withdrawn";
  }
  return {};
}

}  // namespace spotkeeper::laboratory
