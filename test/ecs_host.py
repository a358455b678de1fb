"""What tests of ECS hosts share: the real agent on a container instance of the rig."""

import re
import subprocess
import time

from rig.agent import Agent
from rig.aws.ecs_rig import EcsRig
from rig.aws.ecs_state import Instance, Task
from rig.binaries import spotkeeper
from rig.imds import Imds
from rig.process import until

# In what is said of an ECS host; the fields of documents have their names.
KUBERNETES_WORDS = re.compile(r"\b(pods?(?!\"?:)|evict\w*|cordon\w*|budgets?|\w+Set|kubectl)\b", re.IGNORECASE)
MARGIN = 3  # seconds, the agent's default


def start(rig: EcsRig, host: Instance, imds: Imds, introspection: bool = True, wait: bool = True, **more) -> Agent:
    """`spotkeeper agent` as a systemd unit starts it, or as the application of a `task`; by default it knows which
    container instance it is on when this returns. `introspection`: the host's ECS agent answers. `more`: see
    EcsRig.spotkeeper."""
    env = {"IMDS_POLL_INTERVAL": "300ms"} | (more.pop("env", None) or {})
    if not introspection:
        env |= {"ECS_INTROSPECTION_URL": "http://127.0.0.1:9"}
    agent = rig.spotkeeper(host, imds, rig.agent(host), env=env, **more)
    if wait:
        agent.wait_for_message("container instance found")
    return agent


def by_hand(rig: EcsRig, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
    """`spotkeeper plan …` or `spotkeeper drain …` of a person with AWS credentials."""
    command, *rest = arguments
    line = [spotkeeper(), command, "--platform", "ecs", "--cluster", rig.cluster, *rest]
    done = subprocess.run(line, env=rig.aws.environment(), capture_output=True, text=True, timeout=timeout)
    for said in (done.stdout, done.stderr):
        assert not KUBERNETES_WORDS.search(said), said
    return done


def told_before_end(task: Task, deadline: float) -> float:
    """How many seconds before its host's end the task was told."""
    assert task.told_at is not None, f"{task.arn} was never told"
    return deadline - task.told_at


def gone(*tasks: Task, at_most: float = 30) -> None:
    until(lambda: all(task.last == "STOPPED" for task in tasks), at_most, "all tasks STOPPED")


def sleep_to(moment: float) -> None:
    """Until a moment of Unix time: the end of a host is not waited for otherwise."""
    time.sleep(max(0.0, moment - time.time()))


def host_with(rig: EcsRig, *stop_timeouts: int) -> tuple[Instance, list[Task]]:
    """A host with standalone tasks, which DRAINING does not move."""
    host = rig.host(slots=len(stop_timeouts) + 1)
    tasks = [rig.run(f"job-{timeout}", on=host, stop_timeout=timeout) for timeout in stop_timeouts]
    rig.settle()
    return host, tasks


def crowded(rig: EcsRig, stop_timeouts: tuple[int, int, int] = (3, 6, 20)) -> tuple[Instance, list[Task], tuple]:
    """A host with tasks of three services (the last may lose none, and there is room for none more) and two standalone
    tasks; and another host that takes what the first two services give up. The host, those tasks, those services."""
    short, middle, long = stop_timeouts
    one = rig.host(slots=5)
    web = rig.service("web", count=1, minimum=0, stop_timeout=short)
    api = rig.service("api", count=1, minimum=100, maximum=200, stop_timeout=middle)
    db = rig.service("db", count=1, minimum=100, maximum=199, stop_timeout=middle)
    jobs = [rig.run("job", on=one, stop_timeout=short), rig.run("long", on=one, stop_timeout=long)]
    rig.settle()
    rig.host(slots=2)
    return one, [*rig.tasks_of(web), *rig.tasks_of(api), *rig.tasks_of(db), *jobs], (web, api, db)
