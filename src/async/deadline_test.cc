// SPDX-License-Identifier: Apache-2.0
#include "async/deadline.h"

#include <stdexcept>
#include <string>

#include "async/loop_fixture.h"

namespace spotkeeper {
namespace {

constexpr Millis kLong = std::chrono::hours(1);

class FinishWithin : public LoopFixture {};

Task<std::string> say(std::string word, Millis after) {
  co_await sleep_for(after);
  co_return word;
}

Task<std::string> fail_with(std::string what) {
  co_await sleep_for(Millis(0));
  throw std::runtime_error(what);
}

// Is over its time, and fails while it is being cancelled.
Task<std::string> fail_when_cancelled() {
  try {
    co_await sleep_for(kLong);
  } catch (const boost::system::system_error&) {
    throw std::runtime_error("in the clean-up");
  }
  co_return "";
}

Task<> wait_for_word(bool* reached_end) {
  co_await finish_within(kLong, say("late", kLong));
  *reached_end = true;
}

TEST_F(FinishWithin, GivesTheValue) {
  EXPECT_EQ(run(finish_within(kLong, say("hello", Millis(0)))), "hello");
}

TEST_F(FinishWithin, CancelsATaskThatTakesTooLong) {
  EXPECT_EQ(run(finish_within(Millis(1), say("late", kLong))), std::nullopt);
}

TEST_F(FinishWithin, ThrowsAtOnceWhatTheTaskThrows) {
  EXPECT_THROW(run(finish_within(kLong, fail_with("broken"))), std::runtime_error);
}

TEST_F(FinishWithin, ThrowsAFailureOfTheCleanUp) {
  EXPECT_THROW(run(finish_within(Millis(1), fail_when_cancelled())), std::runtime_error);
}

TEST_F(FinishWithin, SaysWhetherATaskWithoutAValueFinished) {
  EXPECT_TRUE(run(finish_within(kLong, sleep_for(Millis(0)))));
  EXPECT_FALSE(run(finish_within(Millis(1), sleep_for(kLong))));
}

TEST_F(FinishWithin, PassesACancellationOn) {
  bool reached_end = false;
  tasks_.spawn("waiter", wait_for_word(&reached_end));
  run(sleep_for(Millis(0)));
  tasks_.cancel();
  run(tasks_.join());
  EXPECT_FALSE(reached_end);
  EXPECT_TRUE(tasks_.first_failure().empty());
}

}  // namespace
}  // namespace spotkeeper
