"""What tests of ECS hosts share: the real agent on a container instance of the rig."""

import time

from rig.agent import Agent
from rig.aws.ecs_rig import EcsRig
from rig.aws.ecs_state import Instance, Task
from rig.binaries import spotkeeper
from rig.imds import Imds
from rig.process import until


def start(
    rig: EcsRig,
    host: Instance,
    imds: Imds,
    env: dict | None = None,
    introspection: bool = True,
    command: tuple[str, ...] = ("agent",),
    arguments: tuple = (),
) -> Agent:
    """`spotkeeper agent` as a systemd unit or daemon task starts it. `introspection`: the ECS agent answers."""
    number = len(list(rig.folder.glob("spotkeeper-*.stdout"))) + 1
    environment = {
        "INSTANCE_METADATA_URL": imds.url,
        "JSON_LOGGING": "true",
        "ECS_INTROSPECTION_URL": rig.agent(host).url if introspection else "http://127.0.0.1:9",
    }
    agent = Agent(
        spotkeeper(),
        rig.folder,
        f"spotkeeper-{number}",
        rig.aws.environment() | environment | (env or {}),
        list(arguments),
        command=command,
    )
    return agent


def known(agent: Agent) -> Agent:
    """It knows which container instance it is on."""
    agent.wait_for_message("container instance found")
    return agent


def told_before_end(task: Task, deadline: float) -> float:
    """How many seconds before its host's end the task was told."""
    assert task.told_at is not None, f"{task.arn} was never told"
    return deadline - task.told_at


def gone(*tasks: Task, at_most: float = 30) -> None:
    until(lambda: all(task.last == "STOPPED" for task in tasks), at_most, "all tasks STOPPED")


def sleep_to(moment: float) -> None:
    """Until a moment of Unix time: the end of a host is not waited for otherwise."""
    time.sleep(max(0.0, moment - time.time()))
