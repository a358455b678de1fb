// SPDX-License-Identifier: Apache-2.0
// The cluster of a small world: what is there, what the server does, and what its watches say.
#include <algorithm>

#include "laboratory/small_world.h"
#include "laboratory/small_world_names.h"

namespace spotkeeper::laboratory {
namespace {

enum Bits : uint8_t { kOwned = 1, kReleased = 2, kTold = 4 };

}  // namespace

// --- What is there ------------------------------------------------------------------------------

core::Unit SmallWorld::unit_of(int pod, int bits) const {
  const int deployment = static_cast<uint8_t>(pods_[static_cast<size_t>(pod)].deployment);
  core::Unit unit;
  unit.id = unit_id(pod);
  unit.name = pod_name(pod);
  unit.grace = setup_->grace;
  unit.ready = true;
  if ((bits & kTold) != 0) unit.ending = now_;
  if (wanted(deployment).least >= 0) unit.budgets = {budget_id(deployment)};
  unit.facts.ns = "default";
  unit.orphan = (bits & kOwned) == 0;
  unit.released = (bits & kReleased) != 0;
  // As effects/release.h place_of() finds it: neither owned nor marked, it is nobody's.
  if (!unit.orphan || unit.released) {
    unit.group = core::GroupId(group_name(deployment));
    unit.facts.owner_kind = "Deployment";
  }
  return unit;
}

core::Group SmallWorld::group_of(int deployment, int owned, int ready) const {
  return {.id = core::GroupId(group_name(deployment)),
          .wanted = size_of(deployment),
          .owned = owned,
          .ready = ready};
}

int SmallWorld::healthy(int deployment) const {
  return elsewhere_[static_cast<size_t>(deployment)].ready +
         static_cast<int>(std::ranges::count_if(
             pods_, [&](const Pod& pod) { return pod.deployment == deployment && pod.active(); }));
}

int SmallWorld::allowed(int deployment) const {
  const int least = wanted(deployment).least;
  return least < 0 ? 0 : std::max(0, healthy(deployment) - least);
}

int SmallWorld::owned(int deployment) const {
  return elsewhere_[static_cast<size_t>(deployment)].all() +
         static_cast<int>(std::ranges::count_if(pods_, [&](const Pod& pod) {
           return pod.deployment == deployment && pod.active() && pod.owned;
         }));
}

bool SmallWorld::frozen(int deployment) const {
  return wanted(deployment).owner_stays && std::ranges::any_of(pods_, [&](const Pod& pod) {
           return pod.deployment == deployment && pod.active() && pod.owned && pod.released;
         });
}

bool SmallWorld::surplus(int deployment) const {
  if (frozen(deployment) || owned(deployment) <= size_of(deployment)) return false;
  return elsewhere_[static_cast<size_t>(deployment)].all() > 0 ||
         std::ranges::any_of(pods_, [&](const Pod& pod) {
           return pod.deployment == deployment && pod.active() && pod.owned && !pod.released;
         });
}

// Which one goes when there are too many: not Ready first, then the youngest.
void SmallWorld::delete_surplus(int deployment) {
  Elsewhere& there = elsewhere_[static_cast<size_t>(deployment)];
  if (there.starting > 0) {
    --there.starting;
    return;
  }
  if (there.ready > 0) {
    --there.ready;
    ++there.deleted;
    return;
  }
  for (size_t i = pods_.size(); i-- > 0;) {
    const Pod& pod = pods_[i];
    if (pod.deployment != deployment || !pod.active() || !pod.owned || pod.released) continue;
    return tell_pod(static_cast<int>(i));
  }
}

// --- The server ---------------------------------------------------------------------------------

void SmallWorld::serve(Request& request) {
  request.served = true;
  Pod& pod = pods_[static_cast<size_t>(request.pod)];
  if (pod.gone) {
    request.answer = Answer::kNotFound;
    return;
  }
  const bool was_active = pod.active();
  switch (request.kind) {
    case core::ActionKind::kAsk:
      request.answer = evict(request.pod);
      pod.by_orphan = request.orphaned && was_active && pod.told;
      return;
    case core::ActionKind::kStop:
      if (pod.active() && !setup_->broken_server) tell_pod(request.pod);
      pod.by_orphan = request.orphaned && was_active && pod.told;
      return;
    case core::ActionKind::kRelease:
    case core::ActionKind::kPutBack:
      pod.released = request.kind == core::ActionKind::kRelease;
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

SmallWorld::Answer SmallWorld::evict(int number) {
  const Pod& pod = pods_[static_cast<size_t>(number)];
  if (!pod.active()) return Answer::kDone;
  if (wanted(pod.deployment).least >= 0) {
    Elsewhere& budget = elsewhere_[static_cast<size_t>(pod.deployment)];
    if (budget.allows == 0) return Answer::kHeld;
    --budget.allows;
    say_budget(pod.deployment);
  }
  tell_pod(number);
  return Answer::kDone;
}

void SmallWorld::tell_pod(int number) {
  Pod& pod = pods_[static_cast<size_t>(number)];
  pod.told = true;
  pod.late = now_ > latest_word();
  say_pod(number);
  say_groups();
}

// --- Its watches --------------------------------------------------------------------------------

// All that is there, to one who begins.
void SmallWorld::list() {
  using Kind = Message::Kind;
  for (auto& watch : watches_) watch.clear();
  for (size_t i = 0; i < pods_.size(); ++i) {
    if (pods_[i].gone) continue;
    say_pod(static_cast<int>(i));
    watches_[kPods].back().more = true;
  }
  watches_[kPods].push_back({.kind = Kind::kPodsListed});
  for (size_t i = 0; i < elsewhere_.size(); ++i) {
    Elsewhere& each = elsewhere_[i];
    each.said_owned = each.said_ready = -1;
    each.deleted = 0;
    if (each.done || wanted(static_cast<int>(i)).least < 0) continue;
    say_budget(static_cast<int>(i));
    watches_[kBudgets].back().more = true;
  }
  watches_[kBudgets].push_back({.kind = Kind::kBudgetsListed});
  say_groups();
  for (size_t i = 0; i + 1 < watches_[kGroups].size(); ++i) watches_[kGroups][i].more = true;
}

void SmallWorld::say_pod(int number) {
  const Pod& pod = pods_[static_cast<size_t>(number)];
  const int bits =
      (pod.owned ? kOwned : 0) | (pod.released ? kReleased : 0) | (pod.told ? kTold : 0);
  watches_[kPods].push_back({.kind = Message::Kind::kPod,
                             .which = static_cast<int8_t>(number),
                             .first = static_cast<int8_t>(bits)});
}

void SmallWorld::say_budget(int deployment) {
  watches_[kBudgets].push_back({.kind = Message::Kind::kBudget,
                                .which = static_cast<int8_t>(deployment),
                                .first = elsewhere_[static_cast<size_t>(deployment)].allows});
}

// Of every Deployment that has changed since it was last said.
void SmallWorld::say_groups() {
  for (size_t i = 0; i < elsewhere_.size(); ++i) {
    Elsewhere& each = elsewhere_[i];
    if (each.done) continue;
    const auto there =
        static_cast<int8_t>(each.all() + std::ranges::count_if(pods_, [&](const Pod& pod) {
                              return pod.deployment == static_cast<int>(i) && pod.active() &&
                                     pod.owned && !pod.released;
                            }));
    if (each.said_owned == there && each.said_ready == each.ready) continue;
    each.said_owned = there;
    each.said_ready = each.ready;
    watches_[kGroups].push_back({.kind = Message::Kind::kGroup,
                                 .which = static_cast<int8_t>(i),
                                 .first = there,
                                 .second = each.ready});
  }
}

core::Observation SmallWorld::observation_of(const Message& message) const {
  switch (message.kind) {
    case Message::Kind::kPod:
      return core::UnitSeen{.unit = unit_of(message.which, message.first)};
    case Message::Kind::kGone:
      return core::UnitGone{.id = unit_id(message.which)};
    case Message::Kind::kPodsListed:
      return core::UnitsListed{};
    case Message::Kind::kBudget:
      return core::BudgetSeen{.budget = {.id = budget_id(message.which), .allows = message.first}};
    case Message::Kind::kBudgetsListed:
      return core::BudgetsListed{};
    case Message::Kind::kGroup:
      return core::GroupSeen{.group = group_of(message.which, message.first, message.second)};
  }
  return core::Tick{};
}

Result<std::string> SmallWorld::result_of(Answer answer) {
  switch (answer) {
    case Answer::kDone:
      return std::string();
    case Answer::kNotFound:
      return std::unexpected(
          Error{.kind = ErrorKind::kGone, .message = "not found", .status = 404});
    case Answer::kHeld:
      return std::unexpected(Error{.kind = ErrorKind::kRetryable,
                                   .message = "would violate the disruption budget",
                                   .status = 429,
                                   .reason = "TooManyRequests",
                                   .budget = true});
    case Answer::kDenied:
      return std::unexpected(Error{.kind = ErrorKind::kDenied,
                                   .message = "admission webhook denied the request",
                                   .status = 403,
                                   .reason = "Forbidden"});
  }
  return {};
}

}  // namespace spotkeeper::laboratory
