// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_cache.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"

namespace spotkeeper::aws {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Millis kAhead = std::chrono::minutes(15);
constexpr Millis kSpread = std::chrono::minutes(5);
constexpr Millis kFailurePause{2'000};
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

// Marks that a fetch is on; however that ends, those who wait for it go on.
class CredentialCache::Running {
 public:
  explicit Running(CredentialCache& owner) : owner_(owner) { owner_.running_ = true; }
  ~Running() {
    owner_.running_ = false;
    for (Event* each : owner_.waiting_) each->set();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  CredentialCache& owner_;
};

CredentialCache::CredentialCache(TaskGroup& tasks, std::unique_ptr<CredentialFetcher> fetcher,
                                 const Clock& clock, bool stable, Warn warn)
    : tasks_(tasks),
      fetcher_(std::move(fetcher)),
      clock_(clock),
      stable_(stable),
      warn_(std::move(warn)) {}

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
  failure_.reset();
  failures_ = 0;
  renew_again_at_ = {};
  if (expired) {
    tell_expired();
  } else {
    told_expired_ = false;
  }
}

void CredentialCache::fail(Error error) {
  failed_at_ = Steady::now();
  renew_again_at_ = failed_at_ + backoff_delay({.attempt = ++failures_,
                                                .base = kFailurePause,
                                                .cap = kLongestPause,
                                                .jitter = random_unit()});
  failure_ = std::move(error);
}

void CredentialCache::refused(const Credentials& used) {
  if (current_ && *current_ == used) current_.reset();  // else they were replaced meanwhile
}

Task<> CredentialCache::wait_for_run() {
  Event ended(tasks_.executor());
  const auto place = waiting_.insert(waiting_.end(), &ended);
  struct Leave {
    std::list<Event*>& list;
    std::list<Event*>::iterator place;
    ~Leave() { list.erase(place); }
  } const leave{waiting_, place};
  co_await ended.wait_real(kLongestRun);
}

Task<> CredentialCache::run() {
  Result<Credentials> fresh = co_await fetcher_->fetch();
  if (fresh) {
    keep(std::move(*fresh));
  } else {
    fail(std::move(fresh.error()));
  }
}

// It runs from here on, also before the task begins: what comes meanwhile starts no second one.
void CredentialCache::start_renewal() {
  if (running_ || Steady::now() < renew_again_at_) return;
  tasks_.spawn("renew AWS credentials", renew(std::make_unique<Running>(*this)));
}

Task<> CredentialCache::renew(std::unique_ptr<Running> running) {
  const std::unique_ptr<Running> until_it_ends = std::move(running);
  co_await run();
  if (failures_ == 1 && warn_) {
    warn_("AWS credentials could not be renewed, those there are go on being used: " +
          failure_->message);
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
    if (running_) {
      co_await wait_for_run();
      continue;
    }
    if (failure_ && Steady::now() - failed_at_ < kFailurePause) {
      co_return std::unexpected(*failure_);
    }
    const Running running(*this);
    co_await run();
    if (failure_) co_return std::unexpected(*failure_);
    co_return *current_;
  }
}

}  // namespace spotkeeper::aws
