// SPDX-License-Identifier: Apache-2.0
#include "kube/plugin_credential.h"

#include <algorithm>
#include <utility>

namespace spotkeeper::kube {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Seconds kFailurePause{2};
constexpr Millis kEarlier{60'000};  // before it expires, or a tenth of its life where that is less
constexpr Millis kShortestUse{1'000};  // also of one that comes expired: the clocks may differ

// Expiry is a time of the wall clock, and so is now.
Time wall_now() {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

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

PluginCredential::PluginCredential(boost::asio::any_io_executor executor, ExecPlugin plugin)
    : executor_(std::move(executor)), plugin_(std::move(plugin)) {}

bool PluginCredential::is_fresh(Time now) const {
  return current_ && now < renew_at_;
}

bool PluginCredential::is_valid(Time now) const {
  return current_ && (!current_->expires || now < *current_->expires);
}

void PluginCredential::keep(ExecCredential credential) {
  const Time now = wall_now();
  renew_at_ = kNever;
  if (credential.expires) {
    const Millis life = std::max(*credential.expires - now, Millis(0));
    renew_at_ = std::max(*credential.expires - std::min(kEarlier, life / 10), now + kShortestUse);
  }
  current_ = std::make_shared<const ExecCredential>(std::move(credential));
  failure_.reset();
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
  co_await ended.wait(plugin_.timeout);
}

Task<Result<PluginCredential::Shared>> PluginCredential::get() {
  for (;;) {
    const Time now = wall_now();
    if (is_fresh(now)) co_return current_;
    const bool valid = is_valid(now);
    if (running_ && valid) co_return current_;
    if (failure_ && Steady::now() - failed_at_ < kFailurePause) {
      if (valid) co_return current_;
      co_return std::unexpected(*failure_);
    }
    if (running_) {
      co_await wait_for_run();
      continue;
    }
    Result<ExecCredential> fresh;
    {
      const Running running(*this);
      fresh = co_await run_exec_plugin(plugin_);
      if (fresh) {
        keep(std::move(*fresh));
        co_return current_;
      }
      failure_ = fresh.error();
      failed_at_ = Steady::now();
    }
  }
}

}  // namespace spotkeeper::kube
