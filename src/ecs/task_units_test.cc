// SPDX-License-Identifier: Apache-2.0
#include "ecs/task_units.h"

#include <gmock/gmock.h>

#include "core/plan.h"
#include "ecs/policy.h"
#include "ecs/test_tasks.h"

namespace spotkeeper::ecs {
namespace {

using testing::HasSubstr;

TEST(TaskUnits, TheGraceIsTheLongestStopTimeoutOfItsContainers) {
  struct Row {
    std::vector<std::optional<int64_t>> timeouts;
    int64_t wanted;
  };
  for (const Row& row : {Row{{std::nullopt}, 30}, Row{{5}, 5}, Row{{5, 90, 30}, 90},
                         Row{{std::nullopt, 5}, 30}, Row{{120}, 120}, Row{{0}, 1}, Row{{}, 30}}) {
    aws::EcsTaskDefinition definition = make_definition("web", 1);
    definition.containers.clear();
    for (const auto& timeout : row.timeouts) {
      definition.containers.push_back({.name = "c", .stop_timeout_s = timeout});
    }
    EXPECT_EQ(stop_timeout_of(&definition, {}).count(), row.wanted);
  }
  EXPECT_EQ(stop_timeout_of(nullptr, {}), kStopTimeout) << "what is not known is the default";
  const aws::EcsTaskDefinition silent = make_definition("web", std::nullopt);
  EXPECT_EQ(stop_timeout_of(&silent, {.stop_timeout = Seconds(75)}), Seconds(75))
      << "as the host's agent is configured";
}

TEST(TaskUnits, OfTheDeregistrationDelayWhatFitsIsAddedElseEnough) {
  struct Row {
    int delay;
    int stop;
    std::optional<Seconds> room;
    int wanted;
  };
  for (const Row& row : {Row{0, 30, Seconds(117), 0}, Row{60, 30, Seconds(117), 60},
                         Row{82, 30, Seconds(117), 82}, Row{87, 30, Seconds(117), 30},
                         Row{300, 30, Seconds(117), 30}, Row{300, 90, Seconds(117), 22},
                         Row{300, 120, Seconds(117), 0}, Row{300, 30, std::nullopt, 300}}) {
    EXPECT_EQ(delay_that_fits(Seconds(row.delay), Seconds(row.stop), row.room).count(), row.wanted)
        << row.delay << "+" << row.stop;
  }
}

TEST(TaskUnits, WhoIsOursToMove) {
  aws::EcsTask task = make_task("1", "web");
  aws::EcsService service = make_service("web");
  TaskFacts facts{.task = &task, .service = &service, .room = {}};
  core::Unit unit = unit_of(facts, {});
  EXPECT_EQ(unit.exempt, "");
  EXPECT_EQ(unit.name, "web/1");
  EXPECT_EQ(unit.owner, "Service/web");
  ASSERT_EQ(unit.budgets.size(), 1U);
  EXPECT_EQ(unit.budgets[0].value, "service web (minimumHealthyPercent 100)");
  service.scheduling = "DAEMON";
  EXPECT_THAT(unit_of(facts, {}).exempt, HasSubstr("daemon service"));
  EXPECT_THAT(unit_of(facts, {.own_task = task.arn}).exempt, HasSubstr("our own task"));
  task = make_task("2");
  facts.service = nullptr;
  unit = unit_of(facts, {});
  EXPECT_EQ(unit.name, "job/2");
  EXPECT_TRUE(unit.budgets.empty()) << "nobody keeps a standalone task";
}

TEST(TaskUnits, DeactivatingAndStoppingAreEndingAndNotGone) {
  struct Row {
    const char* last;
    const char* desired;
    bool ending;
    bool gone;
  };
  for (const Row& row :
       {Row{"PENDING", "RUNNING", false, false}, Row{"RUNNING", "RUNNING", false, false},
        Row{"RUNNING", "STOPPED", true, false}, Row{"DEACTIVATING", "STOPPED", true, false},
        Row{"STOPPING", "STOPPED", true, false}, Row{"DEPROVISIONING", "STOPPED", true, false},
        Row{"STOPPED", "STOPPED", true, true}, Row{"DELETED", "STOPPED", true, true}}) {
    aws::EcsTask task = make_task("1");
    task.last_status = row.last;
    task.desired_status = row.desired;
    EXPECT_EQ(is_ending(task), row.ending) << row.last;
    EXPECT_EQ(is_gone(task), row.gone) << row.last;
  }
}

TEST(TaskUnits, RoomIsWhatMinimumHealthyPercentLeaves) {
  struct Row {
    int desired, running, minimum, wanted;
  };
  for (const Row& row : {Row{4, 4, 50, 2}, Row{4, 4, 100, 0}, Row{3, 3, 50, 1}, Row{4, 6, 100, 2},
                         Row{4, 1, 50, 0}, Row{1, 1, 0, 1}, Row{0, 0, 100, 0}}) {
    aws::EcsService service = make_service("web");
    service.desired = row.desired;
    service.running = row.running;
    service.minimum_healthy_percent = row.minimum;
    EXPECT_EQ(room_of(service), row.wanted) << row.desired << " " << row.minimum;
  }
}

class PlanOnEcs : public testing::Test {
 protected:
  core::Plan plan(const core::Unit& unit,
                  core::NoticeKind kind = core::NoticeKind::kSpotInterruption) {
    const core::Notice notice{.kind = kind, .deadline = now_ + Seconds(120), .received = now_};
    const core::Wanted wanted = core::wanted_for(unit, notice, policy_);
    return core::plan_unit(unit, wanted, "", notice, policy_, Millis(0), now_);
  }
  core::Unit standalone(int stop_timeout) {
    const aws::EcsTask task = make_task("1");
    const aws::EcsTaskDefinition definition = make_definition("job", stop_timeout);
    return unit_of({.task = &task, .definition = &definition, .room = {}}, {});
  }

  Time now_ = Time(Seconds(1'800'000'000));
  core::Policy policy_ = [] {
    core::Policy policy;
    policy.enough_grace = core::kFullGrace;
    return policy_on_ecs(policy);
  }();
};

TEST_F(PlanOnEcs, AStandaloneTaskIsStoppedByEndLessMarginLessStopTimeout) {
  for (const int stop : {5, 30, 60}) {
    const core::Plan planned = plan(standalone(stop));
    EXPECT_EQ(planned.mode, core::Mode::kLastMoment);
    EXPECT_EQ(planned.start, now_ + Seconds(120 - 3 - stop)) << "left alone until then";
    EXPECT_EQ(planned.force, planned.start);
  }
  EXPECT_EQ(plan(standalone(120)).force, now_) << "what does not fit is told at once";
}

// AWS's own default delay does not fit into a notice, and must not cost the task its life in the
// first seconds: ECS may still move it, and its target is still to be taken out.
TEST_F(PlanOnEcs, ADelayThatCannotFitStopsNobodyInTheFirstSeconds) {
  struct Row {
    int delay, stop, force;
  };
  for (const Row& row : {Row{300, 30, 57}, Row{300, 2, 85}, Row{87, 30, 57}, Row{60, 30, 27},
                         Row{300, 90, 5}, Row{10, 110, 5}}) {
    const aws::EcsTask task = make_task("1", "web");
    const aws::EcsTaskDefinition definition = make_definition("web", row.stop);
    const aws::EcsService service = make_service("web");
    const core::Unit unit = unit_of({.task = &task,
                                     .definition = &definition,
                                     .service = &service,
                                     .delay = Seconds(row.delay),
                                     .room = Seconds(117)},
                                    {});
    EXPECT_EQ(plan(unit).force, now_ + Seconds(row.force)) << row.delay << "+" << row.stop;
  }
}

TEST_F(PlanOnEcs, ARecommendationStopsNoStandaloneTask) {
  const core::Plan planned = plan(standalone(30), core::NoticeKind::kRebalanceRecommendation);
  EXPECT_EQ(planned.start, kNever);
  EXPECT_EQ(planned.force, kNever);
}

TEST_F(PlanOnEcs, TheOperatorsRulesGoBeforeTheOneForStandaloneTasks) {
  core::Policy policy;
  policy.rules.push_back(
      {.name = "jobs at once", .owners = {"None"}, .treatment = {.mode = core::Mode::kAtOnce}});
  policy_ = policy_on_ecs(policy);
  EXPECT_EQ(plan(standalone(30)).mode, core::Mode::kAtOnce);
}

}  // namespace
}  // namespace spotkeeper::ecs
