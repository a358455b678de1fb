// SPDX-License-Identifier: Apache-2.0
// What the core is to know of an ECS task: a unit, made of the task, its definition, its service
// and the deregistration delay of its target groups. Pure.
//
// A service is the budget of its tasks: DRAINING moves them as minimumHealthyPercent and
// maximumPercent let it, and nobody else asks them; what is still there at its last moment is
// stopped all the same. A standalone task, which DRAINING never touches, has no budget and is left
// alone until its last moment (standalone_rule()).
// Source: ECS developer guide, "Draining Amazon ECS container instances", "Task lifecycle".
#pragma once

#include <optional>
#include <string>

#include "aws/ecs.h"
#include "base/clock.h"
#include "core/rules.h"
#include "core/unit.h"

namespace spotkeeper::ecs {

// What a container without a stopTimeout gets, unless the host's agent says otherwise
// (ECS_CONTAINER_STOP_TIMEOUT).
inline constexpr Seconds kStopTimeout{30};

struct TaskRules {
  Seconds stop_timeout = kStopTimeout;
  std::string own_task;  // ARN of the task we run in; empty: none
};

struct TaskFacts {
  const aws::EcsTask* task = nullptr;
  const aws::EcsTaskDefinition* definition = nullptr;  // nullptr: not known (yet)
  const aws::EcsService* service = nullptr;            // likewise, or it has none
  Seconds delay{0};             // longest of its target groups, still to come
  std::optional<Seconds> room;  // from the notice to the end; none: no end
};

// The longest stopTimeout of its containers: so long a task may take from SIGTERM to SIGKILL.
Seconds stop_timeout_of(const aws::EcsTaskDefinition* definition, const TaskRules& rules);

// What is allowed for a deregistration delay between the notice and the stop: ECS may hold the
// SIGTERM of a task back until it is over. All of it where it fits. Where it does not, nothing
// would be won by stopping the task at once, before its target could be taken out or another serve
// for it: then kEnoughDelay, for no load balancer's request is waited for longer.
inline constexpr Seconds kEnoughDelay{30};
inline constexpr Seconds kFirstAnswers{5};  // from the target groups: nobody is stopped before them
Seconds delay_that_fits(Seconds delay, Seconds stop_timeout, const std::optional<Seconds>& room);

// Told to stop: its containers may still run. DEACTIVATING and STOPPING are that, and not gone.
bool is_ending(const aws::EcsTask& task);
bool is_gone(const aws::EcsTask& task);

// It has ended by itself: nobody had to tell it.
bool ended_by_itself(const aws::EcsTask& task);

core::Unit unit_of(const TaskFacts& facts, const TaskRules& rules);

// How many of its tasks may stop now: what minimumHealthyPercent leaves room for, of those that
// run.
int room_of(const aws::EcsService& service);

// "service web (minimumHealthyPercent 100)": the budget of its tasks.
core::BudgetId budget_of(const std::string& name, const aws::EcsService* service);

// Tasks that nobody keeps are left alone until their last moment: nobody starts them again. A rule
// of the operator's goes before it.
core::Rule standalone_rule();

}  // namespace spotkeeper::ecs
