"""Queue mode in bad weather: SQS, EC2, the API server, replicas that die. Nobody untold, no hook lost, no message lost.
"""

import threading

import pytest

from queue_scene import Scene, evictions, soon, untold
from rig import stays, until
from rig.aws import notices

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


@pytest.mark.timeout(240)
@pytest.mark.parametrize("weather", ["5xx", "throttling", "connections dropped", "answers lost"])
def test_sqs_is_away_for_30_s(rig, weather):
    """After some have been received, or before: what comes later still gets most of its two minutes."""
    storm = Storm(rig)
    handler = rig.queue_agent(ENOUGH)
    until(lambda: rig.queue.polling, 15, "it polls")
    faults = rig.queue.aws.faults
    begin = {
        "5xx": lambda: faults.fail("sqs", for_s=30, status=503),
        "throttling": lambda: faults.throttle("sqs", for_s=30),
        "connections dropped": lambda: faults.drop("sqs", for_s=30),
        "answers lost": lambda: faults.drop("sqs", for_s=30, after=True),
    }[weather]
    begin()
    storm.announce(ends_in_s=60)
    storm.until_over(70, handler)
    polls = [call for call in rig.queue.aws.calls_of("ReceiveMessage") if call.status != 200]
    assert len(polls) < 120, "it does not hammer"


@pytest.mark.timeout(200)
@pytest.mark.parametrize("weather", ["5xx", "throttling", "slow"])
def test_ec2_is_down(rig, weather):
    """What the cluster knows by itself needs no EC2: marks come at once."""
    storm = Storm(rig)
    faults = rig.queue.aws.faults
    handler = rig.queue_agent(ENOUGH)
    until(lambda: rig.queue.polling, 15, "it polls")
    {
        "5xx": lambda: faults.fail("ec2", for_s=40),
        "throttling": lambda: faults.throttle("ec2", for_s=40),
        "slow": lambda: faults.slow(15, "ec2", for_s=40),
    }[weather]()
    storm.announce(ends_in_s=60)
    until(lambda: all(node.is_cordoned() for node in storm.nodes), 10, "marked without EC2")
    storm.until_over(80, handler)


def test_ec2_is_down_and_the_tag_is_wanted(rig):
    """Whose the instance is cannot be known, but it is a node of this cluster and ends: nobody is left untold for want of
    an answer. NTH keeps the message until EC2 answers."""
    scene = Scene(rig)
    scene.queue.aws.faults.fail("ec2", "DescribeInstances")
    handler = rig.queue_agent()
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    scene.until_evicted()
    scene.until_empty()
    handler.wait_for_log("EC2 does not say whether the instance is tagged")


@pytest.mark.timeout(240)
def test_the_api_server_is_away_for_20_s_in_mid_storm(rig):
    storm = Storm(rig)
    proxy = rig.api_proxy()
    handler = rig.queue_agent(ENOUGH, via=proxy)
    until(lambda: rig.queue.polling, 15, "it polls")
    storm.announce(ends_in_s=90)
    until(lambda: any(node.is_cordoned() for node in storm.nodes), 15, "in mid-storm")
    proxy.refuse()
    back = threading.Timer(20, proxy.accept)
    back.start()
    try:
        until(lambda: not back.is_alive(), 25, "the API server is back")
        storm.until_over(90, handler)
    finally:
        back.cancel()


@pytest.mark.timeout(240)
def test_auto_scaling_is_down_for_30_s(rig):
    scene = Scene(rig)
    handler = scene.handler()
    action = scene.queue.asg_terminate(scene.node, heartbeat_s=120)
    scene.queue.aws.faults.fail("autoscaling", for_s=30)
    scene.until_evicted()
    until(lambda: action.result == "CONTINUE", 60, "completed when it is back")
    scene.until_empty()
    assert not scene.queue.lost_hooks and handler.exit_code is None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["received", "marked"])
def test_one_of_two_replicas_is_killed(rig, when):
    """The other takes over by the nodes' records, and by the messages that become visible again."""
    storm = Storm(rig)
    env = ENOUGH | {"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 10}
    replicas = [rig.queue_agent(env), rig.queue_agent(env)]
    until(lambda: rig.queue.polling >= 2, 15, "both poll")
    storm.announce(ends_in_s=115)
    if when == "received":
        until(lambda: rig.queue.received, 10, "received")
    else:
        until(lambda: all(node.is_cordoned() for node in storm.nodes), 15, "all marked")
    first = next(agent for agent in replicas if when == "received" or agent.steps("marked"))
    first.kill()
    storm.until_over(130, *replicas)


@pytest.mark.timeout(300)
def test_the_only_replica_is_killed_and_started_again(rig):
    storm = Storm(rig)
    env = ENOUGH | {"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 10}
    first = rig.queue_agent(env)
    storm.announce(ends_in_s=115)
    until(lambda: all(node.is_cordoned() for node in storm.nodes), 15, "all marked")
    first.kill()
    second = rig.queue_agent(env)
    storm.until_over(130, first, second)


@pytest.mark.timeout(200)
def test_duplicates_and_disorder_in_a_storm(rig):
    storm = Storm(rig)
    storm.announce(ends_in_s=60)
    for node in storm.nodes:
        rig.queue.announce_spot(node, at=soon(60))
        rig.queue.rebalance(node, at=soon(50))
    for action in storm.actions:
        rig.queue.tell_again(action)
    rig.queue.shuffle(lambda messages: messages[::-2] + messages[-2::-2])
    handler = rig.queue_agent(ENOUGH)
    until(lambda: len(rig.queue.received) >= HOSTS, 10, "received")
    rig.queue.again()
    storm.until_over(80, handler)
    assert len(rig.queue.completed) == len(storm.actions)


def test_a_backlog_is_received_by_several_at_once(rig):
    """SQS hands out ten at most for each receive, and may take its time: one after the other would last 12 s."""
    rig.queue.aws.faults.slow(1, "sqs", "ReceiveMessage")
    for _ in range(120):
        rig.queue.raw(notices.test_notification("workers", 0))
    rig.queue_agent(ENOUGH)
    until(lambda: rig.queue.left() == 0, 20, "all of them done with")
    at = sorted(one.at for one in rig.queue.received)
    assert at[-1] - at[0] < 7, "not one after the other"
    assert len(at) == 120, "each received once"
