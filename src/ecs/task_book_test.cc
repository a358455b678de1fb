// SPDX-License-Identifier: Apache-2.0
#include "ecs/task_book.h"

#include <gmock/gmock.h>

#include "ecs/test_tasks.h"

namespace spotkeeper::ecs {
namespace {

using core::BudgetSeen;
using core::UnitGone;
using core::UnitSeen;

const Time kNow = Time(Seconds(1'800'000'000));

template <class T>
std::vector<T> all_of(const TaskBook::Observations& seen) {
  std::vector<T> all;
  for (const core::Observation& each : seen) {
    if (const T* one = std::get_if<T>(&each)) all.push_back(*one);
  }
  return all;
}

TEST(TaskBook, ABudgetIsToldBeforeWhatItGuardsAndAllowsNothing) {
  TaskBook book({});
  const auto out = book.seen({make_task("1", "web")}, {}, kNow);
  ASSERT_EQ(out.size(), 2U);
  const auto* budget = std::get_if<BudgetSeen>(out.data());
  ASSERT_NE(budget, nullptr);
  EXPECT_EQ(budget->budget.allows, 0) << "DRAINING asks, nobody else";
  EXPECT_TRUE(book.seen({make_task("1", "web")}, {}, kNow).empty()) << "nothing new";
}

TEST(TaskBook, WhatIsLearntLaterChangesTheUnit) {
  TaskBook book({});
  book.seen({make_task("1", "web")}, {}, kNow);
  EXPECT_THAT(book.unknown_definitions(), testing::ElementsAre(definition_arn("web")));
  EXPECT_THAT(book.unknown_services(), testing::ElementsAre("web"));
  auto units = all_of<UnitSeen>(book.definition(make_definition("web", 60)));
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(units[0].unit.grace, Seconds(60));
  aws::EcsService daemon = make_service("web");
  daemon.scheduling = "DAEMON";
  units = all_of<UnitSeen>(book.service(daemon));
  ASSERT_EQ(units.size(), 1U);
  EXPECT_NE(units[0].unit.exempt, "");
}

TEST(TaskBook, TheDelayCountsUntilItsTargetsAreOut) {
  TaskBook book({});
  book.seen({make_task("1", "web")}, {}, kNow);
  book.definition(make_definition("web", 20));
  book.room(Seconds(117));
  auto units = all_of<UnitSeen>(book.delay("web", Seconds(40)));
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(units[0].unit.grace, Seconds(60));
  units = all_of<UnitSeen>(book.deregistered(task_arn("1")));
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(units[0].unit.grace, Seconds(20)) << "its delay runs already";
  units = all_of<UnitSeen>(book.registered(task_arn("1")));
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(units[0].unit.grace, Seconds(60)) << "and begins anew";
}

TEST(TaskBook, WhoWasToldAndEndedBetweenTwoLooksWasTold) {
  TaskBook book({});
  book.seen({make_task("1", "web")}, {}, kNow);
  aws::EcsTask task = make_task("1", "web");
  task.version = 2;
  task.desired_status = task.last_status = "STOPPED";
  task.stop_code = "ServiceSchedulerInitiated";
  const auto out = book.seen({task}, {}, kNow);
  ASSERT_EQ(all_of<UnitSeen>(out).size(), 1U);
  EXPECT_TRUE(all_of<UnitSeen>(out)[0].unit.ending);
  EXPECT_EQ(all_of<UnitGone>(out).size(), 1U);
}

TEST(TaskBook, WhoEndedByItselfWasNotTold) {
  TaskBook book({});
  book.seen({make_task("1")}, {}, kNow);
  aws::EcsTask task = make_task("1");
  task.version = 2;
  task.desired_status = task.last_status = "STOPPED";
  task.stop_code = "EssentialContainerExited";
  const auto out = book.seen({task}, {}, kNow);
  EXPECT_TRUE(all_of<UnitSeen>(out).empty());
  EXPECT_EQ(all_of<UnitGone>(out).size(), 1U);
}

TEST(TaskBook, AnOlderAnswerChangesNothing) {
  TaskBook book({});
  aws::EcsTask task = make_task("1", "web");
  task.version = 5;
  task.desired_status = "STOPPED";
  book.seen({task}, {}, kNow);
  EXPECT_TRUE(book.seen({make_task("1", "web")}, {}, kNow).empty());
  EXPECT_EQ(book.find(core::UnitId(task.arn))->desired_status, "STOPPED");
}

TEST(TaskBook, WhatEcsDoesNotKnowAnyMoreHasGone) {
  TaskBook book({});
  book.seen({make_task("1")}, {}, kNow);
  EXPECT_EQ(all_of<UnitGone>(book.seen({}, {task_arn("1")}, kNow)).size(), 1U);
  EXPECT_TRUE(book.here().empty());
}

TEST(TaskBook, TasksOfAnotherTimeAreNotTold) {
  TaskBook book({});
  aws::EcsTask task = make_task("1");
  task.last_status = task.desired_status = "STOPPED";
  EXPECT_TRUE(book.seen({task}, {}, kNow).empty());
}

}  // namespace
}  // namespace spotkeeper::ecs
