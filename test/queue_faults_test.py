"""Queue mode in bad weather: SQS, EC2, Auto Scaling, the API server. Nobody untold, no hook lost, no message lost."""

import threading

import pytest
from queue_scene import Scene, evictions, soon
from queue_storm import ENOUGH, Storm

from rig import stays, until


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


@pytest.mark.parametrize("weather", ["5xx", "throttling", "connections dropped"])
def test_an_extension_that_fails_is_made_up_for(rig, weather):
    """SQS refuses to keep the message from others when half of its time is over: that is asked for again before it is
    over, and no second replica gets it."""
    scene = Scene(rig, shut=True)
    replicas = [scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 10}) for _ in range(2)]
    until(lambda: rig.queue.polling >= 2, 15, "both poll")
    scene.queue.announce_spot(scene.node, at=soon(100))
    until(lambda: scene.queue.received, 10, "received")
    faults, action = rig.queue.aws.faults, "ChangeMessageVisibilityBatch"
    {
        "5xx": lambda: faults.fail("sqs", action, for_s=7.5),
        "throttling": lambda: faults.throttle("sqs", action, for_s=7.5),
        "connections dropped": lambda: faults.drop("sqs", action, for_s=7.5),
    }[weather]()
    stays(lambda: len(scene.queue.received) == 1, 18, "held by one of them")
    calls = rig.queue.aws.calls_of(action)
    assert 2 <= len([call for call in calls if call.status != 200]) < 20, "asked for again, and not hammered"
    assert [call for call in calls if call.status == 200]
    scene.open()
    scene.until_evicted()
    scene.until_empty()
    assert evictions(rig, *replicas) == 1


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
