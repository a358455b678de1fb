// SPDX-License-Identifier: Apache-2.0
#include "sources/spot_poller.h"

#include <algorithm>

#include "async/timing.h"
#include "aws/spot_notice.h"
#include "base/backoff.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kInstanceAction = "/latest/meta-data/spot/instance-action";
constexpr const char* kTerminationTime = "/latest/meta-data/spot/termination-time";
constexpr Millis kLongestPause{5'000};

}  // namespace

SpotPoller::SpotPoller(aws::ImdsClient& imds, const Clock& clock, Counters& counters,
                       Options options, Hooks hooks)
    : imds_(imds),
      clock_(clock),
      counters_(counters),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      notices_(options_.instance) {}

Task<> SpotPoller::run() {
  for (;;) {
    const Time began = clock_.now();
    const Result<std::optional<SpotSighting>> seen = co_await look();
    ++polls_;
    if (seen) {
      counters_.count("imds_polls", {{"outcome", *seen ? "notice" : "quiet"}});
      if (failures_ > 0 && hooks_.recovery) hooks_.recovery(failures_);
      failures_ = 0;
      check_clock(*seen);
      std::optional<core::Notice> notice = notices_.poll(*seen, clock_.now());
      if (notice) hooks_.notice(std::move(*notice));
    } else {
      ++failures_;
      counters_.count("imds_polls", {{"outcome", to_string(seen.error().kind)}});
      if (hooks_.failure) hooks_.failure(seen.error(), failures_);
    }
    co_await sleep_for(pause(began));
  }
}

void SpotPoller::check_clock(const std::optional<SpotSighting>& seen) {
  if (!imds_.time()) return;
  const auto named = seen ? std::optional<Time>(seen->time) : std::nullopt;
  const std::optional<Millis> behind = clock_check_.heard(*imds_.time(), named);
  if (behind && hooks_.clock) hooks_.clock(*behind);
}

Task<Result<std::optional<SpotSighting>>> SpotPoller::look() {
  const Result<std::optional<std::string>> body = co_await imds_.get(kInstanceAction);
  if (!body) co_return std::unexpected(body.error());
  if (!*body) {
    if (!legacy_speaks_ && polls_ % options_.legacy_every != 0) {
      co_return std::optional<SpotSighting>();
    }
    co_return co_await look_at_legacy();
  }
  const Result<aws::SpotAction> action = aws::parse_instance_action(**body);
  if (!action) co_return std::unexpected(action.error());
  co_return SpotSighting{.action = action->action, .time = action->time};
}

Task<Result<std::optional<SpotSighting>>> SpotPoller::look_at_legacy() {
  const Result<std::optional<std::string>> body = co_await imds_.get(kTerminationTime);
  if (!body) co_return std::unexpected(body.error());
  legacy_speaks_ = body->has_value();
  if (!*body) co_return std::optional<SpotSighting>();
  const std::optional<Time> time = aws::parse_termination_time(**body);
  if (!time) co_return std::optional<SpotSighting>();
  co_return SpotSighting{.action = "terminate", .time = *time};
}

Millis SpotPoller::pause(Time began) const {
  if (failures_ > 0) {
    const Backoff backoff{.attempt = failures_,
                          .base = options_.period,
                          .cap = std::max(kLongestPause, options_.period),
                          .jitter = random_unit()};
    return backoff_delay(backoff);
  }
  const double part = 1.0 - options_.jitter * random_unit();
  const Millis wanted(static_cast<int64_t>(static_cast<double>(options_.period.count()) * part));
  return std::clamp(wanted - (clock_.now() - began), Millis(0), options_.period);
}

}  // namespace spotkeeper::sources
