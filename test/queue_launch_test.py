"""Launch hooks of instances that EC2 does not know: none is forgotten while it waits."""

import time

import pytest
from queue_scene import UNCHECKED

from rig import stays, until
from rig.aws import notices


class Unseen:
    """An instance in Pending:Wait that was announced so long ago, and of which EC2 says that there is none."""

    def __init__(self, rig, ago_s: float = 660):
        self.rig, self.queue = rig, rig.queue
        self.instance = rig.queue.instance()
        self.action = rig.queue.asg_launch(self.instance, "fleet", heartbeat_s=300)
        rig.queue.shuffle(lambda _: [])
        rig.queue.tell_again(self.action, at=time.time() - ago_s)
        rig.queue.hide(self.instance)

    def handler(self, **env):
        return self.rig.queue_agent(UNCHECKED | {"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 2} | env)


@pytest.mark.parametrize("ago_s", [5, 660])
def test_a_launch_hook_that_waits_is_not_forgotten(rig, ago_s):
    """NTH deletes the message, and nobody completes the hook when the node is there."""
    unseen = Unseen(rig, ago_s)
    unseen.handler()
    until(lambda: len(rig.queue.received) >= 3, 15, "looked at three times")
    stays(lambda: rig.queue.left() == 1 and not unseen.action.result, 3, "left to its own timeout")
    rig.queue.show()
    rig.node("launched", unseen.instance)
    until(lambda: unseen.action.result == "CONTINUE", 15, "completed when its node is there")
    until(lambda: rig.queue.left() == 0, 10, "queue empty")


def test_it_is_abandoned_by_policy(rig):
    unseen = Unseen(rig, ago_s=50)
    handler = unseen.handler(ABANDON_LAUNCH_AFTER="1m")
    stays(lambda: not unseen.action.result, 4, "not before its time")
    until(lambda: unseen.action.result == "ABANDON", 15, "abandoned")
    until(lambda: rig.queue.left() == 0, 10, "queue empty")
    handler.wait_for_log("its launch is abandoned")


@pytest.mark.parametrize("how", ["timed out", "completed by another", "another transition"])
def test_one_that_waits_no_more_is_dropped(rig, how):
    """And that is said."""
    unseen = Unseen(rig)
    if how == "timed out":
        unseen.action.deadline = time.time()
        assert rig.queue.state_of(unseen.instance) == ""
    else:
        rig.queue.hooks.complete(unseen.action, "CONTINUE")
    if how == "another transition":
        rig.queue.hook("fleet", transition=notices.TERMINATING, heartbeat_s=300)
        rig.queue.hooks.terminate(unseen.instance)
        rig.queue.shuffle(lambda _: [])
        rig.queue.tell_again(unseen.action, at=time.time() - 660)
        assert rig.queue.state_of(unseen.instance) == "Terminating:Wait"
    handler = unseen.handler()
    until(lambda: rig.queue.left() == 0, 15, "dropped")
    handler.wait_for_log("EC2 knows no such instance, and its launch hook waits no more")
    assert not rig.queue.completed, "nothing waits that could be completed"


def test_auto_scaling_that_cannot_be_asked_drops_nothing(rig):
    unseen = Unseen(rig)
    rig.queue.aws.faults.refuse("AccessDenied", "no", "autoscaling", "DescribeAutoScalingInstances", status=403)
    unseen.handler()
    until(lambda: len(rig.queue.received) >= 3, 15, "looked at three times")
    stays(lambda: rig.queue.left() == 1 and not unseen.action.result, 3, "left")
