// SPDX-License-Identifier: Apache-2.0
#include "ecs/task_book.h"

#include <utility>

namespace spotkeeper::ecs {
namespace {

template <class Map>
const typename Map::mapped_type* find_in(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

core::Unit TaskBook::make(const Known& known) const {
  const std::string service = known.task.service();
  const auto delay = delays_.find(service);
  TaskFacts facts;
  facts.task = &known.task;
  facts.definition = find_in(definitions_, known.task.task_definition_arn);
  facts.service = find_in(services_, service);
  if (delay != delays_.end() && !known.deregistered) facts.delay = delay->second;
  facts.room = room_;
  core::Unit unit = unit_of(facts, rules_);
  unit.ending = known.ending;
  return unit;
}

// Nothing is ever asked under a service's budget: DRAINING does that. So it allows nothing here.
void TaskBook::tell(Known& known, Observations& out) {
  core::Unit unit = make(known);
  if (unit == known.unit) return;
  known.unit = std::move(unit);
  for (const core::BudgetId& id : known.unit.budgets) {
    if (told_.insert(id).second) {
      out.emplace_back(core::BudgetSeen{.budget = {.id = id, .allows = 0}});
    }
  }
  out.emplace_back(core::UnitSeen{.unit = known.unit});
}

TaskBook::Observations TaskBook::renew() {
  Observations out;
  for (auto& [arn, known] : tasks_) tell(known, out);
  return out;
}

TaskBook::Observations TaskBook::room(std::optional<Seconds> room) {
  room_ = room;
  return renew();
}

TaskBook::Observations TaskBook::seen(const std::vector<aws::EcsTask>& tasks,
                                      const std::set<std::string>& missing, Time now) {
  Observations out;
  for (const aws::EcsTask& task : tasks) {
    const bool fresh = !tasks_.contains(task.arn);
    if (fresh && is_gone(task)) continue;  // of another time
    Known& known = tasks_[task.arn];
    if (!fresh && task.version < known.task.version) continue;
    known.task = task;
    if (is_ending(task) && !ended_by_itself(task) && !known.ending) known.ending = now;
    if (!is_gone(task)) {
      tell(known, out);
      continue;
    }
    // Who was told and has ended between two looks was told all the same.
    if (known.ending && !known.unit.ending) {
      known.unit.ending = known.ending;
      out.emplace_back(core::UnitSeen{.unit = known.unit});
    }
    out.emplace_back(core::UnitGone{.id = core::UnitId(task.arn)});
    tasks_.erase(task.arn);
  }
  for (const std::string& arn : missing) {
    if (tasks_.erase(arn) != 0) out.emplace_back(core::UnitGone{.id = core::UnitId(arn)});
  }
  return out;
}

TaskBook::Observations TaskBook::definition(aws::EcsTaskDefinition definition) {
  std::string arn = definition.arn;
  definitions_.insert_or_assign(std::move(arn), std::move(definition));
  return renew();
}

TaskBook::Observations TaskBook::service(aws::EcsService service) {
  std::string name = service.name;
  services_.insert_or_assign(std::move(name), std::move(service));
  return renew();
}

TaskBook::Observations TaskBook::delay(const std::string& service, Seconds delay) {
  delays_[service] = delay;
  return renew();
}

TaskBook::Observations TaskBook::deregistered(const std::string& arn) {
  return out_of_groups(arn, true);
}

TaskBook::Observations TaskBook::registered(const std::string& arn) {
  return out_of_groups(arn, false);
}

TaskBook::Observations TaskBook::out_of_groups(const std::string& arn, bool out) {
  Observations told;
  const auto found = tasks_.find(arn);
  if (found == tasks_.end()) return told;
  found->second.deregistered = out;
  tell(found->second, told);
  return told;
}

TaskBook::Observations TaskBook::everything() const {
  Observations out;
  for (const core::BudgetId& id : told_) {
    out.emplace_back(core::BudgetSeen{.budget = {.id = id, .allows = 0}});
  }
  for (const auto& [arn, known] : tasks_) out.emplace_back(core::UnitSeen{.unit = known.unit});
  return out;
}

std::vector<std::string> TaskBook::here() const {
  std::vector<std::string> arns;
  arns.reserve(tasks_.size());
  for (const auto& [arn, known] : tasks_) arns.push_back(arn);
  return arns;
}

std::vector<std::string> TaskBook::unknown_definitions() const {
  std::set<std::string> unknown;
  for (const auto& [arn, known] : tasks_) {
    if (!definitions_.contains(known.task.task_definition_arn)) {
      unknown.insert(known.task.task_definition_arn);
    }
  }
  return {unknown.begin(), unknown.end()};
}

std::vector<std::string> TaskBook::unknown_services() const {
  std::set<std::string> unknown;
  for (const auto& [arn, known] : tasks_) {
    const std::string name = known.task.service();
    if (!name.empty() && !services_.contains(name)) unknown.insert(name);
  }
  return {unknown.begin(), unknown.end()};
}

const aws::EcsTask* TaskBook::find(const core::UnitId& id) const {
  const auto found = tasks_.find(id.value);
  return found == tasks_.end() ? nullptr : &found->second.task;
}

const aws::EcsService* TaskBook::service_of(const aws::EcsTask& task) const {
  return find_in(services_, task.service());
}

Seconds TaskBook::stop_timeout(const aws::EcsTask& task) const {
  return stop_timeout_of(find_in(definitions_, task.task_definition_arn), rules_);
}

std::string TaskBook::network_mode(const aws::EcsTask& task) const {
  const aws::EcsTaskDefinition* definition = find_in(definitions_, task.task_definition_arn);
  return definition == nullptr ? std::string() : definition->network_mode;
}

Seconds TaskBook::delay_of(const std::string& service) const {
  const Seconds* delay = find_in(delays_, service);
  return delay == nullptr ? Seconds(0) : *delay;
}

std::vector<const aws::EcsTask*> TaskBook::tasks() const {
  std::vector<const aws::EcsTask*> all;
  all.reserve(tasks_.size());
  for (const auto& [arn, known] : tasks_) all.push_back(&known.task);
  return all;
}

bool TaskBook::moves(const aws::EcsTask& task) const {
  const auto found = tasks_.find(task.arn);
  return found != tasks_.end() && found->second.unit.exempt.empty();
}

}  // namespace spotkeeper::ecs
