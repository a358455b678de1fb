"""What the tests of bad weather share: a notice with room in it, and a pod that shows when it was told."""

from .process import until

# A budget may hold a pod back until FORCE_S before the end; told in time is 10 s before it.
CALM = {
    "TAINT_NODE": "true",
    "ENOUGH_GRACE": 15,
    "ENABLE_PROMETHEUS_SERVER": "true",
    "PROMETHEUS_SERVER_PORT": "0",
}
FORCE_S = 18


def shy_pod(rig, name: str, node, **pod) -> str:
    """A pod whose budget never lets it go: it is told at its last moment and at no other.

    It is bare: nothing replaces it, so that hosts of one rig do not meet.
    """
    rig.pod(name, on=node, **pod)
    return rig.pdb(name, min_available=1)


def told_at_its_last_moment(rig, app: str, imds, at_most: float = 35, late_s: float = 3, early_s: float = 8) -> None:
    """Waits until it is told. Early: a slow API is allowed for, at each of three requests."""
    until(lambda: rig.told(app), at_most, f"{app} told")
    left = imds.deadline - rig.told(app).told_at
    assert FORCE_S - late_s <= left <= FORCE_S + early_s, f"{app} was told {left:.1f} s before the end"


def counted(agent, family: str = "api_requests", **labels) -> float:
    """The sum of a family of counters with those labels, as /metrics says: counted(agent, code=0)."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        value
        for key, value in agent.metrics().items()
        if key.startswith(f"spotkeeper_{family}_total") and all(part in key for part in wanted)
    )


def ended_well(agent, moved: int, at_most: float = 30, **others) -> dict:
    """Nobody untold, and the process lives. Returns the post-mortem."""
    result = agent.post_mortem(at_most)
    expected = {"moved": moved, "untold": 0} | others
    assert {key: result[key] for key in expected} == expected, result
    assert agent.exit_code is None
    return result
