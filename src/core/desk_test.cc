// SPDX-License-Identifier: Apache-2.0
#include "core/desk.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/test_drain.h"

namespace spotkeeper::core {
namespace {

class DeskTest : public testing::Test {
 protected:
  void interrupt(const std::string& host, Seconds in, int units, int guarded = 0) {
    desk_.hear(HostId(host), spot_notice(in), kNoon);
    for (int i = 0; i < units + guarded; ++i) {
      std::vector<std::string> budgets;
      if (i >= units) budgets.emplace_back("default/b");
      std::string name = host;
      name += "-" + std::to_string(i);
      desk_.on(HostId(host), UnitSeen{.unit = make_unit(name, Seconds(30), std::move(budgets))},
               kNoon);
    }
    desk_.on(HostId(host), UnitsListed{}, kNoon);
    desk_.on(HostId(host), BudgetsListed{}, kNoon);
  }

  std::map<std::string, Millis> news(Time now = kNoon) {
    std::map<std::string, Millis> leads;
    for (const auto& [host, observation] : desk_.news(now)) {
      leads[host.value] = std::get<Crowd>(observation).lead;
      desk_.on(host, observation, now);
    }
    return leads;
  }

  Time force_of(const std::string& host) const {
    return desk_.find(HostId(host))->tracks().at(0)->plan.force;
  }

  Desk desk_{Policy{.requests_per_s = 10}};
};

using Leads = std::map<std::string, Millis>;

TEST_F(DeskTest, OneHostHasNoNews) {
  interrupt("a", Seconds(120), 4);
  EXPECT_EQ(news(), Leads{});
  EXPECT_EQ(desk_.news_due(), kNever);
}

TEST_F(DeskTest, TheLastMomentsOfManyHostsAreLaidOutBackwardsThroughTheRate) {
  interrupt("a", Seconds(120), 10);
  interrupt("b", Seconds(120), 10);
  interrupt("c", Seconds(120), 0, 10);
  EXPECT_EQ(news(), (Leads{{"b", Seconds(3)}, {"a", Seconds(4)}}));
  EXPECT_EQ(force_of("b") - force_of("a"), Seconds(1));
}

TEST_F(DeskTest, AHostThatEndsMuchEarlierHasNobodyBehindIt) {
  interrupt("early", Seconds(60), 10);
  interrupt("late", Seconds(120), 10);
  EXPECT_EQ(news(), Leads{});
  interrupt("soon after", Seconds(60), 10);
  EXPECT_EQ(news(kNoon + Seconds(1)), (Leads{{"early", Seconds(1)}}));
}

TEST_F(DeskTest, SharesShrinkAsUnitsAreToldAndAreNotLaidOutForEachOfThem) {
  interrupt("a", Seconds(120), 10);
  interrupt("b", Seconds(120), 20);
  EXPECT_EQ(news(), (Leads{{"a", Seconds(2)}}));
  for (int i = 0; i < 15; ++i) {
    desk_.on(HostId("b"), UnitGone{.id = UnitId("uid-b-" + std::to_string(i))}, kNoon);
  }
  EXPECT_EQ(news(kNoon + Millis(100)), Leads{}) << "not so soon again";
  EXPECT_EQ(desk_.news_due(), kNoon + Millis(250));
  EXPECT_LE(desk_.wake(), kNoon + Millis(250));
  EXPECT_EQ(news(kNoon + Millis(250)), (Leads{{"a", Millis(500)}}));
  EXPECT_EQ(desk_.news_due(), kNever);
}

TEST_F(DeskTest, WhatIsWithdrawnTakesNoShare) {
  interrupt("a", Seconds(120), 10);
  interrupt("b", Seconds(120), 20);
  desk_.on(HostId("b"), Withdrawn{.why = "interrupted"}, kNoon);
  EXPECT_EQ(news(), Leads{});
}

// With an ask and an explanation for each the last moments of all would take half a minute.
TEST_F(DeskTest, TheLastMomentsOfVeryManyHostsAreBrief) {
  interrupt("a", Seconds(120), 0, 50);
  interrupt("b", Seconds(120), 0, 50);
  EXPECT_EQ(news(), (Leads{{"a", Seconds(15)}})) << "30 s for all is not too long";
  interrupt("c", Seconds(120), 1);
  std::map<std::string, Crowd> told;
  for (const auto& [host, observation] : desk_.news(kNoon + Seconds(1))) {
    told.emplace(host.value, std::get<Crowd>(observation));
  }
  const std::map<std::string, Crowd> brief{{"a", {.lead = Millis(5'100), .brief = true}},
                                           {"b", {.lead = Millis(100), .brief = true}},
                                           {"c", {.lead = Millis(0), .brief = true}}};
  EXPECT_EQ(told, brief) << "one request for each";
}

// Two hosts that are renewed every second take two requests of ten; twenty would take all.
TEST(DeskRenewals, LeaveSoMuchLessForLastMoments) {
  for (const auto& [hosts, lead] :
       {std::pair(2, Millis(1'300)), std::pair(20, Millis(2'000 * 19))}) {
    Desk desk{Policy{.renew_every = Seconds(1), .requests_per_s = 10}};
    for (int i = 0; i < hosts; ++i) {
      const HostId host("n" + std::to_string(i));
      desk.hear(host, spot_notice(Seconds(120)), kNoon);
      for (int unit = 0; unit < 10; ++unit) {
        desk.on(host, UnitSeen{.unit = make_unit(host.value + "-" + std::to_string(unit))}, kNoon);
      }
      desk.on(host, UnitsListed{}, kNoon);
      desk.on(host, BudgetsListed{}, kNoon);
    }
    Millis most{0};
    for (const auto& [host, crowd] : desk.news(kNoon)) {
      most = std::max(most, std::get<Crowd>(crowd).lead);
    }
    EXPECT_EQ(most, lead);
  }
}

TEST_F(DeskTest, BriefnessEndsWithTheLastUnit) {
  interrupt("a", Seconds(120), 0, 50);
  interrupt("b", Seconds(120), 0, 60);
  news();
  for (const char* host : {"a", "b"}) {
    for (int i = 0; i < 60; ++i) {
      desk_.on(HostId(host),
               UnitGone{.id = UnitId(std::string("uid-") + host + "-" + std::to_string(i))}, kNoon);
    }
  }
  interrupt("c", Seconds(120), 10);
  interrupt("d", Seconds(120), 10);
  for (const auto& [host, observation] : desk_.news(kNoon + Seconds(1))) {
    EXPECT_FALSE(std::get<Crowd>(observation).brief) << host.value;
  }
}

// Controllers are shared: that of 80 units that are handed over at once only some are replaced soon
// must not be taken for a refusal.
TEST(DeskPace, ReleasesOfAllHostsGoAtTheRateAtWhichReplacementsCome) {
  Desk desk{Policy{}};
  constexpr int kHosts = 20;
  constexpr int kEach = 4;
  const GroupId group("default/web");
  int owned = kHosts * kEach;  // pods of the group, by its owner's count
  std::vector<Action> sent;
  const auto tell = [&](const HostId& host, const Observation& observation, Time now) {
    const auto keep = [&](Output out) {
      for (Action& action : out.actions) sent.push_back(std::move(action));
    };
    keep(desk.on(host, observation, now));
    for (auto news = desk.news(now); !news.empty(); news = desk.news(now)) {
      for (const auto& [other, each] : news) keep(desk.on(other, each, now));
    }
  };
  const auto tell_group = [&](Time now) {
    for (int i = 0; i < kHosts; ++i) {
      tell(HostId("n" + std::to_string(i)),
           GroupSeen{.group = {.id = group, .wanted = kHosts * kEach, .owned = owned}}, now);
    }
  };
  std::map<std::string, Unit> units;
  for (int i = 0; i < kHosts; ++i) {
    const HostId host("n" + std::to_string(i));
    desk.hear(host, spot_notice(Seconds(300)), kNoon);
    tell(host,
         ActionDone{.number = desk.find(host)->tracks().empty() ? 1U + i * 1'000'000U : 0U,
                    .result = std::string("marked")},
         kNoon);
    for (int k = 0; k < kEach; ++k) {
      std::string name = host.value;
      name += "-" + std::to_string(k);
      Unit unit = make_unit(name);
      unit.group = group;
      units[unit.id.value] = unit;
      tell(host, UnitSeen{.unit = unit}, kNoon);
    }
    tell(host, BudgetsListed{}, kNoon);
    tell(host, UnitsListed{}, kNoon);
  }
  tell_group(kNoon);
  EXPECT_EQ(sent.size(), 16U) << "as many as come in two seconds, by the first guess";
  int released = 0;
  int most = 0;
  Time now = kNoon;
  while (!sent.empty()) {
    const std::vector<Action> batch = std::exchange(sent, {});
    most = std::max(most, static_cast<int>(batch.size()));
    now += Seconds(1);
    for (const Action& action : batch) {
      ASSERT_EQ(action.kind, ActionKind::kRelease);
      ++released;
      --owned;
      tell(action.host, ActionDone{.number = action.number, .result = std::string()}, now);
      Unit unit = units.at(action.unit.value);
      unit.released = unit.orphan = true;
      tell(action.host, UnitSeen{.unit = unit}, now);
    }
    tell_group(now);  // they have left
    owned = kHosts * kEach;
    tell_group(now);  // and are replaced
  }
  EXPECT_EQ(released, kHosts * kEach) << "nobody is forgotten";
  EXPECT_LE(most, 32) << "16 have come in a second";
}

TEST(Desk, KnowsWhichDrainsWantATick) {
  Desk desk{Policy{}};
  desk.hear(HostId("a"), spot_notice(Seconds(300)), kNoon);
  desk.hear(HostId("b"), spot_notice(Seconds(300)), kNoon + Seconds(1));
  desk.news(kNoon + Seconds(1));
  const Time first = desk.wake();
  ASSERT_LT(first, kNever);
  EXPECT_EQ(first, desk.find(HostId("a"))->wake());
  EXPECT_TRUE(desk.due(first - Millis(1)).empty());
  EXPECT_EQ(desk.due(first), std::vector<HostId>{HostId("a")});
  EXPECT_EQ(desk.due(first + Seconds(1)), (std::vector<HostId>{HostId("a"), HostId("b")}));
  desk.on(HostId("a"), Tick{}, first);
  EXPECT_GT(desk.find(HostId("a"))->wake(), first);
  EXPECT_EQ(desk.wake(), desk.find(HostId("b"))->wake());
}

// A Deployment with a pod on each of three hosts, and controllers that take their time: that one's
// replacement is still to come must not be taken for another's having gone.
TEST(DeskPace, AReplacementThatIsStillToComeIsNotMissedOnAnotherHost) {
  Desk desk{Policy{}};
  const GroupId group("default/web");
  const std::vector<std::string> hosts{"a", "b", "c"};
  std::map<std::string, std::vector<Action>> sent;
  const auto tell = [&](const std::string& host, const Observation& observation, Time now) {
    for (Action& action : desk.on(HostId(host), observation, now).actions) {
      if (action.kind != ActionKind::kMark) sent[host].push_back(std::move(action));
    }
  };
  const auto tell_group = [&](int owned, Time now) {
    const Group seen{.id = group, .wanted = 3, .owned = owned};
    for (const std::string& host : hosts) tell(host, GroupSeen{.group = seen}, now);
  };
  const auto let_go = [&](const std::string& host, Time now) {
    ASSERT_EQ(sent[host].size(), 1U) << host;
    ASSERT_EQ(sent[host][0].kind, ActionKind::kRelease);
    tell(host, ActionDone{.number = sent[host][0].number, .result = std::string()}, now);
    sent[host].clear();
    Unit unit = make_unit(host);
    unit.group = group;
    unit.released = unit.orphan = true;
    tell(host, UnitSeen{.unit = unit}, now);
  };
  uint64_t mark = 1;
  for (const std::string& host : hosts) {
    desk.hear(HostId(host), spot_notice(Seconds(300)), kNoon);
    tell(host, ActionDone{.number = mark, .result = std::string("marked")}, kNoon);
    mark += 1'000'000;
    Unit unit = make_unit(host);
    unit.group = group;
    tell(host, UnitSeen{.unit = unit}, kNoon);
    tell(host, BudgetsListed{}, kNoon);
    tell(host, UnitsListed{}, kNoon);
  }
  tell_group(3, kNoon);
  for (int ms = 0; ms <= 30'000; ms += 100) {
    const Time now = kNoon + Millis(ms);
    for (const std::string& host : hosts) tell(host, Tick{}, now);
    // One of the three is away at 0, 4 and 6 s, and replaced within less than three.
    if (ms == 0) let_go("a", now);
    if (ms == 4'000) let_go("b", now);
    if (ms == 6'000) let_go("c", now);
    if (ms == 0 || ms == 4'000) tell_group(2, now);
    if (ms == 6'000) tell_group(1, now);
    if (ms == 500 || ms == 8'900) tell_group(3, now);
    if (ms == 6'900) tell_group(2, now);
  }
  for (const std::string& host : hosts) {
    EXPECT_TRUE(sent[host].empty()) << host << ": " << to_string(sent[host][0].kind);
  }
}

// A budget lets one go: the pods of two hosts do not ask for the same one.
TEST(DeskPace, ABudgetsLastDisruptionIsAskedForOnce) {
  Desk desk{Policy{}};
  const std::vector<HostId> hosts{HostId("a"), HostId("b")};
  std::map<HostId, std::vector<Action>> asks;
  const auto tell = [&](const HostId& host, const Observation& observation, Time now) {
    for (Action& action : desk.on(host, observation, now).actions) {
      if (action.kind == ActionKind::kAsk) asks[host].push_back(std::move(action));
    }
  };
  uint64_t mark = 1;
  for (const HostId& host : hosts) {
    desk.hear(host, spot_notice(Seconds(300)), kNoon);
    tell(host, ActionDone{.number = mark, .result = std::string("marked")}, kNoon);
    mark += 1'000'000;
    tell(host, UnitSeen{.unit = make_unit(host.value, Seconds(30), {"ns/b"})}, kNoon);
  }
  const auto budget = [&](int allows, Time now) {
    for (const HostId& host : hosts) {
      tell(host, BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = allows}}, now);
      tell(host, BudgetsListed{}, now);
      tell(host, UnitsListed{}, now);
    }
  };
  budget(1, kNoon);
  ASSERT_EQ(asks[hosts[0]].size(), 1U);
  EXPECT_TRUE(asks[hosts[1]].empty());
  desk.news(kNoon);
  EXPECT_EQ(desk.wake(), kNoon + Seconds(1)) << "the other's answer may leave it";
  const uint64_t number = asks[hosts[0]][0].number;
  tell(hosts[0], ActionDone{.number = number, .result = std::string("evicted")}, kNoon);
  budget(0, kNoon + Millis(10));
  tell(hosts[1], Tick{}, kNoon + Seconds(2));
  EXPECT_TRUE(asks[hosts[1]].empty());
  budget(1, kNoon + Seconds(3));
  EXPECT_EQ(asks[hosts[1]].size(), 1U);
}

// Its answer is a failure, and nobody hears more of the budget.
TEST(DeskPace, ADisruptionThatIsGivenBackIsAskedForByAnotherHost) {
  Desk desk{Policy{}};
  const std::vector<HostId> hosts{HostId("a"), HostId("b")};
  int asked = 0;
  uint64_t number = 0;
  const auto tell = [&](const HostId& host, const Observation& observation, Time now) {
    for (const Action& action : desk.on(host, observation, now).actions) {
      if (action.kind != ActionKind::kAsk) continue;
      ++asked;
      number = action.number;
    }
  };
  uint64_t mark = 1;
  for (const HostId& host : hosts) {
    desk.hear(host, spot_notice(Seconds(300)), kNoon);
    tell(host, ActionDone{.number = mark, .result = std::string("marked")}, kNoon);
    mark += 1'000'000;
    tell(host, UnitSeen{.unit = make_unit(host.value, Seconds(30), {"ns/b"})}, kNoon);
    tell(host, BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = 1}}, kNoon);
    tell(host, BudgetsListed{}, kNoon);
    tell(host, UnitsListed{}, kNoon);
  }
  ASSERT_EQ(asked, 1);
  const Error weather{.kind = ErrorKind::kRetryable, .message = "503", .status = 503};
  tell(hosts[0], ActionDone{.number = number, .result = std::unexpected(weather)}, kNoon);
  tell(hosts[1], Tick{}, kNoon + Seconds(1));
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace spotkeeper::core
