// SPDX-License-Identifier: Apache-2.0
// For random histories of the bare core: one host, a few Deployments and bare pods, budgets, and a
// ReplicaSet controller and an API that are slow, hostile or wrong, as a seed decides. It tells
// what happens and carries out actions; it checks nothing.
#pragma once

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/test_drain.h"

namespace spotkeeper::core {

class TestCluster {
 public:
  struct Pod {
    Unit unit;
    bool here = true;
    bool owned = true;  // by its group
    bool gone = false;
    std::optional<Time> told;

    bool alive() const { return !gone && !unit.ending; }
  };
  struct Workload {
    GroupId id;
    int wanted = 0;
    bool there = true;
    bool frozen = false;    // an admission policy forbids pods without an owner
    int quota = 1'000;      // pods
    int ready_after = 500;  // ms; negative: never
    int controller = 20;    // ms
    int least = -1;         // its budget's minAvailable; negative: none
    std::string no_hand_over;
    int created = 0;
    Group last;
  };
  struct Weather {
    Time until{};
    int percent = 0;
    int latency = 50;          // ms, at most
    bool no_release = false;   // the right to patch pods is missing
    bool no_put_back = false;  // … or a webhook forbids only that
    bool forbid_release = false;
  };

  TestCluster(unsigned seed, std::function<void(const Observation&)> tell)
      : random_(seed), tell_(std::move(tell)) {}

  int number(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  bool chance(int percent) { return number(1, 100) <= percent; }

  void at(Millis in, std::function<void()> what) { events_.emplace(now + in, std::move(what)); }
  // When something happens next.
  Time next() const { return events_.empty() ? kNever : events_.begin()->first; }
  void happen() {
    const auto event = events_.begin();
    now = std::max(now, event->first);
    const std::function<void()> what = std::move(event->second);
    events_.erase(event);
    what();
  }

  void populate();
  // Everything that is known, as at the start of a process.
  void tell_all();
  // Carries it out a little later; `answer` is called with what came of it, unless that is lost
  // with the process that asked.
  void carry_out(const Action& action, std::function<void(Result<std::string>)> answer);
  void surprise();

  Time now = kNoon;
  Weather weather;
  std::map<UnitId, Pod> pods;
  std::map<GroupId, Workload> workloads;
  bool put_back_denied = false;  // it was, at least once

 private:
  Pod& add(Unit unit, bool here);
  Pod& add_replica(Workload& work, bool here);
  void see(const Pod& pod) {
    if (pod.here) tell_(UnitSeen{.unit = pod.unit});
  }
  void reconcile_soon(const GroupId& id) {
    at(Millis(workloads.at(id).controller), [this, id] { reconcile(id); });
  }
  void reconcile(const GroupId& id);
  void end(Pod& pod);
  int allows(const Workload& work) const;
  void recount(const GroupId& id);
  Result<std::string> serve(const Action& action);
  Result<std::string> change(Pod& pod, bool released, bool denied);

  std::mt19937 random_;
  std::function<void(const Observation&)> tell_;
  std::multimap<Time, std::function<void()>> events_;
  std::map<BudgetId, int> budgets_;  // as last told
};

inline BudgetId budget_of(const GroupId& id) {
  return BudgetId(id.value + "-pdb");
}

inline TestCluster::Pod& TestCluster::add(Unit unit, bool here) {
  const UnitId id = unit.id;
  Pod& pod = pods[id];
  pod.unit = std::move(unit);
  pod.here = here;
  return pod;
}

inline TestCluster::Pod& TestCluster::add_replica(Workload& work, bool here) {
  Unit unit = make_unit(work.id.value + "-" + std::to_string(work.created++));
  unit.name = unit.id.value.substr(4);
  unit.group = work.id;
  unit.facts = {.ns = "default", .owner_kind = "Deployment", .labels = {}};
  unit.grace = Seconds(chance(70) ? number(0, 60) : number(60, 600));
  if (work.least >= 0) unit.budgets = {budget_of(work.id)};
  return add(std::move(unit), here);
}

inline void TestCluster::populate() {
  const int groups = number(1, 3);
  for (int i = 0; i < groups; ++i) {
    Workload work{.id = GroupId("default/g" + std::to_string(i))};
    work.wanted = number(1, 5);
    work.frozen = chance(8);
    work.ready_after = chance(15) ? -1 : number(1, chance(30) ? 110'000 : 20'000);
    work.controller = chance(85) ? number(1, 100) : number(100, 5'000);
    if (chance(60)) work.least = chance(50) ? work.wanted : number(0, work.wanted);
    if (chance(15)) work.quota = work.wanted + number(0, 1);
    const int here = number(0, work.wanted);
    Workload& kept = workloads[work.id] = work;
    for (int replica = 0; replica < work.wanted; ++replica) {
      Pod& pod = add_replica(kept, replica < here);
      pod.unit.ready = chance(90);
      pod.unit.critical = chance(5);
      pod.unit.volumes = chance(5);
    }
  }
  const int bare = number(0, 3);
  for (int i = 0; i < bare; ++i) {
    Unit unit = make_unit("bare" + std::to_string(i), Seconds(number(0, 200)));
    unit.ready = chance(80);
    unit.orphan = true;
    unit.daemon = chance(30);
    if (unit.daemon) unit.exempt = "a DaemonSet pod";
    add(std::move(unit), true);
  }
}

inline void TestCluster::tell_all() {
  std::vector<Observation> all;
  for (const auto& [id, pod] : pods) {
    if (pod.here && !pod.gone) all.emplace_back(UnitSeen{.unit = pod.unit});
  }
  for (auto& [id, work] : workloads) {
    if (work.least >= 0) {
      budgets_[budget_of(id)] = allows(work);
      all.emplace_back(BudgetSeen{.budget = {.id = budget_of(id), .allows = allows(work)}});
    }
  }
  std::shuffle(all.begin(), all.end(), random_);
  all.emplace_back(BudgetsListed{.watched = true});
  all.emplace_back(UnitsListed{});
  for (const Observation& one : all) tell_(one);
  for (auto& [id, work] : workloads) {
    const bool late = chance(10);
    at(Millis(number(0, late ? 6'000 : 300)), [this, id] {
      workloads.at(id).last.id = GroupId();
      recount(id);
    });
  }
}

inline int TestCluster::allows(const Workload& work) const {
  int healthy = 0;
  for (const auto& [id, pod] : pods) {
    if (pod.unit.group == work.id && pod.alive() && pod.unit.ready) ++healthy;
  }
  return std::max(0, healthy - work.least);
}

// Tells the group and its budget, where they have changed.
inline void TestCluster::recount(const GroupId& id) {
  Workload& work = workloads.at(id);
  Group group{.id = id, .wanted = work.there ? work.wanted : 0, .no_hand_over = work.no_hand_over};
  for (const auto& [uid, pod] : pods) {
    if (pod.unit.group != id || !pod.alive() || !pod.owned || !work.there) continue;
    ++group.owned;
    if (pod.unit.ready && !pod.here) ++group.ready;
  }
  if (group != work.last) {
    work.last = group;
    tell_(GroupSeen{.group = group});
  }
  const int now_allowed = allows(work);
  int& said = budgets_.try_emplace(budget_of(id), -1).first->second;
  if (work.least >= 0 && said != now_allowed) {
    said = now_allowed;
    at(Millis(number(0, 200)), [this, id] {
      tell_(BudgetSeen{.budget = {.id = budget_of(id), .allows = allows(workloads.at(id))}});
    });
  }
}

inline void TestCluster::reconcile(const GroupId& id) {
  Workload& work = workloads.at(id);
  std::vector<Pod*> owned;
  int all = 0;
  for (auto& [uid, pod] : pods) {
    if (pod.unit.group != id || pod.gone) continue;
    ++all;
    if (!pod.alive()) continue;
    if (!work.there) {
      if (pod.owned) end(pod);
      continue;
    }
    const bool wanted = !pod.unit.released;
    if (pod.owned && !wanted && work.frozen) return;
    if (pod.owned != wanted) {
      pod.owned = wanted;
      pod.unit.orphan = !wanted;
      see(pod);
    }
    if (pod.owned) owned.push_back(&pod);
  }
  if (!work.there) return recount(id);
  for (auto count = static_cast<int>(owned.size()); count < work.wanted && all < work.quota;
       ++count, ++all) {
    Pod& pod = add_replica(work, false);
    pod.unit.ready = false;
    if (work.ready_after < 0) continue;
    at(Millis(work.ready_after), [this, id, uid = pod.unit.id] {
      pods.at(uid).unit.ready = true;
      recount(id);
    });
  }
  // What is not Ready ends first, then what is new.
  std::sort(owned.begin(), owned.end(), [](const Pod* a, const Pod* b) {
    return std::pair(a->unit.ready, a->here) < std::pair(b->unit.ready, b->here);
  });
  for (size_t i = 0; i + static_cast<size_t>(work.wanted) < owned.size(); ++i) end(*owned[i]);
  recount(id);
}

inline void TestCluster::end(Pod& pod) {
  if (!pod.alive()) return;
  pod.unit.ending = pod.told = now;
  see(pod);
  const GroupId group = pod.unit.group;
  const auto most = static_cast<int>(std::min(pod.unit.grace, Seconds(60)).count());
  at(Millis(number(100, 100 + 1'000 * most)), [this, group, id = pod.unit.id] {
    pods.at(id).gone = true;
    if (pods.at(id).here) tell_(UnitGone{.id = id});
    if (!group.value.empty()) reconcile_soon(group);
  });
  if (group.value.empty()) return;
  recount(group);
  reconcile_soon(group);
}

inline void TestCluster::carry_out(const Action& action,
                                   std::function<void(Result<std::string>)> answer) {
  const bool hostile = now < weather.until && chance(weather.percent);
  const bool lands = !hostile || chance(30);
  const int slow = hostile && chance(20) ? 5'000 : weather.latency;
  const Millis patience = std::min(action.patience, Millis(number(0, slow)));
  at(patience, [this, action, answer = std::move(answer), hostile, lands] {
    const Result<std::string> result = lands ? serve(action) : Result<std::string>();
    answer(hostile ? Result<std::string>(std::unexpected(core::weather())) : result);
  });
}

inline Result<std::string> TestCluster::change(Pod& pod, bool released, bool denied) {
  if (denied) return std::unexpected(forbidden());
  pod.unit.released = released;
  see(pod);
  reconcile_soon(pod.unit.group);
  return std::string();
}

inline Result<std::string> TestCluster::serve(const Action& action) {
  if (action.kind == ActionKind::kMark || action.kind == ActionKind::kUndo) return std::string();
  Pod& pod = pods.at(action.unit);
  if (pod.gone) return std::unexpected(Error{.kind = ErrorKind::kGone, .message = "404"});
  switch (action.kind) {
    case ActionKind::kRelease:
      if (weather.no_release) return std::unexpected(denied("patch pods"));
      return change(pod, true, weather.forbid_release);
    case ActionKind::kPutBack:
      put_back_denied = put_back_denied || weather.no_put_back;
      return change(pod, false, weather.no_put_back);
    case ActionKind::kAsk: {
      const bool guarded = !pod.unit.budgets.empty() && pod.unit.ready && !pod.unit.ending;
      if (guarded && allows(workloads.at(pod.unit.group)) <= 0) return std::unexpected(refusal());
      end(pod);
      return std::string();
    }
    case ActionKind::kStop:
      end(pod);
      return std::string();
    default:
      return std::string();
  }
}

inline void TestCluster::surprise() {
  auto at_work = std::next(workloads.begin(), number(0, static_cast<int>(workloads.size()) - 1));
  Workload& work = at_work->second;
  switch (number(0, 6)) {
    case 0:
      work.wanted = std::max(0, work.wanted + number(-2, 2));
      break;
    case 1:
      work.there = work.there && !chance(20);
      break;
    case 2:
      work.no_hand_over = chance(50) ? "its Deployment is being rolled out" : "";
      break;
    case 3:
      work.ready_after = number(1, 20'000);
      break;
    default: {
      auto pod = std::next(pods.begin(), number(0, static_cast<int>(pods.size()) - 1));
      if (!pod->second.alive()) return;
      if (chance(10)) return end(pod->second);  // somebody deletes it
      pod->second.unit.ready = chance(70);
      see(pod->second);
      if (pod->second.unit.group.value.empty()) return;
      return recount(pod->second.unit.group);
    }
  }
  reconcile_soon(at_work->first);
  recount(at_work->first);
}

}  // namespace spotkeeper::core
