"""What the tests of queue mode share: a worker with a pod, a spare node for its replacement, a queue."""

import json
import time

from rig import Rig, stays, until

PREFIX = "aws-node-termination-handler/"
SPOT_ITN, MAINTENANCE = PREFIX + "spot-itn", PREFIX + "scheduled-maintenance"
ASG, REBALANCE = PREFIX + "asg-lifecycle-termination", PREFIX + "rebalance-recommendation"
STATE = "spotkeeper.io/state"
# As all of NTH's scripts have it; its own are the rig's: queue, keys, region, endpoint.
UNCHECKED = {"CHECK_TAG_BEFORE_DRAINING": "false"}


class Scene:
    """`worker` in the Auto Scaling group `workers`, with one pod of `app`; `spare`, where replacements go.

    `shut`: the pod is a StatefulSet's, behind a budget that allows nothing until `open()`, and moves only at its last
    moment.
    """

    def __init__(self, rig: Rig, app: str = "regular-pod-test", spare: bool = True, shut: bool = False, **node):
        self.rig, self.queue = rig, rig.queue
        self.node = rig.queue.node("worker", **({"group": "workers"} | node))
        self.app = (rig.stateful_set if shut else rig.deployment)(app, on=self.node)
        if shut:
            rig.pdb(self.app, max_unavailable=0)
        self.spare = rig.node("spare") if spare else None

    def handler(self, env: dict | None = None, **more):
        """A replica of the queue's Deployment. See Rig.queue_agent."""
        return self.rig.queue_agent(UNCHECKED | (env or {}), **more)

    def until_cordoned(self, taint: str | None = None, node=None) -> None:
        node = node or self.node
        until(node.is_cordoned, 15, f"{node.name} cordoned")
        if taint:
            until(lambda: node.taint(taint), 5, f"node tainted {taint}")

    def until_evicted(self, at_most: float = 30) -> None:
        self.rig.until_gone_from(self.node, self.app, at_most)

    def until_empty(self, at_most: float = 30) -> None:
        """Nobody's message is left: visible or not."""
        until(lambda: self.queue.left() == 0, at_most, "queue empty")

    def never_drained(self, for_s: float = 4) -> None:
        stays(lambda: not self.node.is_cordoned() and len(self.node.pods(self.app)) == 1, for_s, "left alone")

    def open(self) -> None:
        """The budget goes."""
        self.rig.kube.delete("poddisruptionbudgets", self.app)

    def record(self) -> dict:
        return json.loads(self.node.annotation() or "{}")


def soon(seconds: float = 30) -> float:
    """The time of a Spot notice whose two minutes are over in so many seconds."""
    return time.time() - 120 + seconds


def untold(rig: Rig, nodes: list) -> list:
    """Pods of these hosts that nobody has told to go."""
    rig.history.catch_up()
    names = {node.name for node in nodes}
    return [story.name for story in rig.history.pods() if story.node in names and not story.told_at]


def evictions(rig: Rig, *agents) -> int:
    return sum(len(rig.api_requests(user=a.user, verb="create", resource="pods/eviction", code=201)) for a in agents)


def marks(rig: Rig, *agents) -> int:
    return sum(len(rig.api_requests(user=a.user, verb="patch", resource="nodes", code=200)) for a in agents)
