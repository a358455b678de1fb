// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_cache.h"

#include <algorithm>
#include <utility>

namespace spotkeeper::aws {
namespace {

constexpr Millis kAhead = std::chrono::minutes(15);
constexpr Millis kSpread = std::chrono::minutes(5);
constexpr Millis kLongestPause{60'000};  // between renewals that fail
// Of credentials that come expired: our clock may be wrong, and AWS knows best.
constexpr Millis kShortestUse = std::chrono::minutes(5);
constexpr Millis kLongestRun = std::chrono::minutes(2);

}  // namespace

Time renew_at(Time now, Time expires, double jitter) {
  const Millis life = std::max(expires - now, Millis(0));
  const Millis ahead =
      kAhead + Millis(static_cast<int64_t>(static_cast<double>(kSpread.count()) * jitter));
  return std::max(expires - std::min(ahead, life / 2), now + Millis(1'000));
}

CredentialCache::CredentialCache(TaskGroup& tasks, std::unique_ptr<CredentialFetcher> fetcher,
                                 const Clock& clock, bool stable, Warn warn)
    : tasks_(tasks),
      fetcher_(std::move(fetcher)),
      clock_(clock),
      stable_(stable),
      warn_(std::move(warn)),
      fetches_(tasks.executor(), kLongestPause, kLongestRun) {}

bool CredentialCache::is_good(Time now) const {
  return current_ && now < good_until_;
}

void CredentialCache::keep(Credentials credentials) {
  const Time now = clock_.now();
  renew_at_ = kNever;
  good_until_ = kNever;
  if (credentials.expires) {
    good_until_ = *credentials.expires > now ? *credentials.expires : now + kShortestUse;
    renew_at_ = renew_at(now, good_until_, random_unit());
  }
  const bool expired = credentials.expires && *credentials.expires <= now;
  current_ = std::move(credentials);
  fetches_.succeeded();
  if (expired) {
    tell_expired();
  } else {
    told_expired_ = false;
  }
}

void CredentialCache::refused(const Credentials& used) {
  if (current_ && *current_ == used) current_.reset();  // else they were replaced meanwhile
}

Task<> CredentialCache::run() {
  Result<Credentials> fresh = co_await fetcher_->fetch();
  if (fresh) {
    keep(std::move(*fresh));
  } else {
    fetches_.failed(std::move(fresh.error()));
  }
}

// It runs from here on, also before the task begins: what comes meanwhile starts no second one.
void CredentialCache::start_renewal() {
  if (!fetches_.may_renew()) return;
  tasks_.spawn("renew AWS credentials", renew(std::make_unique<SharedRun::Running>(fetches_)));
}

Task<> CredentialCache::renew(std::unique_ptr<SharedRun::Running> running) {
  const std::unique_ptr<SharedRun::Running> until_it_ends = std::move(running);
  co_await run();
  if (fetches_.first_failure() && warn_) {
    warn_("AWS credentials could not be renewed, those there are go on being used: " +
          fetches_.failure()->message);
  }
}

void CredentialCache::tell_expired() {
  if (std::exchange(told_expired_, true) || !warn_) return;
  warn_("AWS credentials (" + current_->source + ") expired at " +
        format_time_s(*current_->expires) + " and go on being used: there are no others");
}

Task<Result<Credentials>> CredentialCache::get() {
  for (;;) {
    const Time now = clock_.now();
    if (current_ && now < renew_at_) co_return *current_;
    if (is_good(now) || (current_ && stable_)) {
      start_renewal();
      if (!is_good(now)) tell_expired();
      co_return *current_;
    }
    if (fetches_.runs()) {
      co_await fetches_.wait();
      continue;
    }
    if (!fetches_.failed_just_now()) {
      const SharedRun::Running running(fetches_);
      co_await run();
    }
    if (fetches_.failure()) co_return std::unexpected(*fetches_.failure());
    co_return *current_;
  }
}

}  // namespace spotkeeper::aws
