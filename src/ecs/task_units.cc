// SPDX-License-Identifier: Apache-2.0
#include "ecs/task_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "ecs/instance.h"

namespace spotkeeper::ecs {
namespace {

constexpr std::array<std::string_view, 3> kEnding{"DEACTIVATING", "STOPPING", "DEPROVISIONING"};

std::string owner_of(const TaskFacts& facts) {
  const std::string service = facts.task->service();
  return service.empty() ? std::string() : "Service/" + service;
}

// "web/0123456789ab": what it is, and which.
std::string name_of(const aws::EcsTask& task) {
  constexpr size_t kShown = 12;
  std::string what = task.service();
  if (what.empty() && task.group.starts_with("family:")) what = task.group.substr(7);
  if (what.empty()) {
    what = short_id(task.task_definition_arn);
    what = what.substr(0, what.find(':'));
  }
  return what + "/" + short_id(task.arn).substr(0, kShown);
}

bool is_daemon(const TaskFacts& facts) {
  return facts.service != nullptr && facts.service->scheduling == "DAEMON";
}

}  // namespace

Seconds stop_timeout_of(const aws::EcsTaskDefinition* definition, const TaskRules& rules) {
  if (definition == nullptr || definition->containers.empty()) return rules.stop_timeout;
  Seconds longest{1};
  for (const aws::ContainerDefinition& container : definition->containers) {
    longest =
        std::max(longest, Seconds(container.stop_timeout_s.value_or(rules.stop_timeout.count())));
  }
  return longest;
}

Seconds delay_that_fits(Seconds delay, Seconds stop_timeout, const std::optional<Seconds>& room) {
  if (!room) return delay;
  const Seconds left = std::max(Seconds(0), *room - stop_timeout - kFirstAnswers);
  return delay <= left ? delay : std::min(kEnoughDelay, left);
}

bool is_ending(const aws::EcsTask& task) {
  return task.desired_status == "STOPPED" || std::ranges::count(kEnding, task.last_status) != 0;
}

bool is_gone(const aws::EcsTask& task) {
  return task.last_status == "STOPPED" || task.last_status == "DELETED";
}

bool ended_by_itself(const aws::EcsTask& task) {
  return task.stop_code == "EssentialContainerExited" || task.stop_code == "TaskFailedToStart";
}

core::Unit unit_of(const TaskFacts& facts, const TaskRules& rules) {
  const aws::EcsTask& task = *facts.task;
  core::Unit unit;
  unit.id = core::UnitId(task.arn);
  unit.name = name_of(task);
  unit.owner = owner_of(facts);
  const Seconds stop = stop_timeout_of(facts.definition, rules);
  unit.grace = stop + delay_that_fits(facts.delay, stop, facts.room);
  // Its budget holds it as long as it is there: who is not ready would be asked without one.
  unit.ready = true;
  if (!rules.own_task.empty() && task.arn == rules.own_task) {
    unit.exempt = "our own task";
  } else if (is_daemon(facts)) {
    unit.exempt = "a daemon service's task: it serves the host to its end";
  }
  unit.ended = is_gone(task);
  const std::string service = task.service();
  if (!service.empty()) unit.budgets.push_back(budget_of(service, facts.service));
  unit.facts.owner_kind = service.empty() ? "" : "Service";
  return unit;
}

int room_of(const aws::EcsService& service) {
  const int64_t least = (service.desired * service.minimum_healthy_percent + 99) / 100;
  return static_cast<int>(std::max<int64_t>(0, service.running - least));
}

core::BudgetId budget_of(const std::string& name, const aws::EcsService* service) {
  if (service == nullptr) return core::BudgetId("service " + name);
  return core::BudgetId(
      fmt::format("service {} (minimumHealthyPercent {})", name, service->minimum_healthy_percent));
}

core::Rule standalone_rule() {
  core::Rule rule;
  rule.name = "a standalone task";
  rule.owners = {"None"};
  rule.treatment.mode = core::Mode::kLastMoment;
  return rule;
}

}  // namespace spotkeeper::ecs
