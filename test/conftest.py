"""Fixtures: one control plane for the whole run, one Rig for each test."""

import re

import pytest

from rig import ControlPlane, Rig
from rig.person import Person


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture
def rig(request, control_plane, tmp_path):
    control_plane.check_alive()
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    with Rig(control_plane, tmp_path, name) as rig:
        yield rig


@pytest.fixture
def person(rig):
    """Who drains by hand, with every right."""
    with Person(rig.control_plane.kubeconfig()) as person:
        yield person


@pytest.fixture
def ecs_rig(tmp_path):
    """An ECS cluster without hosts (rig/aws/ecs_rig.py)."""
    from rig.aws.ecs_rig import EcsRig  # moto takes a second to import: only those who need it wait

    with EcsRig(tmp_path) as rig:
        yield rig
        said = [step["message"] for agent in rig.agents for step in agent.steps()]
    # The core's sentences are turned into the words of ECS by phrase: one that was missed is seen here.
    assert not [one for one in said if _KUBERNETES_WORDS.search(one)]


_KUBERNETES_WORDS = re.compile(r"\b(pods?|evict\w*|cordon\w*|budgets?|\w+Set|kubectl)\b")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its agents wrote, and where the other logs are."""
    report = yield
    rig = (item.funcargs.get("rig") or item.funcargs.get("ecs_rig")) if report.failed else None
    if rig:
        plane = getattr(rig, "control_plane", None)
        report.sections.append(("logs", f"{rig.folder}\n{plane.folder if plane else ''}"))
        if "ecs_rig" in item.funcargs:
            report.sections.append(("AWS calls, ECS tasks", rig.report()))
        other = item.funcargs.get("other")
        for agent in [*rig.agents, *(other.agents if other else [])]:
            tail = "\n".join(agent.output().splitlines()[-60:])
            report.sections.append((f"{agent.name} (exit code {agent.exit_code})", tail))
    return report
