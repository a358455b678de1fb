"""A task's way through its states, by docs.aws.amazon.com/AmazonECS/latest/developerguide/
task-lifecycle-explanation.html: PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING,
STOPPED. A stop asked for before RUNNING skips what was not begun.
"""

from .ecs_state import COMPLETES_AFTER, ENDS_AFTER, STARTING, Container, Delays, Target, Task
from .elb_model import ElbModel


def make_containers(task: Task) -> list[Container]:
    """From its task definition; stopTimeout there wins over the agent's ECS_CONTAINER_STOP_TIMEOUT
    (docs…/APIReference/API_ContainerDefinition.html)."""
    made = []
    for definition in task.definition.container_definitions:
        labels = definition.get("dockerLabels", {})
        completes = labels.get(COMPLETES_AFTER)
        made.append(
            Container(
                name=definition["name"],
                essential=definition.get("essential", True),
                stop_timeout=float(definition.get("stopTimeout", task.instance.stop_timeout)),
                needs_s=float(labels.get(ENDS_AFTER, 0.2)),
                completes_after=None if completes is None else float(completes),
            )
        )
    return made


def request_stop(task: Task, now: float, code: str, reason: str) -> bool:
    """Sets desiredStatus STOPPED; what follows is `advance`. False when that was done before: its reason stays."""
    if task.desired == "STOPPED":
        return False
    task.desired, task.stopping_at, task.stop_code, task.stopped_reason = "STOPPED", now, code, reason
    task.version += 1
    return True


def go_to(task: Task, state: str, now: float) -> None:
    task.last, task.since = state, now
    task.version += 1


def advance(task: Task, now: float, delays: Delays, elb: ElbModel) -> None:
    """Every step that is due by now."""
    for container in task.containers:
        container.advance(now)
    while step(task, now, delays, elb):
        pass


def step(task: Task, now: float, delays: Delays, elb: ElbModel) -> bool:
    """One change of state, when one is due."""
    before = task.last
    if task.last in STARTING:
        _step_starting(task, now, delays, elb)
    elif task.last == "RUNNING":
        _step_running(task, now, elb)
    elif task.last == "DEACTIVATING":
        # The target group's deregistration delay is waited for before SIGTERM (containers-roadmap issue 2673 quotes
        # AWS: so since February 2023). Whoever deregistered the targets earlier has shortened the wait.
        if not any(elb.is_draining(target, now) for target in task.targets):
            go_to(task, "STOPPING", now)
    elif task.last == "STOPPING":
        _step_stopping(task, now, delays)
    elif task.last == "DEPROVISIONING" and now >= task.since + delays.deprovisioning:
        task.stopped_at = now
        go_to(task, "STOPPED", now)
    return task.last != before


def _step_starting(task: Task, now: float, delays: Delays, elb: ElbModel) -> None:
    if task.desired == "STOPPED":
        deregister(task, now, elb)
        go_to(task, "DEPROVISIONING", now)
        return
    if not _agent_reports(task):
        return  # nobody there to start it
    wait = {"PROVISIONING": delays.provisioning, "PENDING": delays.pending, "ACTIVATING": delays.activating}[task.last]
    if now < task.since + wait:
        return
    if task.last == "PROVISIONING":
        go_to(task, "PENDING", now)
    elif task.last == "PENDING":
        for container in task.containers:
            container.started_at = now
        task.targets = [_target(task, one) for one in (task.service.load_balancers if task.service else [])]
        for target in task.targets:  # ACTIVATING is when targets are registered (task lifecycle page)
            elb.register(target.group_arn, target.id, target.port, now)
        go_to(task, "ACTIVATING", now)
    else:
        task.started_at = now
        go_to(task, "RUNNING", now)


def _agent_reports(task: Task) -> bool:
    return task.instance.agent_connected and task.instance.ended_at is None


def _target(task: Task, balancer: dict) -> Target:
    """awsvpc tasks are registered by their own address, others by instance and a port of the ephemeral range
    (docs…/developerguide/alb.html: dynamic host ports 32768 and up)."""
    group = balancer["targetGroupArn"]
    number = int(task.id[:6], 16)
    if task.definition.network_mode == "awsvpc":
        return Target(group, f"10.0.{128 + number % 120}.{number // 120 % 250 + 1}", int(balancer["containerPort"]))
    return Target(group, task.instance.ec2_id, 32768 + number % 28000)


def _step_running(task: Task, now: float, elb: ElbModel) -> None:
    if _agent_reports(task) and any(one.essential and one.ended_at is not None for one in task.containers):
        # An essential container's end ends the task (docs…/APIReference/API_ContainerDefinition.html, essential).
        request_stop(task, now, "EssentialContainerExited", "Essential container in task exited")
    if task.desired == "STOPPED":
        deregister(task, now, elb)
        go_to(task, "DEACTIVATING" if task.targets else "STOPPING", now)


def _step_stopping(task: Task, now: float, delays: Delays) -> None:
    if not _agent_reports(task):
        return  # until ECS learns that the host has gone
    if now >= task.since + delays.to_agent:
        for container in task.containers:
            if container.started_at is not None and container.ended_at is None and container.sigterm_at is None:
                container.tell(now)
    if task.over():
        task.execution_stopped_at = now
        go_to(task, "DEPROVISIONING", now)


def deregister(task: Task, now: float, elb: ElbModel) -> None:
    for target in task.targets:
        elb.deregister(target.group_arn, target.id, target.port, now)
