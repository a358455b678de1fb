// SPDX-License-Identifier: Apache-2.0
#include "async/task_group.h"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <vector>

#include "async/loop_fixture.h"
#include "async/timing.h"

namespace spotkeeper {
namespace {

constexpr Millis kLong = std::chrono::hours(1);

class TaskGroupTest : public LoopFixture {
 protected:
  TaskGroup group_{executor(), [this](const std::string& what) { failures_.push_back(what); }};
  std::vector<std::string> failures_;
};

Task<> count_up(int* counter) {
  ++*counter;
  co_return;
}

Task<> fail_with(std::string what) {
  co_await sleep_for(Millis(0));
  throw std::runtime_error(what);
}

Task<> fail_with_number() {
  co_await sleep_for(Millis(0));
  throw 42;
}

// Stays until cancelled; the flag is set by the frame's destruction.
struct SetOnExit {
  bool* flag;
  ~SetOnExit() { *flag = true; }
};
Task<> stay(bool* ended) {
  const SetOnExit on_exit{ended};
  co_await sleep_for(kLong);
}

Task<> spawn_into(TaskGroup* group, int* counter) {
  group->spawn("child", count_up(counter));
  co_return;
}

TEST_F(TaskGroupTest, JoinsWithNoTask) {
  run(group_.join());
}

TEST_F(TaskGroupTest, JoinWaitsForEveryTask) {
  int counter = 0;
  for (int i = 0; i < 10; ++i) group_.spawn("counter", count_up(&counter));
  EXPECT_EQ(group_.size(), 10u);
  EXPECT_EQ(counter, 0) << "a task must not run inside spawn() before the loop does";
  run(group_.join());
  EXPECT_EQ(counter, 10);
  EXPECT_EQ(group_.size(), 0u);
  EXPECT_TRUE(group_.first_failure().empty());
}

TEST_F(TaskGroupTest, JoinsAfterCancel) {
  bool first = false;
  bool second = false;
  group_.spawn("first", stay(&first));
  group_.spawn("second", stay(&second));
  run(sleep_for(Millis(0)));
  EXPECT_EQ(group_.size(), 2u);
  group_.cancel();
  run(group_.join());
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_TRUE(group_.first_failure().empty()) << "being cancelled is not a failure";
  EXPECT_TRUE(failures_.empty());
}

TEST_F(TaskGroupTest, CancelsATaskThatHasNotStartedYet) {
  bool ended = false;
  group_.spawn("stay", stay(&ended));
  group_.cancel();
  run(group_.join());
  EXPECT_EQ(group_.size(), 0u);
}

TEST_F(TaskGroupTest, CancelsTheTasksOfOneName) {
  bool first = false;
  bool second = false;
  bool other = false;
  group_.spawn("watch a", stay(&first));
  group_.spawn("watch a", stay(&second));
  group_.spawn("watch b", stay(&other));
  run(sleep_for(Millis(0)));
  group_.cancel("watch");
  run(sleep_for(Millis(0)));
  EXPECT_EQ(group_.size(), 3u) << "no part of a name is one";
  group_.cancel("watch a");
  run_until([&] { return group_.size() == 1; });
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(other);
  EXPECT_TRUE(group_.first_failure().empty()) << "being cancelled is not a failure";
  bool again = false;
  group_.spawn("watch a", stay(&again));
  run(sleep_for(Millis(0)));
  EXPECT_EQ(group_.size(), 2u) << "a later one of that name runs";
  group_.cancel();
  run(group_.join());
}

TEST_F(TaskGroupTest, ATaskOfTheNameOfACancelledOneRuns) {
  bool ended = false;
  group_.spawn("beat", stay(&ended));
  run(sleep_for(Millis(0)));
  group_.cancel("beat");
  int counter = 0;
  group_.spawn("beat", count_up(&counter));  // as heartbeats begin anew
  run(group_.join());
  EXPECT_TRUE(ended);
  EXPECT_EQ(counter, 1);
}

Task<> wait_for(Event* event) {
  co_await event->wait(kLong);
}

TEST_F(TaskGroupTest, ATaskMayEndWhileItsCancellationIsOnItsWay) {
  Event event(executor());
  group_.spawn("waiter", wait_for(&event));
  run(sleep_for(Millis(0)));
  event.set();      // the task's end is now queued
  group_.cancel();  // and this behind it
  run(group_.join());
  EXPECT_EQ(group_.size(), 0u);
}

TEST_F(TaskGroupTest, SpawnAfterCancelIsCancelledAtOnce) {
  group_.cancel();
  bool ended = false;
  group_.spawn("late", stay(&ended));
  run(group_.join());
  EXPECT_EQ(group_.size(), 0u);
  EXPECT_TRUE(group_.first_failure().empty());
}

TEST_F(TaskGroupTest, LatchesTheFirstFailureAndReportsAll) {
  group_.spawn("alpha", fail_with("went wrong"));
  run(group_.join());
  group_.spawn("beta", fail_with("went wrong too"));
  run(group_.join());
  EXPECT_EQ(group_.first_failure(), "alpha: went wrong");
  EXPECT_EQ(failures_, (std::vector<std::string>{"alpha: went wrong", "beta: went wrong too"}));
}

TEST_F(TaskGroupTest, AFailureDoesNotStopTheOthers) {
  bool ended = false;
  group_.spawn("stay", stay(&ended));
  group_.spawn("bad", fail_with("went wrong"));
  run_until([&] { return !failures_.empty(); });
  EXPECT_FALSE(ended);
  EXPECT_EQ(group_.size(), 1u);
  group_.cancel();
  run(group_.join());
}

TEST_F(TaskGroupTest, ReportsExceptionsOfAnyType) {
  group_.spawn("odd", fail_with_number());
  run(group_.join());
  EXPECT_EQ(group_.first_failure(), "odd: an exception of an unknown type");
}

TEST_F(TaskGroupTest, JoinWaitsForTasksSpawnedByTasks) {
  int counter = 0;
  group_.spawn("parent", spawn_into(&group_, &counter));
  run(group_.join());
  EXPECT_EQ(counter, 1);
}

TEST_F(TaskGroupTest, AJoinCanBeCancelledItself) {
  bool ended = false;
  group_.spawn("stay", stay(&ended));
  {
    TaskGroup outer(executor());
    outer.spawn("joiner", group_.join());
    run(sleep_for(Millis(0)));
    outer.cancel();
    run(outer.join());
  }
  EXPECT_EQ(group_.size(), 1u);
  group_.cancel();
  run(group_.join());
}

TEST_F(TaskGroupTest, TwoCanJoinAtOnce) {
  bool ended = false;
  group_.spawn("stay", stay(&ended));
  tasks_.spawn("joiner", group_.join());
  tasks_.spawn("joiner", group_.join());
  run(sleep_for(Millis(0)));
  group_.cancel();
  run(tasks_.join());
  EXPECT_EQ(group_.size(), 0u);
}

using TaskGroupDeathTest = TaskGroupTest;

TEST_F(TaskGroupDeathTest, EndingBeforeItsTasksIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        bool ended = false;
        TaskGroup group(executor());
        group.spawn("orphan", stay(&ended));
      },
      "task group ends before its task \"orphan\"");
}

}  // namespace
}  // namespace spotkeeper
