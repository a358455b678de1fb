// SPDX-License-Identifier: Apache-2.0
#include "ecs/ecs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/timing.h"
#include "base/backoff.h"
#include "ecs/errors.h"
#include "ecs/words.h"

namespace spotkeeper::ecs {
namespace {

// More at once would only be throttled.
constexpr int kAtOnce = 10;
constexpr Millis kDeregisterAtMost{5'000};
constexpr Millis kLongWait = std::chrono::hours(1);
// A host that is still not empty is taken out of its cluster so long before its end.
constexpr Seconds kDeregisterBefore{2};
constexpr Seconds kDeregisterLate{13};  // from a notice that comes too late for that
constexpr int kDeregisterTries = 6;
constexpr Millis kDeregisterPause{300};
constexpr Millis kDeregisterLongestPause{2'000};
// Tasks may still come to a host whose drain is over, or its end may not come.
constexpr Seconds kRestAfter{120};

int lane_of(const core::Action& action) {
  switch (action.kind) {
    case core::ActionKind::kMark:
    case core::ActionKind::kUndo:
      return 0;
    default:
      return 1;
  }
}

// Without a request: what DRAINING has not moved is held by its service.
std::unexpected<Error> refusal(const aws::EcsService* service) {
  std::string why = "DRAINING has not moved it";
  if (service != nullptr) {
    why += fmt::format(
        ": service {} is to keep {} % of its {} tasks (minimumHealthyPercent), and may have {} % "
        "(maximumPercent) meanwhile; {} run",
        service->name, service->minimum_healthy_percent, service->desired, service->maximum_percent,
        service->running);
  }
  Error error{.kind = ErrorKind::kRetryable, .message = std::move(why)};
  error.budget = true;
  return std::unexpected(std::move(error));
}

}  // namespace

core::Abilities abilities() {
  core::Abilities abilities;
  abilities.explain = false;  // a task's stoppedReason is written by StopTask itself
  abilities.hand_over = false;
  abilities.forewarn = false;
  return abilities;
}

Time deregister_at(Time deadline, Time now) {
  const Time before = deadline - kDeregisterBefore;
  return before > now ? before : now + kDeregisterLate;
}

Ecs::Ecs(aws::Client& client, TaskGroup& group, const Clock& clock, Options options, Report report,
         Say say)
    : client_(client),
      group_(group),
      clock_(clock),
      options_(std::move(options)),
      report_(std::move(report)),
      say_(std::move(say)),
      mark_(client, {.say = say_, .ends_anyway = options_.ends_anyway}),
      settled_(group.executor()) {}

Ecs::~Ecs() = default;

void Ecs::know(const core::HostId& host, Instance instance) {
  if (views_.contains(host)) return;
  HostView::Hooks hooks{
      .report = [this, host](core::Observation seen) { report_(host, std::move(seen)); },
      .say = [this, host](core::Level level,
                          std::string text) { say_(host, level, std::move(text)); }};
  views_.emplace(host, std::make_unique<HostView>(client_, clock_, group_.executor(), options_.view,
                                                  std::move(instance), std::move(hooks)));
  if (auto waits = waiting_.extract(host); !waits.empty()) watch(host, waits.mapped());
}

void Ecs::watch(const core::HostId& host, const core::Notice& notice) {
  const auto found = views_.find(host);
  if (found == views_.end()) {
    waiting_.insert_or_assign(host, notice);
    return;
  }
  withdrawn_.erase(host);
  found->second->begin(notice);
  look(host, *found->second);
  if (options_.deregister && core::is_hard(notice) && notice.deadline != kNever) {
    group_.spawn("deregister " + host.value,
                 deregister_before(host, deregister_at(notice.deadline, clock_.now())));
  }
}

void Ecs::look(const core::HostId& host, HostView& view) {
  if (view.running()) return;
  view.spawned();
  group_.spawn("tasks of " + host.value, view.run());
}

void Ecs::carry_out(core::Action action) {
  const Later place{.lane = lane_of(action), .by = action.by, .number = action.number};
  queue_.emplace(place, std::move(action));
  send_what_may();
}

void Ecs::send_what_may() {
  while (!queue_.empty() && under_way_ < kAtOnce) {
    core::Action action = std::move(queue_.extract(queue_.begin()).mapped());
    ++under_way_;
    std::string name =
        fmt::format("{} {} {}", core::to_string(action.kind), action.host.value, action.unit_name);
    group_.spawn(std::move(name), do_action(std::move(action)));
  }
}

Task<> Ecs::do_action(core::Action action) {
  const core::HostId host = action.host;
  const uint64_t number = action.number;
  const Time sent = clock_.now();
  const auto found = views_.find(host);
  Result<std::string> result = retryable("its container instance is not known yet");
  if (found != views_.end()) {
    HostView& view = *found->second;
    if (action.kind == core::ActionKind::kMark) {
      view.act();
      result = co_await mark_.set(host, view.instance(), action.notice);
    } else if (action.kind == core::ActionKind::kUndo) {
      result = co_await mark_.take_back(host, view.instance());
    } else {
      result = co_await on_task(view, std::move(action));
    }
    view.look_soon();
  }
  --under_way_;
  send_what_may();
  report_(host, core::ActionDone{.number = number, .result = std::move(result), .sent = sent});
}

Task<Result<std::string>> Ecs::on_task(HostView& view, core::Action action) {
  const aws::EcsTask* found = view.book().find(action.unit);
  if (found == nullptr) {
    co_return std::unexpected(
        Error{.kind = ErrorKind::kGone, .message = action.unit_name + " is not here any more"});
  }
  if (action.kind != core::ActionKind::kAsk && action.kind != core::ActionKind::kStop) {
    co_return permanent(
        fmt::format("{}: there is no such thing on ECS", core::to_string(action.kind)));
  }
  if (action.kind == core::ActionKind::kAsk && !found->service().empty()) {
    co_return refusal(view.book().service_of(*found));
  }
  const std::string reason =
      fmt::format("spotkeeper: {} {}: {}", core::to_string(action.notice.kind),
                  action.notice.deadline == kNever
                      ? std::string("of its host")
                      : "ends its host at " + format_time_s(action.notice.deadline),
                  in_ecs_words(action.reason));
  const auto stopped = co_await aws::stop_task(client_, view.instance().cluster, action.unit.value,
                                               reason, action.patience);
  if (!stopped) co_return std::unexpected(for_the_core(stopped.error(), "ecs:StopTask"));
  co_return std::string();
}

void Ecs::finished(const core::Drain& drain) {
  const auto found = views_.find(drain.host());
  if (found == views_.end()) return;
  const Time now = clock_.now();
  const core::Notice& notice = drain.notice();
  if (drain.withdrawn()) withdrawn_.insert(drain.host());
  const bool ends = core::is_hard(notice) && !drain.withdrawn();
  found->second->rest(ends ? std::max(now, notice.deadline) + kRestAfter : now);
  if (options_.deregister && ends) {
    group_.spawn("deregister " + drain.host().value, deregister(drain.host()));
  }
}

// Before the end, should the drain not be over by then.
Task<> Ecs::deregister_before(core::HostId host, Time at) {
  co_await sleep_for(at - clock_.now());
  if (!withdrawn_.contains(host)) co_await deregister(host);
}

Task<> Ecs::deregister(core::HostId host) {
  if (!deregistered_.insert(host).second) co_return;
  ++last_works_;
  const Instance instance = views_.at(host)->instance();
  Result<aws::ContainerInstance> done = retryable("not tried");
  for (int attempt = 1; attempt <= kDeregisterTries; ++attempt) {
    done = co_await aws::deregister_container_instance(client_, instance.cluster,
                                                       instance.facts.arn, true, kDeregisterAtMost);
    if (done || done.error().kind != ErrorKind::kRetryable || withdrawn_.contains(host)) break;
    const Backoff backoff{.attempt = attempt,
                          .base = kDeregisterPause,
                          .cap = kDeregisterLongestPause,
                          .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
  // What was weather may be tried again when the drain is over.
  if (!done && done.error().kind == ErrorKind::kRetryable) deregistered_.erase(host);
  if (done) {
    say_(host, core::Level::kInfo, "the container instance is deregistered from its cluster");
  } else {
    say_(host, core::Level::kError,
         for_the_core(done.error(), "ecs:DeregisterContainerInstance").message);
  }
  if (--last_works_ == 0) settled_.set();
}

Task<> Ecs::settle() {
  co_await sleep_for(Millis(0));  // what was just spawned begins
  while (last_works_ > 0) co_await settled_.wait(kLongWait);
}

}  // namespace spotkeeper::ecs
