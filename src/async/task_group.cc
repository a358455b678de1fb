// SPDX-License-Identifier: Apache-2.0
#include "async/task_group.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace spotkeeper {

namespace asio = boost::asio;

struct TaskGroup::Member {
  std::string name;
  asio::cancellation_signal stop;
};

// Never expires: join() waits on it, the last task to end cancels it.
struct TaskGroup::Waiter {
  asio::steady_timer timer;
};

namespace {

// What a task that threw wants said; empty when it was only cancelled.
std::string describe(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const asio::multiple_exceptions& e) {  // of `a || b`: often two cancellations
    return describe(e.first_exception());
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted ? "" : e.what();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {  // no std::exception, but the bug must be named all the same
    return "an exception of an unknown type";
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor, OnFailure on_failure)
    : executor_(std::move(executor)),
      on_failure_(std::move(on_failure)),
      waiter_(std::make_unique<Waiter>(asio::steady_timer(executor_))) {
  waiter_->timer.expires_at(asio::steady_timer::time_point::max());
}

TaskGroup::~TaskGroup() {
  if (members_.empty()) return;
  // The tasks' completion handlers point here: going on would be use after free.
  fmt::print(stderr, "bug: a task group ends before its task \"{}\"\n", members_.front()->name);
  std::abort();
}

void TaskGroup::spawn(std::string name, Task<> task) {
  members_.push_back(std::make_unique<Member>());
  const auto member = std::prev(members_.end());
  (*member)->name = std::move(name);
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(
                     (*member)->stop.slot(),
                     [this, member](std::exception_ptr failure) { ended(member, failure); }));
  if (cancelled_) (*member)->stop.emit(asio::cancellation_type::terminal);
}

void TaskGroup::cancel() {
  cancelled_ = true;
  // A cancelled task ends from the event loop, never inside emit(): the list does not change here.
  for (const auto& member : members_) member->stop.emit(asio::cancellation_type::terminal);
}

void TaskGroup::cancel(const std::string& name) {
  for (const auto& member : members_) {
    if (member->name == name) member->stop.emit(asio::cancellation_type::terminal);
  }
}

Task<> TaskGroup::join() {
  while (!members_.empty()) {
    co_await waiter_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    // Woken by the last task's end or by our own cancellation: the state tells them apart.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
}

size_t TaskGroup::size() const {
  return members_.size();
}

void TaskGroup::ended(std::list<std::unique_ptr<Member>>::iterator member,
                      std::exception_ptr failure) {
  const std::string what = failure ? describe(failure) : "";
  const std::string name = (*member)->name;
  // Asio carries a cancel() from outside the loop as a queued handler that points into the signal:
  // the signal is destroyed behind it in the queue, not now.
  asio::post(executor_, [kept = std::move(*member)] {});
  members_.erase(member);
  if (members_.empty()) waiter_->timer.cancel();
  if (what.empty()) return;
  const std::string report = name + ": " + what;
  if (first_failure_.empty()) first_failure_ = report;
  if (on_failure_) on_failure_(report);
}

}  // namespace spotkeeper
