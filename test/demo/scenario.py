"""What the demo's cluster runs: one host that will end, with pods of every temper, and two hosts with room."""

import dataclasses

from rig import Node, Rig

NAMESPACE = "shop"


@dataclasses.dataclass(frozen=True)
class App:
    """One workload. `pods` of it run on the host that ends; `what` is its line in the list of pods."""

    name: str
    kind: str
    pods: int
    what: str


APPS = [
    App("web", "Deployment", 3, "its budget (PDB) wants 2 of 3 Ready at any time"),
    App("checkout", "Deployment", 1, "its budget allows no eviction at all"),
    App("report", "Deployment", 1, "grace 600 s (more than the notice); ends in 12 s"),
    App("db", "StatefulSet", 1, "needs 5 s to end well"),
    App("import", "Job", 1, "a Job waits 10 s before it starts a pod again"),
    App("log-agent", "DaemonSet", 1, "belongs to the node and stays on it"),
]
STAYS = "log-agent"
MOVING = [app for app in APPS if app.name != STAYS]


def build(rig: Rig) -> Node:
    """Makes nodes, pods and budgets; returns the node that will end. Everything is Ready then."""
    doomed = rig.node("n1")
    rig.node("n2")
    rig.node("n3")
    rig.deployment("web", replicas=3, on=doomed, ready_after=2, ends_after=1)
    rig.deployment("checkout", on=doomed, ready_after=1, ends_after=2)
    rig.deployment("report", on=doomed, grace=600, ends_after=12)
    rig.stateful_set("db", on=doomed, ends_after=5)
    rig.job("import", on=doomed)
    rig.daemon_set(STAYS)
    for app in MOVING:
        rig.until_running(app.name, app.pods, on=doomed)
    rig.pdb("web", min_available=2)
    rig.pdb("checkout", max_unavailable=0)
    return doomed


def list_of_pods() -> list[tuple[str, str, str]]:
    """(pods, kind, what), a row for each App."""
    return [(f"{app.pods} × {app.name}", app.kind, app.what) for app in APPS]
