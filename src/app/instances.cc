// SPDX-License-Identifier: Apache-2.0
#include "app/instances.h"

#include <chrono>
#include <utility>
#include <vector>

namespace spotkeeper::app {
namespace {

constexpr Millis kListEvery{30'000};
constexpr Millis kRemember{60'000};
constexpr size_t kMostRemembered = 10'000;
constexpr Millis kTogether{30};
constexpr Millis kLook{10};
constexpr Millis kAskAtMost{5'000};

}  // namespace

Instances::Instances(TaskGroup& group, aws::Client& client, const Clock& clock,
                     std::string managed_tag)
    : group_(group), client_(client), clock_(clock), managed_tag_(std::move(managed_tag)) {}

Task<> Instances::keep_listing() {
  for (int failures = 0;;) {
    const auto ids = co_await aws::describe_tagged_instances(client_, managed_tag_);
    if (ids) {
      tagged_ = {ids->begin(), ids->end()};
      listed_ = true;
      failures = 0;
    } else if (on_failure) {
      on_failure(ids.error(), ++failures);
    }
    co_await sleep_for(kListEvery);
  }
}

Task<Result<std::optional<aws::Ec2Instance>>> Instances::find(std::string id) {
  const auto known = known_.find(id);
  // Our clock may have been set back since.
  if (known != known_.end() && std::chrono::abs(clock_.now() - known->second.at) < kRemember) {
    co_return known->second.instance;
  }
  wanted_.insert(id);
  if (!std::exchange(asking_, true)) group_.spawn("instances", ask());
  while (wanted_.contains(id) || asked_.contains(id)) co_await sleep_for(kLook);
  const auto found = known_.find(id);
  if (found != known_.end()) co_return found->second.instance;
  co_return std::unexpected(
      failed_.value_or(Error{.kind = ErrorKind::kRetryable, .message = "not answered"}));
}

Task<> Instances::ask() {
  while (!wanted_.empty()) {
    co_await sleep_for(kTogether);
    asked_ = std::exchange(wanted_, {});
    if (known_.size() > kMostRemembered) known_.clear();
    for (const std::string& id : asked_) known_.erase(id);
    std::vector<std::string> ids(asked_.begin(), asked_.end());
    auto found = co_await aws::describe_instances(client_, std::move(ids), kAskAtMost);
    if (found) {
      // Of whom nothing is said EC2 knows nothing.
      for (const std::string& id : asked_) known_[id].at = clock_.now();
      for (aws::Ec2Instance& each : *found) known_[each.id].instance = each;
      failed_.reset();
    } else {
      failed_ = found.error();
    }
    asked_.clear();
  }
  asking_ = false;
}

}  // namespace spotkeeper::app
