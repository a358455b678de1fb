// SPDX-License-Identifier: Apache-2.0
#include "ecs/balancers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ecs/instance.h"
#include "ecs/targets.h"

namespace spotkeeper::ecs {
namespace {

constexpr Millis kCallAtMost{3'000};
constexpr Millis kDelayAtMost{2'000};  // less than read_delays() is given, so that silence is told

// "web" of arn:…:targetgroup/web/0123.
std::string name_of_group(const std::string& arn) {
  const std::string name = cluster_of(arn);  // the middle part, as in an instance's ARN
  return name.empty() ? arn : name;
}

std::string names_of(const std::vector<aws::Target>& targets) {
  std::string names;
  for (const aws::Target& target : targets)
    names += (names.empty() ? "" : ", ") + to_string(target);
  return names;
}

}  // namespace

Balancers::Balancers(aws::Client& client, const Clock& clock, std::string ec2_instance_id,
                     Hooks hooks)
    : client_(client),
      clock_(clock),
      ec2_instance_id_(std::move(ec2_instance_id)),
      hooks_(std::move(hooks)) {}

bool Balancers::pending() const {
  return std::ranges::any_of(
      groups_, [](const auto& entry) { return entry.second.waits || !entry.second.drained; });
}

std::vector<Balancers::Place> Balancers::places(const TaskBook& book) const {
  std::vector<Place> all;
  for (const auto& [name, service] : book.services()) {
    for (const aws::EcsLoadBalancer& balancer : service.load_balancers) {
      if (balancer.target_group_arn.empty()) continue;  // a classic one, which ECS looks after
      Place place{.balancer = balancer, .tasks = {}};
      for (const aws::EcsTask* task : book.tasks()) {
        if (task->service() != name || !book.moves(*task)) continue;
        place.tasks.push_back(*task);
        place.stop_timeout = std::max(place.stop_timeout, book.stop_timeout(*task));
      }
      if (!place.tasks.empty()) all.push_back(std::move(place));
    }
  }
  return all;
}

Task<> Balancers::read_delays(TaskBook& book, std::optional<Time> end) {
  std::map<std::string, Seconds> longest;
  const std::vector<Place> all = places(book);
  for (const Place& place : all) {
    const std::string& arn = place.balancer.target_group_arn;
    Group& group = groups_[arn];
    if (!group.delay && !group.unreadable) {
      const auto read = co_await aws::describe_target_group_attributes(client_, arn, kDelayAtMost);
      if (read) {
        group.delay = Seconds(read->deregistration_delay_s);
      } else {
        group.unreadable = read.error().kind != ErrorKind::kRetryable;
        hooks_.trouble(read.error(),
                       "the deregistration delay of " + name_of_group(arn) +
                           " cannot be read, and none is allowed for",
                       "elasticloadbalancing:DescribeTargetGroupAttributes");
      }
    }
    if (!group.delay) continue;
    Seconds& delay = longest[place.tasks.front().service()];
    delay = std::max(delay, *group.delay);
  }
  for (const auto& [service, delay] : longest) {
    hooks_.tell(book.delay(service, delay));
    if (end) warn(book, service, delay, *end);
  }
}

// Before anything is lost: what the target group and the task want together is more than there is.
void Balancers::warn(const TaskBook& book, const std::string& service, Seconds delay, Time end) {
  Seconds stop{0};
  for (const aws::EcsTask* task : book.tasks()) {
    if (task->service() == service) stop = std::max(stop, book.stop_timeout(*task));
  }
  const auto left = std::chrono::floor<Seconds>(end - clock_.now());
  if (delay + stop <= left || !warned_.insert(service).second) return;
  hooks_.say(core::Level::kWarning,
             fmt::format("service {}: its deregistration delay of {} s and its stopTimeout of {} s "
                         "exceed the {} s that are left: its tasks may be killed before their "
                         "SIGTERM; shorten deregistration_delay.timeout_seconds",
                         service, delay.count(), stop.count(), left.count()));
}

Task<> Balancers::take_out(TaskBook& book, Time end) {
  std::vector<Place> all = places(book);
  for (size_t i = 0; i < all.size(); ++i) {
    const size_t turn = turn_++ % all.size();
    co_await take_out_of(book, std::move(all[turn]), end);
  }
  for (auto& [arn, group] : groups_) {
    if (!std::exchange(group.looked, false) && !group.drained) co_await look_at(group, arn);
  }
}

// At each look: ECS may register a running task's target again.
Task<> Balancers::take_out_of(TaskBook& book, Place place, Time end) {
  const std::string arn = place.balancer.target_group_arn;
  Group& group = groups_[arn];
  if (group.refused) co_return;
  const auto registered = co_await aws::describe_target_health(client_, arn, {}, kCallAtMost);
  if (!registered) {
    group.refused = registered.error().kind != ErrorKind::kRetryable;
    hooks_.trouble(registered.error(), "the targets of " + name_of_group(arn) + " cannot be read",
                   "elasticloadbalancing:DescribeTargetHealth");
    co_return;
  }
  group.looked = true;
  if (!group.drained) note_drained(group, arn, *registered);
  // A task whose target is not found (the other colour's group, an id that is not known) is not out
  // for that: its delay stays allowed for, and it is looked for again.
  std::vector<aws::Target> own;
  std::vector<std::string> taken;
  for (const aws::EcsTask& task : place.tasks) {
    const std::vector<aws::Target> targets =
        targets_of(*registered, task, book.network_mode(task), place.balancer, ec2_instance_id_);
    const std::vector<aws::Target> serving = not_draining(*registered, targets);
    own.insert(own.end(), serving.begin(), serving.end());
    if (!serving.empty()) {
      taken.push_back(task.arn);
    } else if (!targets.empty()) {
      is_out(book, group, task);  // whoever has taken it out
    }
  }
  if (own.empty()) {
    group.waits = false;
    co_return;
  }
  const Seconds delay = group.delay.value_or(Seconds(0));
  // As the task's grace has it, which knows one delay a service.
  const Seconds fits = delay_that_fits(book.delay_of(place.tasks.front().service()),
                                       place.stop_timeout, book.room());
  const Time until = serves_until(end, place.stop_timeout, fits);
  if (!others_serve(*registered, own) && clock_.now() < until) {
    if (!std::exchange(group.waits, true)) {
      hooks_.say(core::Level::kInfo,
                 fmt::format("target group {}: no other target is healthy: {} serves on until one "
                             "is, at most until {}",
                             name_of_group(arn), names_of(own), format_time_s(until)));
    }
    is_back(book, group, taken);
    co_return;
  }
  const auto done = co_await aws::deregister_targets(client_, arn, own, kCallAtMost);
  if (!done && done.error().kind != ErrorKind::kGone) {
    group.refused = done.error().kind != ErrorKind::kRetryable;
    group.waits = group.waits && !group.refused;
    hooks_.trouble(done.error(), "the targets of " + name_of_group(arn) + " are not deregistered",
                   "elasticloadbalancing:DeregisterTargets");
    is_back(book, group, taken);
    co_return;
  }
  group.waits = false;
  hooks_.say(core::Level::kInfo,
             fmt::format("target group {}: {} deregistered, to take no new connections; its "
                         "deregistration delay is {} s",
                         name_of_group(arn), names_of(own), delay.count()));
  for (const aws::Target& target : own) {
    if (std::ranges::count(group.out, target) == 0) group.out.push_back(target);
  }
  group.out_since = clock_.now();
  group.drained = false;
  for (const aws::EcsTask& task : place.tasks) {
    if (std::ranges::count(taken, task.arn) != 0) is_out(book, group, task);
  }
}

void Balancers::is_out(TaskBook& book, Group& group, const aws::EcsTask& task) {
  group.done.insert(task.arn);
  const bool everywhere = std::ranges::all_of(
      book.service_of(task)->load_balancers, [&](const aws::EcsLoadBalancer& balancer) {
        return balancer.target_group_arn.empty() ||
               groups_[balancer.target_group_arn].done.contains(task.arn);
      });
  if (everywhere) hooks_.tell(book.deregistered(task.arn));
}

void Balancers::is_back(TaskBook& book, Group& group, const std::vector<std::string>& tasks) {
  for (const std::string& arn : tasks) {
    if (group.done.erase(arn) != 0) hooks_.tell(book.registered(arn));
  }
}

Task<> Balancers::look_at(Group& group, std::string arn) {
  const auto registered = co_await aws::describe_target_health(client_, arn, {}, kCallAtMost);
  if (registered) {
    note_drained(group, arn, *registered);
  } else {
    group.drained = registered.error().kind != ErrorKind::kRetryable;
  }
}

// What was taken out is looked at until it has no connections left.
void Balancers::note_drained(Group& group, const std::string& arn,
                             const std::vector<aws::TargetHealth>& registered) {
  if (any_draining(registered, group.out)) return;
  group.drained = true;
  hooks_.say(
      core::Level::kInfo,
      fmt::format("target group {}: {} drained, {} after it was deregistered", name_of_group(arn),
                  names_of(group.out), format_duration(clock_.now() - group.out_since)));
}

}  // namespace spotkeeper::ecs
