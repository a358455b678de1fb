// SPDX-License-Identifier: Apache-2.0
#include "ecs/host_mark.h"

#include <fmt/format.h>

#include <utility>

#include "async/timing.h"
#include "base/backoff.h"
#include "ecs/drain_record.h"
#include "ecs/errors.h"

namespace spotkeeper::ecs {
namespace {

constexpr Millis kMarkAtMost{5'000};
constexpr Millis kLookFirst{1'500};
constexpr Millis kRecordAtMost{2'000};  // DRAINING does not wait for it any longer
constexpr int kForgetTries = 4;
constexpr Millis kForgetPause{300};
constexpr Millis kForgetLongestPause{2'000};
constexpr int kServerError = 500;

constexpr const char* kMayMark = "ecs:UpdateContainerInstancesState";

Result<std::string> changed(const Result<aws::Described<aws::ContainerInstance>>& answer,
                            const std::string& done) {
  if (!answer) return std::unexpected(for_the_core(answer.error(), kMayMark));
  if (!answer->failures.empty()) {
    const aws::EcsFailure& failure = answer->failures.front();
    const bool gone = failure.reason == "MISSING" || failure.reason == "INACTIVE";
    return std::unexpected(
        Error{.kind = gone ? ErrorKind::kGone : ErrorKind::kRetryable,
              .message = fmt::format("container instance {}: {} {}", short_id(failure.arn),
                                     failure.reason, failure.detail)});
  }
  return done;
}

// A request without a clear answer; a refusal (a throttle) is one.
bool may_be_done(const Error& error) {
  return error.kind == ErrorKind::kRetryable && (error.status == 0 || error.status >= kServerError);
}

std::string by_whom(const std::optional<core::Notice>& recorded) {
  if (!recorded) return "its ECS agent's own draining, managed draining or a person";
  return recorded->kind == core::NoticeKind::kManual ? "a 'spotkeeper drain'"
                                                     : "the agent of that host";
}

}  // namespace

HostMark::HostMark(aws::Client& client, Hooks hooks) : client_(client), hooks_(std::move(hooks)) {}

Task<Result<std::string>> HostMark::set(core::HostId host, Instance instance, core::Notice notice) {
  if (set_by_us_.contains(host)) {
    co_await record(host, std::move(instance), std::move(notice));
    co_return "DRAINING already, by us";
  }
  std::vector<std::string> ids{instance.facts.arn};
  const auto now =
      co_await aws::describe_container_instances(client_, instance.cluster, ids, kLookFirst);
  if (now && now->found.empty()) co_return no_such_instance(instance.facts.arn);
  const bool seen = now.has_value();
  if (seen && now->found.front().status == "DRAINING") {
    const auto recorded = recorded_notice(now->found.front());
    const bool earlier = recorded && goes_on_with(*recorded, notice) && !taken_back_.contains(host);
    // An update of ours whose answer was lost has been carried out all the same.
    const bool lost = was_active_.contains(host);
    if (!earlier && !lost) {
      co_return fmt::format(
          "it is DRAINING already, and not by us ({}): it is only completed, and not taken back",
          by_whom(recorded));
    }
    set_by_us_.insert(host);
    co_await record(host, std::move(instance), std::move(notice));
    co_return lost ? "DRAINING, by our earlier request, whose answer was lost"
                   : "DRAINING, by us before a restart, as its attribute spotkeeper.drain says";
  }
  if (seen) {
    was_active_.insert(host);
    co_await record(host, instance, std::move(notice));
  }
  const auto set = co_await aws::update_container_instances_state(
      client_, instance.cluster, std::move(ids), "DRAINING", kMarkAtMost);
  const bool ours = was_active_.contains(host);
  if (set || !may_be_done(set.error())) was_active_.erase(host);
  Result<std::string> done = changed(
      set, ours ? "DRAINING: nothing new is placed on it, and ECS moves what its services' "
                  "minimumHealthyPercent lets it"
                : "DRAINING; what it was before could not be read, so it is not taken back");
  if (done && ours) {
    set_by_us_.insert(host);
    taken_back_.erase(host);
  }
  co_return done;
}

// Without it nothing is lost but that a later life does not know.
Task<> HostMark::record(core::HostId host, Instance instance, core::Notice notice) {
  if (!is_recorded(notice)) co_return;
  const std::string value = record_of(notice);
  if (recorded_[host] == value) co_return;
  const auto put = co_await aws::put_attribute(client_, instance.cluster, instance.facts.arn,
                                               kDrainAttribute, value, kRecordAtMost);
  if (put) {
    recorded_[host] = value;
    co_return;
  }
  if (!unrecorded_.insert(host).second || !hooks_.say) co_return;
  hooks_.say(host, core::Level::kWarning,
             "it cannot be noted that DRAINING is ours, so after a restart it would not be taken "
             "back: " +
                 for_the_core(put.error(), "ecs:PutAttributes").message);
}

Task<Result<std::string>> HostMark::take_back(core::HostId host, Instance instance) {
  if (!set_by_us_.contains(host)) {
    co_return "nothing taken back: it was not us who set it DRAINING";
  }
  if (hooks_.ends_anyway) {
    const Result<std::string> why = co_await hooks_.ends_anyway();
    if (!why) co_return std::unexpected(why.error());
    if (!why->empty()) co_return "nothing taken back: " + *why;
  }
  Result<std::string> done = co_await set_active(client_, std::move(instance));
  if (done) {
    set_by_us_.erase(host);
    recorded_.erase(host);
    taken_back_.insert(host);
  }
  co_return done;
}

Task<Result<std::string>> set_active(aws::Client& client, Instance instance) {
  std::vector<std::string> ids{instance.facts.arn};
  const auto now =
      co_await aws::describe_container_instances(client, instance.cluster, ids, kMarkAtMost);
  if (!now) co_return std::unexpected(for_the_core(now.error(), "ecs:DescribeContainerInstances"));
  if (now->found.empty()) co_return no_such_instance(instance.facts.arn);
  instance.facts = now->found.front();
  std::string text = "nothing taken back: it is " + instance.facts.status;
  if (instance.facts.status == "DRAINING") {
    const auto set = co_await aws::update_container_instances_state(
        client, instance.cluster, std::move(ids), "ACTIVE", kMarkAtMost);
    Result<std::string> done = changed(set, "ACTIVE again");
    if (!done) co_return done;
    text = std::move(*done);
  }
  if (instance.facts.attributes.contains(kDrainAttribute)) {
    const std::string left = co_await forget_drain(client, std::move(instance));
    if (!left.empty()) text += "; " + left;
  }
  co_return text;
}

Task<std::string> forget_drain(aws::Client& client, Instance instance) {
  Result<void> done;
  for (int attempt = 1; attempt <= kForgetTries; ++attempt) {
    if (attempt > 1) {
      const Backoff backoff{.attempt = attempt - 1,
                            .base = kForgetPause,
                            .cap = kForgetLongestPause,
                            .jitter = random_unit()};
      co_await sleep_for(backoff_delay(backoff));
    }
    done = co_await aws::delete_attribute(client, instance.cluster, instance.facts.arn,
                                          kDrainAttribute, kRecordAtMost);
    if (done || done.error().kind == ErrorKind::kGone) co_return std::string();
    if (done.error().kind != ErrorKind::kRetryable) break;
  }
  co_return "its attribute spotkeeper.drain is still there, remove it: " +
      for_the_core(done.error(), "ecs:DeleteAttributes").message;
}

}  // namespace spotkeeper::ecs
