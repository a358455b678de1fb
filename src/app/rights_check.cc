// SPDX-License-Identifier: Apache-2.0
#include "app/rights_check.h"

#include <utility>

#include "effects/rights.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kSettle{5'000};     // a denial is looked into at most this often
constexpr Millis kMissing{600'000};  // rights may be granted meanwhile
constexpr Millis kLongWait = std::chrono::hours(24);

}  // namespace

RightsCheck::RightsCheck(kube::Api& api, observe::Log& log, std::function<void(const Found&)> found)
    : api_(api), log_(log), found_(std::move(found)), look_again_(api.executor()) {}

Task<> RightsCheck::run() {
  for (int attempt = 1;; ++attempt) {
    const Result<Found> found = co_await look();
    if (!found && found.error().kind == ErrorKind::kDenied) {
      // Then rights are learned from refusals alone.
      if (std::exchange(first_, false))
        log_.warning("rights cannot be asked for: " + found.error().message);
      co_await look_again_.wait(kMissing);
      continue;
    }
    if (!found) {
      const Backoff backoff{.attempt = attempt,
                            .base = Millis(1'000),
                            .cap = Millis(60'000),
                            .jitter = random_unit()};
      log_.debug("rights cannot be asked for: " + found.error().message);
      co_await sleep_for(backoff_delay(backoff));
      continue;
    }
    attempt = 0;
    say(*found);
    found_(*found);
    co_await sleep_for(kSettle);
    co_await look_again_.wait(found->lacking.empty() ? kLongWait : kMissing);
  }
}

Task<Result<RightsCheck::Found>> RightsCheck::look() {
  std::vector<kube::Right> wanted = effects::needed_rights();
  const std::set<kube::Right> all(wanted.begin(), wanted.end());
  Result<std::set<kube::Right>> held = co_await kube::held_rights(api_, std::move(wanted));
  if (!held) co_return std::unexpected(held.error());
  const Result<std::set<std::string>> served = co_await kube::served_groups(api_);
  Found found;
  for (const kube::Right& right : all) {
    // What a server does not serve nobody has a right to. Unknown: taken for served.
    const bool is_served = !served || right.group.empty() || served->contains(right.group + "/v1");
    (held->contains(right) && is_served ? found.held : found.lacking).insert(right);
  }
  co_return found;
}

void RightsCheck::say(const Found& found) {
  for (const effects::Need& need : effects::needs()) {
    if (!found.lacking.contains(need.right)) continue;
    if (said_.insert(need.right).second) log_.warning(effects::missing_line(need));
  }
  for (const kube::Right& right : std::set<kube::Right>(said_)) {
    if (!found.held.contains(right)) continue;
    said_.erase(right);
    log_.info("a right that was missing is there now", {{"right", effects::describe(right)}});
  }
  if (std::exchange(first_, false) && found.lacking.empty()) log_.info("all rights are there");
}

}  // namespace spotkeeper::app
