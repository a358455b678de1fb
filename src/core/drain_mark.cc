// SPDX-License-Identifier: Apache-2.0
// The mark of a host: when it is written, what it bears, and what its answer says.
#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "core/drain.h"
#include "core/words.h"

namespace spotkeeper::core {
namespace {

constexpr Millis kLongestMarkPause{5'000};
// When load balancers are told at the latest, and when NoExecute comes.
constexpr Seconds kExcludeBefore{45};
// A renewal goes before all else when it is left so long before the host may be another's.
constexpr Seconds kRenewalTakes{10};
constexpr Seconds kNoExecuteBefore{10};

}  // namespace

void Drain::mark_answered(const Result<std::string>& result) {
  if (result) {
    if (!mark_.done) marked_at_ = now_;
    mark_.done = true;
    mark_.current = mark_.sent.id == notice_.id && mark_.sent.deadline == notice_.deadline;
    mark_.extras = mark_.sent_extras;
    mark_.failures = 0;
    mark_.held = false;
    mark_.answered = now_;
    mark_.renewed = mark_.asked;
    if (std::exchange(mark_.renewing, false)) return;
    plans_stale_ = true;
    note(Level::kInfo, What::kMarked, nullptr, *result);
    return;
  }
  const Error& error = result.error();
  if (error.held) return mark_held(error);
  const bool denied = is_denied(error) && error.no_right;
  if (denied || error.kind == ErrorKind::kGone) {
    abilities_.mark = !denied;
    mark_.given_up = true;
    marked_at_ = now_;  // what arrives from here on would come back
    plans_stale_ = true;
    note(denied ? Level::kError : Level::kWarning, denied ? What::kDenied : What::kMarkFailed,
         nullptr,
         denied ? error.message + "; new pods may still land here; allow: nodes get, patch"
                : error.message);
    return;
  }
  mark_failed(error);
}

// Its pods are another's; when that one stops renewing its mark, they are ours.
void Drain::mark_held(const Error& error) {
  mark_.next_try = now_ + std::max(Seconds(1), Seconds(error.retry_after_s));
  mark_.done = mark_.current = false;
  if (std::exchange(mark_.held, true)) return;
  note(Level::kInfo, What::kMarkFailed, nullptr, error.message);
}

// Weather: the write on the host is tried again a little later.
void Drain::mark_failed(const Error& error) {
  ++mark_.failures;
  const Backoff backoff{
      .attempt = mark_.failures,
      .base = Millis(200),
      .cap = kLongestMarkPause,
      .retry_after = std::min<Millis>(Seconds(error.retry_after_s), kLongestMarkPause),
      .jitter = 1.0};
  mark_.next_try = now_ + backoff_delay(backoff);
  if (!is_said(mark_.failures)) return;
  note(Level::kWarning, What::kMarkFailed, nullptr,
       error.message + "; tried again in " + format_duration(mark_.next_try - now_));
}

Time Drain::renewal_due() const {
  return policy_.renew_every && mark_.current && !finished_ ? mark_.answered + *policy_.renew_every
                                                            : kNever;
}

bool Drain::mark_due() const {
  if (now_ >= renewal_due()) return true;
  if (mark_.held && finished_) return false;  // nothing is left to take over
  return !(mark_.current && mark_.extras == extras_due()) && !mark_.given_up && !is_over();
}

void Drain::consider_mark() {
  if (!mark_due() || mark_.in_flight != 0 || now_ < mark_.next_try) return;
  const MarkExtras extras = extras_due();
  Action& action = act(ActionKind::kMark, nullptr, "nothing new may be placed on a host that ends");
  action.extras = extras;
  mark_.in_flight = action.number;
  mark_.asked = now_;
  mark_.renewing = mark_.current && mark_.extras == extras;
  mark_.sent = notice_;
  mark_.sent_extras = extras;
  if (mark_.renewing) {
    action.renews = true;
    action.by = mark_.renewed + 2 * *policy_.renew_every - kRenewalTakes;
  }
}

// NoExecute ends what is left at once, and so comes when all have been told; a load balancer's
// health check of a Service with local endpoints only must not fail before there are others.
MarkExtras Drain::extras_due() const {
  MarkExtras extras = mark_.extras;
  extras.soft = moves_only_slow(policy_, notice_);
  if (policy_.exclude_from_load_balancers && !extras.soft) {
    extras.exclude_from_load_balancers = extras.exclude_from_load_balancers ||
                                         now_ >= exclude_by() ||
                                         (services_known() && !outages_.needs_host());
  }
  if (policy_.no_execute_at_end && hard()) {
    extras.no_execute = extras.no_execute || now_ >= no_execute_by();
  }
  if (policy_.out_of_service && hard() && finished_) {
    const bool all_left = std::all_of(tracks_.begin(), tracks_.end(), [](const auto& entry) {
      return entry.second.plan.mode == Mode::kNotOurs;
    });
    extras.out_of_service = extras.out_of_service || (listed_ && all_left);
  }
  return extras;
}

Time Drain::exclude_by() const {
  return hard() ? std::max(started_, notice_.deadline - kExcludeBefore) : kNever;
}

Time Drain::no_execute_by() const {
  return notice_.deadline - kNoExecuteBefore;
}

// The Services of the host, or that they do not arrive.
bool Drain::services_known() const {
  return services_listed_ || now_ >= started_ + policy_.mark_patience;
}

// Load balancers are told before the first pod is, but where they have nowhere else to send to.
bool Drain::waits_to_exclude() const {
  if (!policy_.exclude_from_load_balancers || !mark_.done) return false;
  if (now_ >= started_ + policy_.mark_patience) return false;
  return !services_known() ||
         (extras_due().exclude_from_load_balancers && !mark_.extras.exclude_from_load_balancers);
}

}  // namespace spotkeeper::core
