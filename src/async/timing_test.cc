// SPDX-License-Identifier: Apache-2.0
#include "async/timing.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <optional>
#include <string>

#include "async/loop_fixture.h"

namespace spotkeeper {
namespace {

constexpr Millis kLong = std::chrono::hours(1);

class EventTest : public LoopFixture {
 protected:
  Event event_{executor()};
};

Task<> wait_and_store(Event* event, Millis at_most, std::optional<bool>* out) {
  *out = co_await event->wait(at_most);
}

// Gives what the wait threw instead of throwing it on.
Task<> catch_cancel(Event* event, bool* cancelled) {
  try {
    co_await event->wait(kLong);
  } catch (const boost::system::system_error& e) {
    *cancelled = e.code() == boost::asio::error::operation_aborted;
    throw;
  }
}

TEST_F(EventTest, SetBeforeWaitReturnsAtOnce) {
  event_.set();
  EXPECT_TRUE(run(event_.wait(kLong)));
}

TEST_F(EventTest, SetTwiceLetsOneWaitReturn) {
  event_.set();
  event_.set();
  EXPECT_TRUE(run(event_.wait(kLong)));
  EXPECT_FALSE(run(event_.wait(Millis(1))));
}

TEST_F(EventTest, SetWakesTheWaiter) {
  std::optional<bool> result;
  tasks_.spawn("waiter", wait_and_store(&event_, kLong, &result));
  run(sleep_for(Millis(0)));
  EXPECT_FALSE(result.has_value());
  event_.set();
  run(tasks_.join());
  EXPECT_EQ(result, true);
}

TEST_F(EventTest, WaitsTwiceInARow) {
  for (int i = 0; i < 2; ++i) {
    std::optional<bool> result;
    tasks_.spawn("waiter", wait_and_store(&event_, kLong, &result));
    run(sleep_for(Millis(0)));
    EXPECT_FALSE(result.has_value());
    event_.set();
    run(tasks_.join());
    EXPECT_EQ(result, true);
  }
}

TEST_F(EventTest, TimesOut) {
  EXPECT_FALSE(run(event_.wait(Millis(1))));
  EXPECT_FALSE(run(event_.wait(Millis(0))));
  EXPECT_FALSE(run(event_.wait(Millis(-5)))) << "a deadline in the past is a time-out";
}

TEST_F(EventTest, ATimedOutWaitLeavesTheNextSetAlone) {
  EXPECT_FALSE(run(event_.wait(Millis(1))));
  event_.set();
  EXPECT_TRUE(run(event_.wait(kLong)));
}

TEST_F(EventTest, TheLongestWaitDoesNotOverflow) {
  std::optional<bool> result;
  tasks_.spawn("waiter", wait_and_store(&event_, Millis::max(), &result));
  run(sleep_for(Millis(1)));
  EXPECT_FALSE(result.has_value());
  event_.set();
  run(tasks_.join());
  EXPECT_EQ(result, true);
}

TEST_F(EventTest, ThrowsWhenTheTaskIsCancelled) {
  bool cancelled = false;
  tasks_.spawn("waiter", catch_cancel(&event_, &cancelled));
  run(sleep_for(Millis(0)));
  tasks_.cancel();
  run(tasks_.join());
  EXPECT_TRUE(cancelled);
}

TEST_F(EventTest, CanBeWaitedForAgainAfterACancel) {
  bool cancelled = false;
  {
    TaskGroup group(executor());
    group.spawn("waiter", catch_cancel(&event_, &cancelled));
    run(sleep_for(Millis(0)));
    group.cancel();
    run(group.join());
  }
  event_.set();
  EXPECT_TRUE(run(event_.wait(kLong)));
}

// Puts the speed back, whatever the test does.
struct Fast {
  Fast() { scale_time(1000); }
  ~Fast() { scale_time(1); }
  Fast(const Fast&) = delete;
  Fast& operator=(const Fast&) = delete;
};

TEST_F(EventTest, OnlyTheRealWaitIsNotScaled) {
  const Fast fast;
  EXPECT_FALSE(run(event_.wait(Seconds(60))));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(run(event_.wait_real(Millis(50))));
  EXPECT_GE(std::chrono::steady_clock::now() - start, Millis(50));
}

class SleepTest : public LoopFixture {};

TEST_F(SleepTest, SleepsAtLeastThatLong) {
  const auto start = std::chrono::steady_clock::now();
  run(sleep_for(Millis(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, Millis(20));
}

TEST_F(SleepTest, EndsWhenCancelled) {
  tasks_.spawn("sleeper", sleep_for(Millis::max()));
  run(sleep_for(Millis(0)));
  tasks_.cancel();
  run(tasks_.join());
  EXPECT_TRUE(tasks_.first_failure().empty());
}

TEST(Timing, RandomUnitStaysInItsRange) {
  double least = 1;
  double most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random_unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    least = std::min(least, value);
    most = std::max(most, value);
  }
  EXPECT_LT(least, 0.1);
  EXPECT_GT(most, 0.9);
}

}  // namespace
}  // namespace spotkeeper
