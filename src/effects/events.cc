// SPDX-License-Identifier: Apache-2.0
#include "effects/events.h"

#include <utility>

#include "async/timing.h"
#include "base/backoff.h"
#include "kube/calls.h"

namespace spotkeeper::effects {
namespace {

constexpr Millis kWaitForTurn{50};
constexpr int kTries = 3;

}  // namespace

Events::Events(kube::Api& api, TaskGroup& group, const Clock& clock, RequestQueue& queue,
               std::string host)
    : api_(api), group_(group), clock_(clock), queue_(queue), book_(std::move(host)) {}

void Events::tell(KubeEvent event) {
  if (waiting_.size() >= kMostWaiting) return done(false);
  waiting_.push_back(std::move(event));
  if (!std::exchange(sending_, true)) group_.spawn("events", send());
}

Task<> Events::send() {
  while (!waiting_.empty()) {
    const KubeEvent event = std::move(waiting_.front());
    waiting_.pop_front();
    for (int attempt = 1;; ++attempt) {
      while (!queue_.may_spare(clock_.now())) co_await sleep_for(kWaitForTurn);
      queue_.charge(1, clock_.now());
      const Result<void> written = co_await write(event);
      if (written) {
        denied_ = false;
        done(true);
        break;
      }
      const Error& error = written.error();
      if (error.kind == ErrorKind::kDenied && !std::exchange(denied_, true) && on_denied) {
        on_denied(error);
      }
      if (error.kind == ErrorKind::kGone) book_.forget(event);  // it has expired
      const bool again = error.kind == ErrorKind::kRetryable || error.kind == ErrorKind::kGone;
      if (!again || attempt == kTries) {
        book_.forget(event);
        done(false);
        break;
      }
      const Backoff backoff{.attempt = attempt, .jitter = random_unit()};
      co_await sleep_for(backoff_delay(backoff));
    }
  }
  sending_ = false;
}

Task<Result<void>> Events::write(const KubeEvent& event) {
  EventWrite write = book_.write(event, clock_.now());
  if (write.again) {
    co_return co_await kube::patch_event(api_, std::move(write.ns), std::move(write.name),
                                         std::move(write.body));
  }
  co_return co_await kube::create_event(api_, std::move(write.ns), std::move(write.body));
}

}  // namespace spotkeeper::effects
