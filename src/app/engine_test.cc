// SPDX-License-Identifier: Apache-2.0
#include "app/engine.h"

#include <gtest/gtest.h>

#include "async/loop_fixture.h"

namespace spotkeeper::app {
namespace {

class EngineTest : public LoopFixture {
 protected:
  core::Notice notice(const std::string& id, Millis in) {
    return core::Notice{.id = core::NoticeId(id), .deadline = clock_.now() + in, .source = "imds"};
  }

  // What the adapter would report of an empty host.
  void report_empty() {
    engine_.tell(host_, core::UnitsListed{});
    engine_.tell(host_, core::BudgetsListed{});
  }

  SteadyClock clock_;
  core::HostId host_{"n1"};
  std::vector<core::Action> actions_;
  std::vector<core::Entry> entries_;
  int finished_ = 0;
  bool answer_at_once_ = true;
  Engine engine_{executor(), clock_, core::Policy{},
                 Engine::Hooks{.act = [this](core::Action action) { act(action); },
                               .journal = [this](const core::Entry& e) { entries_.push_back(e); },
                               .finished = [this](const core::Drain&) { ++finished_; }}};

 private:
  void act(const core::Action& action) {
    actions_.push_back(action);
    if (!answer_at_once_) return;
    engine_.tell(host_, core::ActionDone{.number = action.number, .result = std::string("done")});
  }
};

TEST_F(EngineTest, AnAnswerFromWithinAHookWaitsItsTurn) {
  engine_.tell(host_, core::NoticeHeard{.notice = notice("n", Seconds(120))});
  report_empty();
  ASSERT_EQ(actions_.size(), 1U);
  EXPECT_EQ(finished_, 1);
  EXPECT_FALSE(engine_.busy());
}

TEST_F(EngineTest, IsBusyWhileADrainIsNotFinished) {
  EXPECT_FALSE(engine_.busy());
  engine_.tell(host_, core::NoticeHeard{.notice = notice("n", Seconds(120))});
  EXPECT_TRUE(engine_.busy());
  report_empty();
  EXPECT_FALSE(engine_.busy());
}

TEST_F(EngineTest, WhatConcernsNoDrainIsIgnored) {
  report_empty();
  EXPECT_TRUE(entries_.empty());
  EXPECT_FALSE(engine_.busy());
}

TEST_F(EngineTest, TimeIsKeptForDrains) {
  tasks_.spawn("timer", engine_.keep_time());
  answer_at_once_ = false;
  engine_.tell(host_, core::NoticeHeard{.notice = notice("n", Seconds(120))});
  engine_.tell(host_, core::ActionDone{.number = 1,
                                       .result = std::unexpected(Error{
                                           .kind = ErrorKind::kRetryable, .message = "weather"})});
  run_until([&] { return actions_.size() == 2; });  // the mark again, by the timer alone
  EXPECT_EQ(actions_[1].kind, core::ActionKind::kMark);
}

TEST_F(EngineTest, WhilePausedNothingIsDecidedAndTheFirstWordIsHeardFirst) {
  engine_.tell(host_, core::NoticeHeard{.notice = notice("n", Seconds(120))});
  engine_.pause();
  engine_.tell(host_, core::UnitSeen{.unit = {.id = core::UnitId("u"), .name = "default/web"}});
  report_empty();
  EXPECT_EQ(actions_.size(), 1U) << "the mark, and nothing since";
  engine_.tell_first(host_, core::Withdrawn{.why = "a person asked"});
  engine_.resume();
  ASSERT_EQ(actions_.size(), 2U);
  EXPECT_EQ(actions_[1].kind, core::ActionKind::kUndo);
  EXPECT_EQ(finished_, 1);
}

TEST_F(EngineTest, NewRulesReachTheDrainThatRunsAndThoseToCome) {
  engine_.tell(host_, core::NoticeHeard{.notice = notice("n", Seconds(120))});
  engine_.tell(host_, core::UnitSeen{.unit = {.id = core::UnitId("u"), .name = "default/web"}});
  engine_.rules({{.name = "all", .treatment = {.mode = core::Mode::kNotOurs}}});
  report_empty();
  EXPECT_EQ(engine_.find(host_)->tracks().front()->plan.mode, core::Mode::kNotOurs);
  const core::HostId other("n2");
  engine_.tell(other, core::NoticeHeard{.notice = notice("n", Seconds(120))});
  engine_.tell(other, core::UnitSeen{.unit = {.id = core::UnitId("v"), .name = "default/db"}});
  engine_.tell(other, core::UnitsListed{});
  engine_.tell(other, core::BudgetsListed{});
  EXPECT_EQ(engine_.find(other)->tracks().front()->plan.mode, core::Mode::kNotOurs);
}

TEST_F(EngineTest, AHostThatOutlivedItsNoticeIsDrainedAnew) {
  engine_.tell(host_, core::NoticeHeard{.notice = notice("first", Millis(-1))});
  report_empty();
  EXPECT_EQ(finished_, 1);
  engine_.tell(host_, core::NoticeHeard{.notice = notice("second", Seconds(120))});
  EXPECT_TRUE(engine_.busy());
  report_empty();
  EXPECT_EQ(finished_, 2);
}

}  // namespace
}  // namespace spotkeeper::app
