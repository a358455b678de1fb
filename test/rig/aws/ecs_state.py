"""What the ECS model knows: container instances, tasks and their containers, services and deployments.

Two truths are kept apart, as they are on a real host: what the control plane says of a task (`Task.last`, `desired`),
and what its applications lived through (`Container`: told, killed, cut off). Times are Unix seconds.
"""

import dataclasses
import signal
import uuid

from moto.core import DEFAULT_ACCOUNT_ID

from ..agent import Agent

# docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")
# docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html: ECS_CONTAINER_STOP_TIMEOUT, default 30 s
STOP_TIMEOUT_S = 30.0

# Labels (dockerLabels) of a container definition, seconds as a decimal number.
ENDS_AFTER = "rig.spotkeeper.io/ends-after"  # how long its application needs to end once told; default 0.2
COMPLETES_AFTER = "rig.spotkeeper.io/completes-after"  # it ends by itself, with success, after that long


@dataclasses.dataclass(eq=False)
class Delays:
    """How long things take, in seconds. Short, so that tests are; AWS's own figures stand beside them."""

    tick: float = 0.02
    provisioning: float = 0.0  # awsvpc: attaching the network interface, some seconds
    pending: float = 0.1  # the agent pulls the image and starts the containers
    activating: float = 0.0
    to_agent: float = 0.02  # from the control plane to the agent's SIGTERM
    deprovisioning: float = 0.0  # awsvpc: detaching the interface
    # Without a health check a task counts as healthy 40 s after RUNNING (minimumHealthyPercent in
    # docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html).
    steady: float = 0.0
    scheduler: float = 0.1  # the service scheduler's round
    target_initial: float = 0.1  # until the load balancer's health checks have passed
    host_missed: float = 0.3  # until ECS learns that a host has ended


@dataclasses.dataclass(eq=False)
class Instance:
    """A container instance, and the host that it is."""

    arn: str
    cluster: str
    ec2_id: str
    zone: str
    cpu: int
    memory: int
    registered_at: float
    private_ip: str
    status: str = "ACTIVE"
    agent_connected: bool = True
    stop_timeout: float = STOP_TIMEOUT_S
    capacity_provider: str = ""
    ended_at: float | None = None  # the host's own end
    processes: list[Agent] = dataclasses.field(default_factory=list)  # real ones, of no task: they end with the host
    attributes: dict[str, str] = dataclasses.field(default_factory=dict)  # custom ones
    version: int = 1

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]


@dataclasses.dataclass(eq=False)
class Container:
    """One container's life on its host, whatever the control plane knows of it."""

    name: str
    essential: bool
    stop_timeout: float
    needs_s: float
    completes_after: float | None
    started_at: float | None = None
    sigterm_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    end: str = ""  # "completed" (by itself), "ended" (told, in time), "killed" (SIGKILL), "cut off" (by the host's end)
    process: Agent | None = None  # a real one: it gets the signals, and its end is the container's

    def advance(self, now: float) -> None:
        """docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html: SIGTERM, SIGKILL after stopTimeout. An
        application that ends on SIGTERM in its own way exits with 0; SIGKILL is 128 + 9."""
        if self.started_at is None or self.ended_at is not None:
            return
        if self.process:
            self._advance_process(now)
            return
        if self.sigterm_at is None:
            if self.completes_after is not None and now >= self.started_at + self.completes_after:
                self._over(self.started_at + self.completes_after, 0, "completed")
            return
        if now >= self.sigterm_at + min(self.needs_s, self.stop_timeout):
            in_time = self.needs_s <= self.stop_timeout
            at = self.sigterm_at + min(self.needs_s, self.stop_timeout)
            self._over(at, 0 if in_time else 137, "ended" if in_time else "killed")

    def _advance_process(self, now: float) -> None:
        if (code := self.process.exit_code) is not None:
            self._over(now, 128 - code if code < 0 else code, "completed" if self.sigterm_at is None else "ended")
        elif self.sigterm_at is not None and now >= self.sigterm_at + self.stop_timeout:
            self.process.kill()
            self._over(now, 137, "killed")

    def tell(self, now: float) -> None:
        self.sigterm_at = now
        if self.process:
            self.process.signal(signal.SIGTERM)

    def cut_off(self, now: float) -> None:
        self.advance(now)
        if self.started_at is not None and self.ended_at is None:
            if self.process:
                self.process.kill()
            self._over(now, 137, "cut off")

    def _over(self, at: float, exit_code: int, end: str) -> None:
        self.ended_at, self.exit_code, self.end = at, exit_code, end


@dataclasses.dataclass(eq=False)
class Target:
    """Where a load balancer reaches a task."""

    group_arn: str
    id: str
    port: int


@dataclasses.dataclass(eq=False, repr=False)
class Task:
    arn: str
    cluster: str
    definition: object  # moto's TaskDefinition
    instance: Instance
    group: str
    created_at: float
    service: "Service | None" = None
    deployment: str = ""  # also startedBy
    tags: list = dataclasses.field(default_factory=list)
    containers: list[Container] = dataclasses.field(default_factory=list)
    targets: list[Target] = dataclasses.field(default_factory=list)
    last: str = "PROVISIONING"
    desired: str = "RUNNING"
    since: float = 0.0  # of `last`
    started_at: float | None = None
    stopping_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    protected_until: float | None = None
    version: int = 1

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def cpu(self) -> int:
        return int(self.definition.cpu or sum(one.get("cpu", 0) for one in self.definition.container_definitions))

    @property
    def memory(self) -> int:
        """Reserved: memoryReservation, else memory (docs…/developerguide/task_definition_parameters.html)."""
        parts = self.definition.container_definitions
        return int(self.definition.memory or sum(one.get("memoryReservation", one.get("memory", 0)) for one in parts))

    def over(self) -> bool:
        """All its applications have ended, or never began."""
        return all(one.started_at is None or one.ended_at is not None for one in self.containers)

    def protected(self, now: float) -> bool:
        return self.protected_until is not None and self.protected_until > now

    # What a test asks of it.

    def __repr__(self) -> str:
        name, end = self.service.name if self.service else self.definition.family, self.end or "lives"
        return f"<{name} {self.id[:6]} on {self.instance.ec2_id}: {self.last}, told {self.told_at}, {end}>"

    @property
    def told_at(self) -> float | None:
        """When the first of its applications got SIGTERM."""
        return min((one.sigterm_at for one in self.containers if one.sigterm_at is not None), default=None)

    @property
    def ended_at(self) -> float | None:
        """When the last of its applications had ended."""
        return max(one.ended_at for one in self.containers) if self.started_at and self.over() else None

    @property
    def end(self) -> str:
        """The worst of its containers' ends; "" while one lives."""
        ends = {one.end for one in self.containers}
        return "" if "" in ends else next(end for end in ("cut off", "killed", "ended", "completed") if end in ends)

    @property
    def exit_code(self) -> int | None:
        return max(one.exit_code for one in self.containers) if self.end else None

    @property
    def untold(self) -> bool:
        """Its host ended while it ran, and nobody had sent it SIGTERM."""
        return any(one.end == "cut off" and one.sigterm_at is None for one in self.containers)


@dataclasses.dataclass(eq=False)
class Deployment:
    id: str
    definition: object
    created_at: float
    status: str = "PRIMARY"


@dataclasses.dataclass(eq=False)
class Service:
    arn: str
    name: str
    cluster: str
    desired: int
    minimum: int
    maximum: int
    daemon: bool
    created_at: float
    deployments: list[Deployment]
    load_balancers: list[dict] = dataclasses.field(default_factory=list)
    constraints: list[dict] = dataclasses.field(default_factory=list)
    tags: list = dataclasses.field(default_factory=list)
    status: str = "ACTIVE"
    events: list[dict] = dataclasses.field(default_factory=list)  # newest first, 100 at most
    next_round: float = 0.0

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    def say(self, now: float, text: str) -> None:
        """Repeats of the newest message are left out (AWS throttles them too)."""
        message = f"(service {self.name}) {text}"
        if not self.events or self.events[0]["message"] != message:
            self.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": now, "message": message})
            del self.events[100:]


def new_arn(region: str, kind: str, *path: str) -> str:
    """The long format, of which the last part is a random id."""
    return f"arn:aws:ecs:{region}:{DEFAULT_ACCOUNT_ID}:{kind}/{'/'.join([*path, uuid.uuid4().hex])}"
