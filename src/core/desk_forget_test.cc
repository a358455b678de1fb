// SPDX-License-Identifier: Apache-2.0
// What is forgotten of a host whose drain is over, and what others gain by it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/desk.h"
#include "core/test_drain.h"

namespace spotkeeper::core {
namespace {

const HostId kHost("a");
const HostId kOther("b");
constexpr uint64_t kPerDrain = 1'000'000;  // numbers of actions

class DeskForgetTest : public testing::Test {
 protected:
  std::vector<Action> tell(const HostId& host, const Observation& observation, Time now = kNoon) {
    return desk_.on(host, observation, now).actions;
  }

  // Everything is known of it, and it has one unit under a budget.
  std::vector<Action> begin(const HostId& host, uint64_t mark) {
    desk_.hear(host, spot_notice(Seconds(300)), kNoon);
    tell(host, ActionDone{.number = mark, .result = std::string("marked")});
    tell(host, UnitSeen{.unit = make_unit(host.value, Seconds(30), {"ns/b"})});
    tell(host, BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = 1}});
    std::vector<Action> actions = tell(host, BudgetsListed{});
    for (Action& action : tell(host, UnitsListed{})) actions.push_back(std::move(action));
    return actions;
  }

  // Its units have left, its host is gone.
  void finish(const HostId& host) {
    tell(host, UnitGone{.id = UnitId("uid-" + host.value)});
    tell(host, Tick{}, kNoon + Seconds(301));
    ASSERT_TRUE(desk_.find(host)->finished());
  }

  Desk desk_{Policy{}};
};

TEST_F(DeskForgetTest, AFinishedDrainIsForgotten) {
  begin(kHost, 1);
  finish(kHost);
  desk_.forget(kHost, kNoon + Seconds(302));
  EXPECT_EQ(desk_.find(kHost), nullptr);
  EXPECT_EQ(desk_.wake(), kNever) << "nothing is woken for";
  EXPECT_TRUE(desk_.due(kNever).empty());
  EXPECT_TRUE(desk_.news(kNoon + Seconds(302)).empty());
  EXPECT_TRUE(tell(kHost, Tick{}, kNoon + Seconds(303)).empty());
}

TEST_F(DeskForgetTest, AnUnfinishedOneIsNot) {
  begin(kHost, 1);
  const Time wake = desk_.wake();
  desk_.forget(kHost, kNoon);
  ASSERT_NE(desk_.find(kHost), nullptr);
  EXPECT_EQ(desk_.find(kHost)->tracks().size(), 1U);
  EXPECT_EQ(desk_.wake(), wake);
}

TEST_F(DeskForgetTest, AHostThatIsNotKnownIsNothingToForget) {
  begin(kHost, 1);
  desk_.forget(kOther, kNoon);
  EXPECT_NE(desk_.find(kHost), nullptr);
}

// The budget lets one go, and the host that had asked for it is gone without an answer.
TEST_F(DeskForgetTest, WhatItHadAskedForIsFreeForOthers) {
  ASSERT_FALSE(begin(kHost, 1).empty()) << "it asks";
  desk_.hear(kOther, spot_notice(Seconds(900)), kNoon);
  tell(kOther, ActionDone{.number = 1 + kPerDrain, .result = std::string("marked")});
  tell(kOther, UnitSeen{.unit = make_unit("b", Seconds(30), {"ns/b"})});
  tell(kOther, BudgetSeen{.budget = {.id = BudgetId("ns/b"), .allows = 1}});
  tell(kOther, BudgetsListed{});
  tell(kOther, UnitsListed{});
  const auto asks = [](const std::vector<Action>& actions) {
    return std::ranges::count(actions, ActionKind::kAsk, &Action::kind);
  };
  EXPECT_EQ(asks(tell(kOther, Tick{}, kNoon + Seconds(2))), 0) << "the first is not answered";
  tell(kHost, Tick{}, kNoon + Seconds(301));
  ASSERT_TRUE(desk_.find(kHost)->finished()) << "its end has come";
  desk_.forget(kHost, kNoon + Seconds(302));
  EXPECT_EQ(asks(tell(kOther, Tick{}, kNoon + Seconds(303))), 1);
}

TEST_F(DeskForgetTest, ANewNoticeBeginsAnew) {
  begin(kHost, 1);
  finish(kHost);
  desk_.forget(kHost, kNoon + Seconds(302));
  const Time now = kNoon + Seconds(400);
  Notice notice = spot_notice(Seconds(600));
  notice.id = NoticeId("spot-itn-2");
  const std::vector<Action> actions = desk_.hear(kHost, notice, now).actions;
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].kind, ActionKind::kMark);
  EXPECT_GT(actions[0].number, kPerDrain) << "no late answer to the first is taken for one to it";
  const Drain* drain = desk_.find(kHost);
  ASSERT_NE(drain, nullptr);
  EXPECT_FALSE(drain->finished());
  EXPECT_FALSE(drain->listed()) << "its units are listed anew";
  EXPECT_TRUE(drain->tracks().empty());
  EXPECT_EQ(desk_.wake(), drain->wake());
}

// Even the same one: what was heard of it is forgotten.
TEST_F(DeskForgetTest, TheSameNoticeToo) {
  begin(kHost, 1);
  finish(kHost);
  desk_.forget(kHost, kNoon + Seconds(302));
  desk_.hear(kHost, spot_notice(Seconds(300)), kNoon);
  ASSERT_NE(desk_.find(kHost), nullptr);
  EXPECT_FALSE(desk_.find(kHost)->finished());
}

}  // namespace
}  // namespace spotkeeper::core
