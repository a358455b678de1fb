"""What tests of ECS hosts need, a line each. **Begin here**; the fixture is `ecs_rig`.

    one, two = ecs_rig.hosts(2, slots=4)
    web = ecs_rig.service("web", count=2, minimum=100, stop_timeout=5, ends_after=3)
    job = ecs_rig.run("job", on=one, stop_timeout=5)
    ecs_rig.settle()                                # everything RUNNING, targets healthy
    ecs_rig.drain(one)                              # or let a spotkeeper do it
    ecs_rig.end_host(one)                           # everything on it is cut off
    assert not [task for task in ecs_rig.tasks if task.untold]

Objects are the model's own (ecs_state.py): `task.told_at`, `.end`, `.exit_code`, `.untold`; `host.status`. The API is
`ecs_rig.ecs` and `ecs_rig.elb` (boto3); what was called, `ecs_rig.aws.calls_of("StopTask")`; bad weather,
`ecs_rig.aws.faults`. A stop for another reason: `ecs_rig.model.stop_task(task, "SpotInterruption", "…")`.
"""

import pathlib
import time

from ..agent import Agent
from ..binaries import spotkeeper
from ..imds import Imds, rfc3339
from ..imds_proxy import ImdsProxy
from ..process import until
from .ecs_model import EcsModel
from .ecs_state import COMPLETES_AFTER, ENDS_AFTER, STOP_TIMEOUT_S, Delays, Instance, Service, Task
from .introspection import EcsAgent
from .server import AwsServer
from .signing import Key

_SLOT_CPU, _SLOT_MEMORY = 256, 256


class EcsRig:
    """One cluster of one test. `delays` is how long things take; a test may change it at any time."""

    def __init__(self, folder: pathlib.Path, cluster: str = "rig", delays: Delays | None = None):
        self.folder, self.cluster = folder, cluster
        self.aws = AwsServer()
        self.model = EcsModel(self.aws, delays)
        self.delays = self.model.delays
        self.ecs, self.elb = self.aws.client("ecs"), self.aws.client("elbv2")
        self.agents: list[Agent] = []
        self._ecs_agents: list[EcsAgent] = []
        self._imds: list[Imds | ImdsProxy] = []
        self._vpc: str | None = None
        self.ecs.create_cluster(clusterName=cluster)

    def __enter__(self) -> "EcsRig":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        for part in [*self.agents, *self._ecs_agents, *self._imds]:
            part.stop()
        self.aws.stop()
        self.model.stop()

    # Making things.

    def host(self, slots: int = 10, zone: str = "eu-west-1a", stop_timeout: float = STOP_TIMEOUT_S, **more) -> Instance:
        """A container instance with room for `slots` tasks of the default size. `stop_timeout`: the agent's
        ECS_CONTAINER_STOP_TIMEOUT; `more`: see EcsModel.register."""
        name = f"i-{0x0EC5 * 2**48 + len(self.model.instances) + 1:017x}"
        return self.model.register(
            self.cluster, name, slots * _SLOT_CPU, slots * _SLOT_MEMORY, zone, stop_timeout=stop_timeout, **more
        )

    def hosts(self, count: int, **more) -> list[Instance]:
        return [self.host(**more) for _ in range(count)]

    def definition(
        self,
        family: str,
        stop_timeout: int | None = None,
        ends_after: float = 0.2,
        completes_after: float | None = None,
        slots: int = 1,
        network_mode: str = "bridge",
    ) -> str:
        """A task definition of one container; its ARN. The labels say how its application behaves."""
        labels = {ENDS_AFTER: str(ends_after)} | ({COMPLETES_AFTER: str(completes_after)} if completes_after else {})
        container = {
            "name": "app",
            "image": "app",
            "cpu": slots * _SLOT_CPU,
            "memory": slots * _SLOT_MEMORY,
            "dockerLabels": labels,
            "portMappings": [{"containerPort": 80}],
        } | ({} if stop_timeout is None else {"stopTimeout": stop_timeout})
        answer = self.ecs.register_task_definition(
            family=family, networkMode=network_mode, containerDefinitions=[container]
        )
        return answer["taskDefinition"]["taskDefinitionArn"]

    def service(
        self,
        name: str,
        count: int = 1,
        minimum: int | None = None,
        maximum: int | None = None,
        daemon: bool = False,
        group: str | None = None,
        distinct: bool = False,
        **definition,
    ) -> Service:
        """`group`: its target group (`target_group`); `definition`: see there."""
        percents = {"minimumHealthyPercent": minimum, "maximumPercent": maximum}
        asked = {
            "deploymentConfiguration": {key: value for key, value in percents.items() if value is not None},
            "loadBalancers": [{"targetGroupArn": group, "containerName": "app", "containerPort": 80}] if group else [],
            "placementConstraints": [{"type": "distinctInstance"}] if distinct else [],
        }
        strategy = {"schedulingStrategy": "DAEMON"} if daemon else {"desiredCount": count}
        arn = self.definition(name, **definition)
        self.ecs.create_service(cluster=self.cluster, serviceName=name, taskDefinition=arn, **strategy, **asked)
        return self.model.services[-1]

    def run(self, family: str, on: Instance, **definition) -> Task:
        """A standalone task on that host (StartTask)."""
        arn = self.definition(family, **definition)
        answer = self.ecs.start_task(cluster=self.cluster, taskDefinition=arn, containerInstances=[on.arn])
        assert not answer["failures"], answer["failures"]
        return next(task for task in self.model.tasks if task.arn == answer["tasks"][0]["taskArn"])

    def target_group(self, name: str, delay_s: int = 300, kind: str = "instance") -> str:
        """Its ARN. `delay_s`: deregistration_delay.timeout_seconds."""
        if self._vpc is None:
            self._vpc = self.aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        groups = self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self._vpc, TargetType=kind)
        arn = groups["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay_s)}
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        return arn

    def imds(self, host: Instance, **notice) -> Imds:
        """The host's metadata service (rig/imds.py), with keys of its instance role; `notice` as there."""
        key, access_key = self.key_of(host), _access_key(host)
        values = {
            "placement-availability-zone": host.zone,
            "placement-region": self.aws.region,
            "iam-security-credentials": {
                "Code": "Success",
                "LastUpdated": rfc3339(time.time()),
                "Type": "AWS-HMAC",
                "AccessKeyId": access_key,
                "SecretAccessKey": key.secret,
                "Token": key.token,
                "Expiration": rfc3339(key.expires),
            },
        }
        self._imds.append(Imds(self.folder, f"imds-{host.ec2_id}", host.ec2_id, values, **notice))
        return self._imds[-1]

    def imds_proxy(self, host: Instance) -> ImdsProxy:
        """The same behind a relay that makes weather (rig/imds_proxy.py); `.imds` is the mock."""
        self._imds.append(ImdsProxy(self.imds(host)))
        return self._imds[-1]

    def key_of(self, host: Instance) -> Key:
        """Of its instance role. `.actions = actions_of(policy)` takes rights from it."""
        expires = time.time() + 6 * 3600
        new = Key(f"secret-of-{host.ec2_id}", f"token-of-{host.ec2_id}", expires)
        return self.aws.keys.setdefault(_access_key(host), new)

    def agent(self, host: Instance, **more) -> EcsAgent:
        """The host's ECS agent: introspection at `.url`; `more`: see EcsAgent (`imds=…, drains=True`)."""
        self._ecs_agents.append(EcsAgent(self.model, host, **more))
        return self._ecs_agents[-1]

    def spotkeeper(
        self,
        host: Instance,
        imds: Imds | ImdsProxy,
        agent: EcsAgent,
        task: Task | None = None,
        env: dict | None = None,
        arguments: list | tuple = (),
        command: tuple[str, ...] = ("agent", "--platform", "ecs"),
        keys: bool = True,
    ) -> Agent:
        """The real executable on that host: as a systemd unit would start it, or as the application of `task` (of a
        daemon service, say). It ends with the host; as a task it also gets that task's SIGTERM and SIGKILL. Without
        `keys` in its environment it has to find those of the instance role."""
        given = {name: text for name, text in self.aws.environment().items() if keys or "KEY" not in name}
        environment = given | {
            "INSTANCE_METADATA_URL": imds.url,
            "ECS_INTROSPECTION_URL": agent.url,
            "JSON_LOGGING": "true",
        }
        if task:
            environment["ECS_CONTAINER_METADATA_URI_V4"] = agent.task_metadata_url(task)
        environment |= {key: str(value) for key, value in (env or {}).items()}
        name = f"spotkeeper-{len(self.agents) + 1}"
        process = Agent(spotkeeper(), self.folder, name, environment, list(arguments), command=command)
        with self.model.lock:
            if task:
                task.containers[0].process = process
            else:
                host.processes.append(process)
        self.agents.append(process)
        return process

    # Looking, and making things happen.

    def report(self) -> str:
        """For a test that failed: the last calls, and all tasks."""
        calls = [f"{call.at:.3f} {call.action} {call.status} {call.error} {call.params}" for call in self.aws.calls]
        return "\n".join([*(line[:240] for line in calls[-60:]), *map(repr, self.tasks)])

    @property
    def tasks(self) -> list[Task]:
        with self.model.lock:
            return list(self.model.tasks)

    def tasks_of(self, service: Service) -> list[Task]:
        return [task for task in self.tasks if task.service is service]

    def tasks_on(self, host: Instance) -> list[Task]:
        """All that ever were on it."""
        return [task for task in self.tasks if task.instance is host]

    def running(self, *tasks: Task) -> bool:
        return all(task.last == "RUNNING" and task.desired == "RUNNING" for task in tasks or self.tasks)

    def settle(self, at_most: float = 10) -> None:
        """Until every service has its number of tasks, all that should run are RUNNING, and their targets healthy."""
        until(self._settled, at_most, "all services steady and all tasks running")

    def _settled(self) -> bool:
        self.model.check()
        with self.model.lock:
            now = time.time()
            alive = [task for task in self.model.tasks if task.last != "STOPPED"]
            for service in self.model.services:
                own = [task for task in alive if task.service is service]
                hosts = [one for one in self.model.instances if one.status == "ACTIVE"]
                if service.status == "ACTIVE" and len(own) != (len(hosts) if service.daemon else service.desired):
                    return False
            targets = [target for task in alive for target in task.targets]
            return self.running(*alive) and all(self.model.elb.is_healthy(target, now) for target in targets)

    def drain(self, host: Instance) -> None:
        """UpdateContainerInstancesState DRAINING, as somebody else would."""
        answer = self.ecs.update_container_instances_state(
            cluster=self.cluster, containerInstances=[host.arn], status="DRAINING"
        )
        assert not answer["failures"], answer["failures"]

    def end_host(self, host: Instance) -> list[Task]:
        """The Spot host is taken away now. Returns the tasks it cut off (`task.untold`: those nobody had told)."""
        return self.model.end_host(host)


def _access_key(host: Instance) -> str:
    return f"ASIA{host.ec2_id[-16:].upper()}"
