// SPDX-License-Identifier: Apache-2.0
#include "sources/poller.h"

#include <algorithm>
#include <utility>

#include "async/timing.h"
#include "base/backoff.h"

namespace spotkeeper::sources {

Task<Outcome> Page::look(aws::ImdsClient& imds) {
  const auto body = co_await imds.get(std::string("/latest/meta-data/") + name_);
  if (!body) co_return std::unexpected(body.error());
  co_return read(*body);
}

Poller::Poller(std::unique_ptr<Document> document, aws::ImdsClient& imds, const Clock& clock,
               Counters& counters, Options options, Hooks hooks)
    : document_(std::move(document)),
      imds_(imds),
      clock_(clock),
      counters_(counters),
      options_(options),
      hooks_(std::move(hooks)) {}

Task<> Poller::run() {
  if (options_.begin_after > Millis(0)) co_await sleep_for(options_.begin_after);
  for (;;) {
    const Time began = clock_.now();
    const Outcome outcome = co_await document_->look(imds_);
    if (outcome) {
      counters_.count("imds_polls", {{"outcome", *outcome}});
      if (failures_ > 0 && hooks_.recovery) hooks_.recovery(failures_);
      failures_ = 0;
    } else {
      ++failures_;
      counters_.count("imds_polls", {{"outcome", to_string(outcome.error().kind)}});
      if (hooks_.failure) hooks_.failure(outcome.error(), failures_);
    }
    if (hooks_.looked) hooks_.looked(outcome.has_value());
    co_await sleep_for(pause(began));
  }
}

Millis Poller::pause(Time began) const {
  if (failures_ > 0) {
    const Backoff backoff{.attempt = failures_,
                          .base = options_.period,
                          .cap = std::max(options_.longest_pause, options_.period),
                          .jitter = random_unit()};
    return backoff_delay(backoff);
  }
  const double part = 1.0 - options_.jitter * random_unit();
  const Millis wanted(static_cast<int64_t>(static_cast<double>(options_.period.count()) * part));
  return std::clamp(wanted - (clock_.now() - began), Millis(0), options_.period);
}

}  // namespace spotkeeper::sources
