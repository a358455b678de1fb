// SPDX-License-Identifier: Apache-2.0
#include "kube/plugin_credential.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"

namespace spotkeeper::kube {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Millis kFailurePause{2'000};
constexpr Millis kLongestPause{30'000};  // between renewals that fail
constexpr Millis kEarlier{60'000};  // before it expires, or a tenth of its life where that is less
constexpr Millis kShortestUse{1'000};  // also of one that comes expired: the clocks may differ

}  // namespace

// Marks that the plugin runs; however that ends, those who wait for it go on.
class PluginCredential::Running {
 public:
  explicit Running(PluginCredential& owner) : owner_(owner) { owner_.running_ = true; }
  ~Running() {
    owner_.running_ = false;
    for (Event* each : owner_.waiting_) each->set();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  PluginCredential& owner_;
};

Time PluginCredential::wall_now() {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

PluginCredential::PluginCredential(boost::asio::any_io_executor executor, ExecPlugin plugin,
                                   WallClock now)
    : executor_(std::move(executor)), plugin_(std::move(plugin)), now_(std::move(now)) {}

void PluginCredential::renew_in(TaskGroup& tasks, OnFailure on_failure) {
  renewals_ = &tasks;
  on_failure_ = std::move(on_failure);
}

bool PluginCredential::is_fresh(Time now) const {
  return current_ && now < renew_at_;
}

bool PluginCredential::is_valid(Time now) const {
  return current_ && (!current_->expires || now < *current_->expires);
}

void PluginCredential::keep(ExecCredential credential) {
  const Time now = now_();
  renew_at_ = kNever;
  if (credential.expires) {
    const Millis life = std::max(*credential.expires - now, Millis(0));
    renew_at_ = std::max(*credential.expires - std::min(kEarlier, life / 10), now + kShortestUse);
  }
  current_ = std::make_shared<const ExecCredential>(std::move(credential));
  failure_.reset();
  failures_ = 0;
  renew_again_at_ = {};
}

void PluginCredential::fail(Error error) {
  failed_at_ = Steady::now();
  renew_again_at_ = failed_at_ + backoff_delay({.attempt = ++failures_,
                                                .base = kFailurePause,
                                                .cap = kLongestPause,
                                                .jitter = random_unit()});
  failure_ = std::move(error);
}

void PluginCredential::refused(const Shared& used) {
  if (used == current_) current_.reset();  // else it was replaced meanwhile
}

Task<> PluginCredential::wait_for_run() {
  Event ended(executor_);
  const auto place = waiting_.insert(waiting_.end(), &ended);
  struct Leave {
    std::list<Event*>& list;
    std::list<Event*>::iterator place;
    ~Leave() { list.erase(place); }
  } const leave{waiting_, place};
  co_await ended.wait_real(std::max(plugin_.timeout, plugin_.interactive_timeout));
}

Task<> PluginCredential::run() {
  Result<ExecCredential> fresh = co_await run_exec_plugin(plugin_);
  if (fresh) {
    keep(std::move(*fresh));
  } else {
    fail(std::move(fresh.error()));
  }
}

// It runs from here on, also before the task begins: what comes meanwhile starts no second one.
void PluginCredential::start_renewal() {
  if (renewals_ == nullptr || running_ || Steady::now() < renew_again_at_) return;
  renewals_->spawn("renew credential", renew(std::make_unique<Running>(*this)));
}

Task<> PluginCredential::renew(std::unique_ptr<Running> running) {
  const std::unique_ptr<Running> until_it_ends = std::move(running);
  co_await run();
  if (failures_ == 1 && on_failure_) on_failure_(*failure_);
}

Task<Result<PluginCredential::Shared>> PluginCredential::get() {
  for (;;) {
    const Time now = now_();
    if (is_fresh(now)) co_return current_;
    if (is_valid(now)) {
      start_renewal();
      co_return current_;
    }
    if (running_) {
      co_await wait_for_run();
      continue;
    }
    if (failure_ && Steady::now() - failed_at_ < kFailurePause) {
      co_return std::unexpected(*failure_);
    }
    const Running running(*this);
    co_await run();
    if (!failure_) co_return current_;
  }
}

}  // namespace spotkeeper::kube
