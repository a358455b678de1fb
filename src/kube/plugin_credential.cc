// SPDX-License-Identifier: Apache-2.0
#include "kube/plugin_credential.h"

#include <algorithm>
#include <utility>

namespace spotkeeper::kube {
namespace {

constexpr Millis kLongestPause{30'000};  // between renewals that fail
constexpr Millis kEarlier{60'000};  // before it expires, or a tenth of its life where that is less
constexpr Millis kShortestUse{1'000};  // also of one that comes expired: the clocks may differ

}  // namespace

Time PluginCredential::wall_now() {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

PluginCredential::PluginCredential(boost::asio::any_io_executor executor, ExecPlugin plugin,
                                   WallClock now)
    : plugin_(std::move(plugin)),
      now_(std::move(now)),
      runs_(std::move(executor), kLongestPause,
            std::max(plugin_.timeout, plugin_.interactive_timeout)) {}

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
  runs_.succeeded();
}

void PluginCredential::refused(const Shared& used) {
  if (used == current_) current_.reset();  // else it was replaced meanwhile
}

Task<> PluginCredential::run() {
  Result<ExecCredential> fresh = co_await run_exec_plugin(plugin_);
  if (fresh) {
    keep(std::move(*fresh));
  } else {
    runs_.failed(std::move(fresh.error()));
  }
}

// It runs from here on, also before the task begins: what comes meanwhile starts no second one.
void PluginCredential::start_renewal() {
  if (renewals_ == nullptr || !runs_.may_renew()) return;
  renewals_->spawn("renew credential", renew(std::make_unique<SharedRun::Running>(runs_)));
}

Task<> PluginCredential::renew(std::unique_ptr<SharedRun::Running> running) {
  const std::unique_ptr<SharedRun::Running> until_it_ends = std::move(running);
  co_await run();
  if (runs_.first_failure() && on_failure_) on_failure_(*runs_.failure());
}

Task<Result<PluginCredential::Shared>> PluginCredential::get() {
  for (;;) {
    const Time now = now_();
    if (is_fresh(now)) co_return current_;
    if (is_valid(now)) {
      start_renewal();
      co_return current_;
    }
    if (runs_.runs()) {
      co_await runs_.wait();
      continue;
    }
    if (runs_.failed_just_now()) co_return std::unexpected(*runs_.failure());
    const SharedRun::Running running(runs_);
    co_await run();
    if (!runs_.failure()) co_return current_;
  }
}

}  // namespace spotkeeper::kube
