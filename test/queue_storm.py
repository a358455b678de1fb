"""What the tests of queue mode in storms share: several hosts that go at once."""

from queue_scene import evictions, soon, untold
from rig import until

HOSTS = 10


class Storm:
    """So many hosts with a pod each behind a closed budget, all announced at once, and half of them by hooks, too."""

    def __init__(self, rig, hosts: int = HOSTS, hooks: bool = True):
        self.rig, self.queue = rig, rig.queue
        rig.queue.hook("workers", heartbeat_s=300)
        self.nodes = [rig.queue.node(f"n{i}", group="workers", pods=1) for i in range(hosts)]
        rig.stateful_set("shy", replicas=hosts)
        rig.until_running("shy", hosts)
        rig.pdb("shy", max_unavailable=0)
        rig.node("spare")
        self._hooks = hooks
        self.actions: list = []

    def announce(self, ends_in_s: float) -> None:
        for node in self.nodes:
            self.queue.announce_spot(node, at=soon(ends_in_s))
        if self._hooks:
            self.actions = [self.queue.asg_terminate(node) for node in self.nodes[::2]]

    def until_over(self, at_most: float, *agents) -> None:
        until(lambda: all(node.is_cordoned() for node in self.nodes), at_most, "every node marked")
        until(lambda: not untold(self.rig, self.nodes), at_most, "everybody told")
        until(lambda: self.queue.left() == 0, at_most, "no message left")
        assert all(action.result == "CONTINUE" for action in self.actions)
        assert not self.queue.lost_hooks
        told = [story for story in self.rig.history.pods("shy") if story.told_at]
        assert evictions(self.rig, *agents) <= len(told), "nobody asked twice"


ENOUGH = {"ENOUGH_GRACE": 8, "CHECK_TAG_BEFORE_DRAINING": "false"}
