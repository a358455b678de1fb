"""Queue mode with several replicas, one that dies, deliveries twice and in disorder, a backlog."""

import pytest
from queue_scene import soon
from queue_storm import ENOUGH, HOSTS, Storm

from rig import until
from rig.aws import notices


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
