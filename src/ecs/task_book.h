// SPDX-License-Identifier: Apache-2.0
// The tasks of one container instance, with what their definitions, services and target groups say,
// kept from one look to the next. Pure bookkeeping: each change answers with the observations that
// follow.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "ecs/task_units.h"

namespace spotkeeper::ecs {

class TaskBook {
 public:
  using Observations = std::vector<core::Observation>;

  explicit TaskBook(TaskRules rules) : rules_(std::move(rules)) {}

  // From the notice to the end, margin off; nothing: there is no end.
  Observations room(std::optional<Seconds> room);
  const std::optional<Seconds>& room() const { return room_; }

  // One look. Tasks of `missing` are known to ECS no more. What is older than what was seen before
  // (ECS answers from several places) changes nothing.
  Observations seen(const std::vector<aws::EcsTask>& tasks, const std::set<std::string>& missing,
                    Time now);

  Observations definition(aws::EcsTaskDefinition definition);
  Observations service(aws::EcsService service);

  // The longest deregistration delay of a service's target groups.
  Observations delay(const std::string& service, Seconds delay);
  // A task's targets take no new connections any more: its delay runs, and is over in time or
  // never.
  Observations deregistered(const std::string& arn);
  // It has been registered again: its delay is still to come.
  Observations registered(const std::string& arn);

  // All that is known now, for a drain that begins later. Budgets come before what they guard.
  Observations everything() const;

  std::vector<std::string> here() const;  // ARNs of those that have not gone
  std::vector<std::string> unknown_definitions() const;
  std::vector<std::string> unknown_services() const;

  // nullptr: not here, or not known.
  const aws::EcsTask* find(const core::UnitId& id) const;
  const aws::EcsService* service_of(const aws::EcsTask& task) const;
  Seconds stop_timeout(const aws::EcsTask& task) const;
  std::string network_mode(const aws::EcsTask& task) const;  // empty: not known, or bridge
  Seconds delay_of(const std::string& service) const;        // the longest; 0 while it is not known
  const std::map<std::string, aws::EcsService>& services() const { return services_; }
  std::vector<const aws::EcsTask*> tasks() const;  // that have not gone
  bool moves(const aws::EcsTask& task) const;      // it is not exempt

 private:
  struct Known {
    aws::EcsTask task;
    core::Unit unit;
    std::optional<Time> ending;
    bool deregistered = false;
  };
  core::Unit make(const Known& known) const;
  void tell(Known& known, Observations& out);
  Observations out_of_groups(const std::string& arn, bool out);
  Observations renew();

  TaskRules rules_;
  std::optional<Seconds> room_;
  std::map<std::string, Known> tasks_;  // by ARN
  std::map<std::string, aws::EcsTaskDefinition> definitions_;
  std::map<std::string, aws::EcsService> services_;  // by name
  std::map<std::string, Seconds> delays_;            // by service
  std::set<core::BudgetId> told_;
};

}  // namespace spotkeeper::ecs
