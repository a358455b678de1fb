"""The ECS control plane and its hosts, as a model over moto's clusters and task definitions, run by a clock thread.

Who starts what: `EcsModel(server)` answers the server's ECS calls (ecs_api.py), `register` adds container instances,
the service scheduler (ecs_scheduler.py) starts and stops tasks, ecs_tasks.py moves each through its states. All under
one lock; `stop()` ends the clock. A failure inside the clock is kept and raised by `check()`.
"""

import functools
import threading
import time

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ecs.exceptions import ECSException
from moto.ecs.models import ecs_backends

from . import ecs_scheduler, ecs_tasks
from .ecs_state import STOP_TIMEOUT_S, Delays, Instance, Service, Task, new_arn
from .elb_model import ElbModel
from .replies import AwsError
from .server import AwsServer

_KEPT_S = 3600  # stopped tasks and INACTIVE instances can be described for an hour (API_DescribeTasks.html)


class EcsModel:
    """`filter_lag_s`, `filter_rows`: see ecs_queries.py."""

    def __init__(self, server: AwsServer, delays: Delays | None = None):
        from .ecs_api import EcsApi

        self.server = server
        self.region = server.region
        self.delays = delays or Delays()
        self.elb = ElbModel(server.region, time.time, self.delays)
        self.lock = threading.RLock()
        self.instances: list[Instance] = []
        self.tasks: list[Task] = []
        self.services: list[Service] = []
        self.filter_lag_s = 0.0
        self.filter_rows = "matching"
        self.history: list[tuple[float, list[dict]]] = []  # of rows that filters see, for the lag
        self._broken: Exception | None = None
        self._end = threading.Event()
        server.models["ecs"] = EcsApi(self).answer
        server.models["elasticloadbalancing"] = self.elb.answer
        self._thread = threading.Thread(target=self._run, name="ecs-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        self.check()

    def check(self) -> None:
        if self._broken:
            raise RuntimeError("the ECS model broke") from self._broken

    # What moto keeps.

    @property
    def backend(self):
        return ecs_backends[DEFAULT_ACCOUNT_ID][self.region]

    def cluster(self, name_or_arn: str | None) -> str:
        """Its name; "default" when none is given (API_DescribeContainerInstances.html)."""
        name = (name_or_arn or "default").rpartition("/")[2]
        cluster = self.backend.clusters.get(name)
        if cluster is None or cluster.status != "ACTIVE":
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return name

    def cluster_arn(self, name: str) -> str:
        return f"arn:aws:ecs:{self.region}:{DEFAULT_ACCOUNT_ID}:cluster/{name}"

    def definition(self, name_or_arn: str):
        try:
            found = self.backend.describe_task_definition(name_or_arn)
        except ECSException:
            raise AwsError("ClientException", "TaskDefinition not found.") from None
        if found.status != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return found

    # Hosts.

    def register(
        self,
        cluster: str,
        ec2_id: str,
        cpu: int,
        memory: int,
        zone: str,
        stop_timeout: float = STOP_TIMEOUT_S,
        status: str = "ACTIVE",
    ) -> Instance:
        """What an agent does when it starts. `stop_timeout` is its ECS_CONTAINER_STOP_TIMEOUT, at least 1 s."""
        with self.lock:
            number = len(self.instances)
            instance = Instance(
                arn=new_arn(self.region, "container-instance", cluster),
                cluster=cluster,
                ec2_id=ec2_id,
                zone=zone,
                cpu=cpu,
                memory=memory,
                registered_at=time.time(),
                private_ip=f"10.0.{number // 250}.{number % 250 + 4}",
                stop_timeout=max(stop_timeout, 1.0),
                status=status,
            )
            self.instances.append(instance)
            return instance

    def end_host(self, instance: Instance) -> list[Task]:
        """The host is gone this instant, with everything on it. Returns the tasks that still ran there."""
        with self.lock:
            now = instance.ended_at = time.time()
            there = [task for task in self.tasks if task.instance is instance]
            for process in instance.processes:
                process.kill()
            for task in there:
                for container in task.containers:
                    container.cut_off(now)
            return [task for task in there if task.end == "cut off" and task.ended_at == now]

    def tasks_on(self, instance: Instance) -> list[Task]:
        return [task for task in self.tasks if task.instance is instance and task.last != "STOPPED"]

    def used(self, instance: Instance) -> tuple[int, int]:
        """CPU and memory reserved; a task holds them until STOPPED (docs…/task-lifecycle-explanation.html)."""
        there = self.tasks_on(instance)
        return sum(task.cpu for task in there), sum(task.memory for task in there)

    def start_task(self, instance: Instance, definition, group: str, **more) -> Task:
        task = Task(
            arn=new_arn(self.region, "task", instance.cluster),
            cluster=instance.cluster,
            definition=definition,
            instance=instance,
            group=group,
            created_at=time.time(),
            since=time.time(),
            **more,
        )
        task.containers = ecs_tasks.make_containers(task)
        self.tasks.append(task)
        return task

    def stop_task(self, task: Task, code: str, reason: str) -> None:
        ecs_tasks.request_stop(task, time.time(), code, reason)

    def deregister(self, instance: Instance) -> None:
        """With force: its tasks are orphaned. They run on while ECS takes them for stopped, replaces them when they are
        a service's, and deregisters them from their target groups (API_DeregisterContainerInstance.html)."""
        now = time.time()
        instance.status, instance.agent_connected = "INACTIVE", False
        instance.version += 1
        for task in self.tasks_on(instance):
            ecs_tasks.deregister(task, now, self.elb)
            self._forget(task, now, "ServiceSchedulerInitiated", "The container instance was deregistered.")

    def _forget(self, task: Task, now: float, code: str, reason: str) -> None:
        """The control plane's view ends at once; what runs on the host is not touched."""
        ecs_tasks.request_stop(task, now, code, reason)
        task.stopped_at = now
        ecs_tasks.go_to(task, "STOPPED", now)

    # The clock.

    def _run(self) -> None:
        while not self._end.wait(self.delays.tick):
            try:
                with self.lock:
                    self.tick(time.time())
            except Exception as error:
                self._broken = error
                return

    def tick(self, now: float) -> None:
        for instance in self.instances:
            if instance.ended_at is not None and now >= instance.ended_at + self.delays.host_missed:
                self._host_missed(instance, now)
        for task in self.tasks:
            if task.last == "STOPPED":
                for container in task.containers:  # an orphan's
                    container.advance(now)
            else:
                ecs_tasks.advance(task, now, self.delays, self.elb)
        for service in self.services:
            if now >= service.next_round:
                service.next_round = now + self.delays.scheduler
                ecs_scheduler.round_of(self, service, now)
        self._remember(now)

    def _host_missed(self, instance: Instance, now: float) -> None:
        """A terminated instance is INACTIVE, and not listed (docs…/container-instance-life-cycle.html). Its tasks get
        this code and reason (seen in the wild: "TerminationNotice", "Host EC2 (instance i-…) terminated.")."""
        if instance.status == "INACTIVE" and not self.tasks_on(instance):
            return
        instance.status, instance.agent_connected = "INACTIVE", False
        reason = f"Host EC2 (instance {instance.ec2_id}) terminated."
        for task in self.tasks_on(instance):
            ecs_tasks.deregister(task, now, self.elb)
            self._forget(task, now, "TerminationNotice", reason)

    def _remember(self, now: float) -> None:
        from .ecs_queries import row

        self.history.append((now, [row(self, one) for one in self.instances if one.status != "INACTIVE"]))
        while len(self.history) > 1 and self.history[1][0] < now - self.filter_lag_s:
            del self.history[0]

    def describable(self, task: Task) -> bool:
        return task.stopped_at is None or time.time() < task.stopped_at + _KEPT_S


def locked(method):
    """For methods of objects whose `model` is an EcsModel."""

    @functools.wraps(method)
    def under_lock(self, *arguments, **named):
        with self.model.lock:
            return method(self, *arguments, **named)

    return under_lock
