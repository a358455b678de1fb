// SPDX-License-Identifier: Apache-2.0
// Random histories: pods with any grace, budgets that open and close, answers that are late, lost,
// refused or denied. Whatever happens, the promises of docs/design.md section 7 hold. A failure
// prints the seed; SEED=n runs that one history alone, SEEDS=n the first n.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "core/test_drain.h"

namespace spotkeeper::core {
namespace {

struct Pending {
  Time due{};
  Action action;
  Result<std::string> result;
  bool lands = false;  // the request takes effect: the pod's deletion is written
};

class History {
 public:
  explicit History(unsigned seed) : random_(seed), t_(policy(), notice()) {
    hostile_until_ = t_.drain.notice().deadline - Seconds(number(16, 60));
  }

  void run() {
    populate();
    const Time stop = kNoon + Seconds(200);
    collect();
    while (t_.now < stop) {
      step(stop);
      collect();
    }
    check_end();
  }

 private:
  int number(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  bool hostile() const { return t_.now < hostile_until_; }
  bool chance(int percent) { return number(1, 100) <= percent; }

  Policy policy() {
    Policy policy;
    policy.spare_local_data = chance(20);
    if (chance(20)) policy.grace_override = Seconds(number(1, 200));
    return policy;
  }
  Notice notice() { return spot_notice(Seconds(number(60, 130))); }

  void populate() {
    const int budgets = number(0, 3);
    for (int i = 0; i < budgets; ++i) allows_[BudgetId("ns/" + std::to_string(i))] = number(0, 2);
    const int pods = number(1, 12);
    for (int i = 0; i < pods; ++i) {
      Unit unit = make_unit(std::to_string(i), Seconds(number(0, 1) != 0 ? number(0, 90) : 600));
      unit.ready = chance(90);
      unit.local_data = chance(20);
      if (chance(10)) unevictable_.insert(unit.id);
      if (chance(15)) unit.exempt = "a DaemonSet pod";
      for (const auto& [id, allows] : allows_) {
        if (chance(30)) unit.budgets.push_back(id);
      }
      units_[unit.id] = unit;
    }
    for (const auto& [id, unit] : units_) arrivals_.push_back(UnitSeen{.unit = unit});
    for (const auto& [id, allows] : allows_) {
      arrivals_.push_back(BudgetSeen{.budget = {.id = id, .allows = allows}});
    }
    std::shuffle(arrivals_.begin(), arrivals_.end(), random_);
    arrivals_.push_back(UnitsListed{});
    arrivals_.push_back(BudgetsListed{.watched = chance(80)});
    for (const Observation& arrival : arrivals_) t_.tell(arrival);
  }

  // Checks what the drain wants to do, and decides when and how it is answered.
  void collect() {
    for (Action& action : t_.take()) {
      EXPECT_FALSE(action.reason.empty());
      EXPECT_EQ(action.host, HostId("n1"));
      Pending pending{.due = t_.now + Millis(number(0, hostile() && chance(5) ? 5'000 : latency_))};
      if (action.kind == ActionKind::kMark) {
        pending.result = hostile() && chance(20) ? Result<std::string>(std::unexpected(weather()))
                                                 : Result<std::string>("cordoned");
      } else {
        check_unit_action(action);
        judge(action, pending);
      }
      pending.action = std::move(action);
      pending_.push_back(std::move(pending));
    }
  }

  void check_unit_action(const Action& action) {
    const auto unit = units_.find(action.unit);
    ASSERT_NE(unit, units_.end()) << "an action names a unit of another host";
    EXPECT_TRUE(unit->second.exempt.empty()) << "an exempt unit is touched";
    if (action.grace) EXPECT_GE(action.grace->count(), 1);
    if (action.kind == ActionKind::kStop && !unit->second.budgets.empty()) {
      EXPECT_GE(t_.now, t_.track(unit->second.name.substr(8)).plan.force)
          << "a budget is overruled before the last moment";
    }
    EXPECT_TRUE(busy_.insert(action.unit).second) << "two actions in flight for one unit";
  }

  // The server's side: budgets are checked, some answers are weather.
  void judge(const Action& action, Pending& pending) {
    const Unit& unit = units_.at(action.unit);
    EXPECT_LE(++requests_[action.unit], 80) << "requests without end";
    if (hostile() && chance(30)) {
      pending.lands = chance(20);  // it took effect, the answer was lost
      pending.result = std::unexpected(any_hostility());
    } else if (action.kind == ActionKind::kAsk && unevictable_.contains(action.unit)) {
      pending.result = std::unexpected(unit.grace.count() % 2 == 0 ? forbidden() : denied("evict"));
    } else if (gone_.contains(action.unit)) {
      pending.result = std::unexpected(Error{.kind = ErrorKind::kGone, .message = "404"});
    } else if (action.kind == ActionKind::kExplain) {
      pending.result = std::string();
    } else if (action.kind == ActionKind::kAsk && refused_by_budget(unit)) {
      pending.result = std::unexpected(refusal());
    } else {
      pending.lands = true;
      pending.result = std::string();
    }
  }

  Error any_hostility() {
    switch (number(0, 4)) {
      case 0:
        return unauthorized();
      case 1:
        return busy(number(1, 300));
      case 2:
        return forbidden();
      default:
        return weather();
    }
  }

  bool refused_by_budget(const Unit& unit) {
    if (unit.budgets.size() > 1) return true;
    for (const BudgetId& id : unit.budgets) {
      if (allows_[id] <= 0) return true;
      --allows_[id];
    }
    return false;
  }

  // The next thing that happens: an answer, a timer, or something in the cluster.
  void step(Time stop) {
    Time next = std::min(stop, t_.drain.wake());
    size_t which = pending_.size();
    for (size_t i = 0; i < pending_.size(); ++i) {
      if (pending_[i].due <= next) {
        next = pending_[i].due;
        which = i;
      }
    }
    const Time surprise = t_.now + Millis(number(100, 3'000));
    if (surprise < next) {
      t_.now = surprise;
      surprise_it();
      return;
    }
    t_.now = std::max(t_.now, next);
    if (which == pending_.size()) {
      t_.tell(Tick{});
      return;
    }
    const Pending pending = pending_[which];
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(which));
    busy_.erase(pending.action.unit);
    if (pending.lands) land(pending.action);
    t_.answer(pending.action, pending.result);
  }

  void land(const Action& action) {
    Unit& unit = units_.at(action.unit);
    if (unit.ending || gone_.contains(unit.id)) return;
    unit.ending = t_.now;
    told_[unit.id] = t_.now;
    if (chance(70)) t_.tell(UnitSeen{.unit = unit});  // else the watch is late
  }

  void surprise_it() {
    if (!allows_.empty() && chance(50)) {
      auto at = std::next(allows_.begin(), number(0, static_cast<int>(allows_.size()) - 1));
      at->second = number(0, 2);
      t_.tell(BudgetSeen{.budget = {.id = at->first, .allows = at->second}});
    } else {
      auto at = std::next(units_.begin(), number(0, static_cast<int>(units_.size()) - 1));
      if (!at->second.ending || gone_.contains(at->first)) return;
      gone_.insert(at->first);
      t_.tell(UnitGone{.id = at->first});
    }
    if (chance(20)) t_.tell(NoticeHeard{.notice = t_.drain.notice()});
  }

  void check_end() {
    const Time deadline = t_.drain.notice().deadline;
    for (const auto& [id, unit] : units_) {
      if (!unit.exempt.empty()) continue;
      ASSERT_TRUE(told_.contains(id)) << unit.name << " was never told";
      const Seconds grace = t_.track(unit.name.substr(8)).plan.grace;
      EXPECT_LE(told_[id], deadline - std::min(grace, Seconds(10)))
          << unit.name << " told too late";
    }
    EXPECT_TRUE(t_.drain.finished());
  }

  std::mt19937 random_;
  TestDrain t_;
  int latency_ = number(0, 1) * 300;  // ms, at most; 0: answers come at once
  Time hostile_until_{};
  std::map<UnitId, Unit> units_;
  std::map<BudgetId, int> allows_;
  std::map<UnitId, Time> told_;
  std::set<UnitId> gone_;
  std::set<UnitId> unevictable_;  // an admission webhook, or a right that is missing
  std::map<UnitId, int> requests_;
  std::set<UnitId> busy_;
  std::vector<Observation> arrivals_;
  std::vector<Pending> pending_;
};

TEST(DrainHistories, EveryPodIsToldInTime) {
  const char* only = std::getenv("SEED");
  const unsigned first = only != nullptr ? static_cast<unsigned>(std::atoi(only)) : 1;
  const char* many = std::getenv("SEEDS");
  const unsigned seeds = many != nullptr ? static_cast<unsigned>(std::atoi(many)) : 2'000;
  const unsigned last = only != nullptr ? first : seeds;
  for (unsigned seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    History(seed).run();
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace spotkeeper::core
