"""The service scheduler: one round of one service. Sources, on docs.aws.amazon.com/AmazonECS/latest/developerguide/:

container-instance-draining.html   what DRAINING does: nothing new is placed; PENDING service tasks are stopped at
    once; RUNNING ones are stopped and replaced within minimumHealthyPercent and maximumPercent; standalone tasks are
    left alone. At maximum 100 % a replacement starts only when a draining task has stopped.
ecs_services.html (ecs_service-options.html)   replica and daemon strategies; spread over zones, then over instances
managed-instance-draining.html   daemon tasks stop last, after all replica tasks of the instance
service_definition_parameters.html   minimum rounded up, maximum rounded down; what counts as healthy
task-scale-in-protection.html   protected tasks are not stopped by scale-in or deployments. It is silent on DRAINING;
    this model drains them like others.
service-event-messages-list.html   what it says
"""

import math

from .ecs_state import STARTING, Deployment, Instance, Service, Task
from .ecs_tasks import request_stop

_INITIATED = "ServiceSchedulerInitiated"


def round_of(model, service: Service, now: float) -> None:
    tasks = [task for task in model.tasks if task.service is service and task.last != "STOPPED"]
    if service.status != "ACTIVE":
        _stop(service, [task for task in tasks if task.desired == "RUNNING"], now)
        if not tasks:
            service.status = "INACTIVE"
        return
    for task in tasks:
        if task.last in STARTING and task.instance.status == "DRAINING":
            _stop(service, [task], now)
    if service.daemon:
        _daemon(model, service, tasks, now)
    else:
        _replica(model, service, tasks, now)
    _finish_deployments(service, tasks)
    wanted = [task for task in tasks if _stays(model, task, now)]
    if tasks and len(wanted) == len(tasks) == service.desired and all(healthy(model, task, now) for task in wanted):
        service.say(now, "has reached a steady state.")


def healthy(model, task: Task, now: float) -> bool:
    """RUNNING, and by its load balancer healthy; without one, RUNNING for the steady time."""
    if task.last != "RUNNING" or task.desired != "RUNNING":
        return False
    if task.targets:
        return all(model.elb.is_healthy(target, now) for target in task.targets)
    return now >= task.started_at + model.delays.steady


def _stays(model, task: Task, now: float) -> bool:
    """Not to be replaced: it is of the newest deployment, on an ACTIVE instance, and its health checks do not fail
    (unhealthy tasks are replaced first and stopped then: ecs_services.html)."""
    if any(model.elb.state(one.group_arn, one.id, one.port, now) == "unhealthy" for one in task.targets):
        return False
    on_primary = task.deployment == task.service.primary.id
    return task.desired == "RUNNING" and on_primary and task.instance.status == "ACTIVE"


def _replica(model, service: Service, tasks: list[Task], now: float) -> None:
    lower = math.ceil(service.desired * service.minimum / 100)
    upper = math.floor(service.desired * service.maximum / 100)
    staying = [task for task in tasks if _stays(model, task, now)]
    leaving = [task for task in tasks if task.desired == "RUNNING" and task not in staying]

    # Those that stop count against the maximum until they are STOPPED (draining page, last sentence on the maximum).
    missing = min(service.desired - len(staying), upper - len(tasks))
    started = []
    for _ in range(missing):
        if not (task := _place(model, service, now)):
            break
        started.append(task)
    if started:
        service.say(now, f"has started {len(started)} tasks: {_named(started)}.")

    count = sum(healthy(model, task, now) for task in tasks)
    for task in sorted(leaving, key=lambda task: (healthy(model, task, now), task.created_at)):
        if task.instance.status == "ACTIVE" and task.protected(now):
            continue
        after = count - healthy(model, task, now)
        if after >= lower:
            count = after
            _stop(service, [task], now)
    surplus = len(staying) - service.desired
    if surplus > 0:
        unprotected = [task for task in staying if not task.protected(now)]
        _stop(service, sorted(unprotected, key=lambda task: -task.created_at)[:surplus], now)


def _daemon(model, service: Service, tasks: list[Task], now: float) -> None:
    hosts = [one for one in model.instances if one.cluster == service.cluster and one.status == "ACTIVE"]
    service.desired = len(hosts)
    lower = math.ceil(service.desired * service.minimum / 100)
    count = sum(healthy(model, task, now) for task in tasks)
    for task in tasks:
        if task.desired != "RUNNING":
            continue
        if task.instance.status == "DRAINING":
            if not any(_replica_of_service(other) for other in model.tasks_on(task.instance)):
                _stop(service, [task], now)
        elif not _stays(model, task, now) and count - 1 >= lower:
            count -= 1
            _stop(service, [task], now)
    for host in hosts:  # one on each: the maximum is always 100 %
        if not any(task.instance is host for task in tasks) and not refusal(model, host, service.primary.definition):
            _start(model, service, host)


def _replica_of_service(task: Task) -> bool:
    return task.service is not None and not task.service.daemon


def _finish_deployments(service: Service, tasks: list[Task]) -> None:
    """Older deployments are gone when their last task is."""
    alive = {task.deployment for task in tasks}
    service.deployments[1:] = [one for one in service.deployments[1:] if one.id in alive]


def redeploy(service: Service, definition, identity: str, now: float) -> None:
    """UpdateService with forceNewDeployment or another task definition."""
    for old in service.deployments:
        old.status = "ACTIVE"
    service.deployments.insert(0, Deployment(identity, definition, now))


def refusal(model, host: Instance, definition) -> str:
    """Why it cannot take the task, as RunTask's `failures` say it (…/api_failures_messages.html); "" when it can."""
    if not host.agent_connected:
        return "AGENT"
    cpu, memory = model.used(host)
    wanted = Task("", "", definition, host, "", 0.0)
    if cpu + wanted.cpu > host.cpu:
        return "RESOURCE:CPU"
    return "RESOURCE:MEMORY" if memory + wanted.memory > host.memory else ""


def placement(model, cluster: str, definition, same: list[Task], distinct: bool = False) -> Instance | None:
    """Spread over zones, then instances, by tasks of the same kind; then the emptiest host (RunTask's own default is
    random: a test is better off with this)."""

    def crowd(host: Instance) -> tuple:
        there = [task for task in same if task.instance.zone == host.zone]
        return (len(there), sum(task.instance is host for task in same), len(model.tasks_on(host)))

    hosts = [one for one in model.instances if one.cluster == cluster and one.status == "ACTIVE"]
    hosts = [one for one in hosts if not refusal(model, one, definition)]
    if distinct:
        hosts = [one for one in hosts if not any(task.instance is one for task in same)]
    return min(hosts, key=crowd, default=None)


def _place(model, service: Service, now: float) -> Task | None:
    same = [task for task in model.tasks if task.service is service and task.last != "STOPPED"]
    distinct = any(one["type"] == "distinctInstance" for one in service.constraints)
    host = placement(model, service.cluster, service.primary.definition, same, distinct)
    if host is None:
        service.say(now, "was unable to place a task because no container instance met all of its requirements.")
        return None
    return _start(model, service, host)


def _start(model, service: Service, host: Instance) -> Task:
    group, deployment = f"service:{service.name}", service.primary
    return model.start_task(host, deployment.definition, group, service=service, deployment=deployment.id)


def _stop(service: Service, tasks: list[Task], now: float) -> None:
    if not tasks:
        return
    reason = f"Scaling activity initiated by (deployment {service.primary.id})"
    stopped = [task for task in tasks if request_stop(task, now, _INITIATED, reason)]
    if stopped:
        service.say(now, f"has stopped {len(stopped)} running tasks: {_named(stopped)}.")


def _named(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
