"""The host's clock is not AWS's: events tell AWS's time, and deadlines are kept by it."""

import pytest
from queue_scene import UNCHECKED, Scene, evictions, untold
from queue_storm import ENOUGH, Storm

from rig import until


@pytest.mark.parametrize("ahead_s", [-240, -30, 30, 240, 1800])
def test_the_deadline_is_by_aws_s_clock(rig, ahead_s):
    """A shut pod is told before AWS ends the host, and not long before. 240 s are less than what AWS refuses signatures
    for, so nothing but its Date says it."""
    scene = Scene(rig, shut=True)
    aws = scene.queue.aws
    aws.clock_offset_s = ahead_s
    handler = scene.handler({"ENOUGH_GRACE": 8, "ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0})
    until(lambda: rig.queue.polling, 15, "it polls")
    ends_at = aws.now() + 45
    scene.queue.announce_spot(scene.node, at=ends_at - 120)
    scene.until_cordoned()
    told = rig.told(scene.app, at_most=50)
    left_s = ends_at - (told.told_at + ahead_s)
    assert 8 < left_s < 20, f"told {left_s:.1f} s before the end by AWS's clock"
    scene.until_empty(50)
    assert not untold(rig, [scene.node])
    side = "behind" if ahead_s > 0 else "ahead of"
    handler.wait_for_log(f"{side} AWS's; AWS's is used")
    heard = handler.steps("notice")[0]["message"]
    assert f"{side}" in heard and "by AWS's time" in heard
    assert handler.metrics()["spotkeeper_clock_corrections_total"] == 1


def test_a_clock_that_is_nearly_right_is_left_alone(rig):
    scene = Scene(rig)
    scene.queue.aws.clock_offset_s = 1
    handler = scene.handler()
    scene.queue.announce_spot(scene.node, at=scene.queue.aws.now())
    scene.until_evicted()
    scene.until_empty()
    assert not [line for line in handler.log_lines() if "AWS's is used" in line["message"]]


def test_a_message_of_yesterday_is_one_by_aws_s_clock(rig):
    """By ours the two minutes would begin in an hour."""
    scene = Scene(rig)
    scene.queue.aws.clock_offset_s = -3600
    scene.queue.announce_spot(scene.node, at=scene.queue.aws.now() - 121)
    handler = scene.handler()
    scene.until_empty()
    handler.wait_for_log("a message is too old")
    scene.never_drained(2)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("ahead_s", [-200, 200])
def test_a_storm_that_waits_when_it_starts(rig, ahead_s):
    """Its first answer tells the time, before anything is made of the messages in it."""
    storm = Storm(rig)
    rig.queue.aws.clock_offset_s = ahead_s
    for node in storm.nodes:
        rig.queue.announce_spot(node, at=rig.queue.aws.now() - 120 + 50)
    handler = rig.queue_agent(ENOUGH)
    storm.until_over(60, handler)
    assert len(handler.steps("notice")) == len(storm.nodes)
    assert all("in 4" in step["message"] or "in 5" in step["message"] for step in handler.steps("notice"))


def test_another_s_drain_is_not_taken_over_because_the_clock_was_set(rig):
    """Five minutes are over by the new one's clock: that says nothing of how long the first has been silent."""
    scene = Scene(rig, shut=True)
    first = scene.handler()
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    scene.queue.aws.clock_offset_s = 240
    second = rig.queue_agent(UNCHECKED)
    second.wait_for_log("behind AWS's; AWS's is used")
    scene.open()
    scene.until_evicted()
    scene.until_empty()
    assert not second.steps("marked", "evicted", "told") and evictions(rig, first, second) == 1
    assert evictions(rig, second) == 0
