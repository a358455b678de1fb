// SPDX-License-Identifier: Apache-2.0
#include "async/shared_run.h"

#include <utility>

namespace spotkeeper {
namespace {

constexpr Millis kFailurePause{2'000};

}  // namespace

SharedRun::Running::Running(SharedRun& run) : run_(run) {
  run_.running_ = true;
}

SharedRun::Running::~Running() {
  run_.running_ = false;
  for (Event* each : run_.waiting_) each->set();
}

SharedRun::SharedRun(boost::asio::any_io_executor executor, Millis longest_pause,
                     Millis longest_run)
    : executor_(std::move(executor)), longest_pause_(longest_pause), longest_run_(longest_run) {}

bool SharedRun::may_renew() const {
  return !running_ && Steady::now() >= renew_again_at_;
}

Task<> SharedRun::wait() {
  Event ended(executor_);
  const auto place = waiting_.insert(waiting_.end(), &ended);
  struct Leave {
    std::list<Event*>& list;
    std::list<Event*>::iterator place;
    ~Leave() { list.erase(place); }
  } const leave{waiting_, place};
  co_await ended.wait_real(longest_run_);
}

void SharedRun::succeeded() {
  failure_.reset();
  failures_ = 0;
  renew_again_at_ = {};
}

void SharedRun::failed(Error error) {
  failed_at_ = Steady::now();
  renew_again_at_ = failed_at_ + backoff_delay({.attempt = ++failures_,
                                                .base = kFailurePause,
                                                .cap = longest_pause_,
                                                .jitter = random_unit()});
  failure_ = std::move(error);
}

bool SharedRun::failed_just_now() const {
  return failure_ && Steady::now() - failed_at_ < kFailurePause;
}

}  // namespace spotkeeper
