"""The agent on the node and the queue's replica hear of the same end: one drain, one mark, no fight."""

import json

import pytest

from queue_scene import SPOT_ITN, Scene, evictions, marks, soon, untold
from rig import stays, until

AGENT = {"TAINT_NODE": "true", "ENABLE_SPOT_INTERRUPTION_DRAINING": "true"}
QUEUE = {"TAINT_NODE": "true"}


@pytest.mark.parametrize("first", ["imds", "queue", "both"])
def test_one_drain_for_two_ears(rig, first):
    scene = Scene(rig, shut=True)
    imds = rig.imds(scene.node)
    agent = rig.agent(scene.node, imds, AGENT | {"ENOUGH_GRACE": 8})
    handler = scene.handler(QUEUE | {"ENOUGH_GRACE": 8, "SQS_MSG_VISIBILITY_TIMEOUT_SEC": 5})
    until(lambda: scene.queue.polling, 15, "it polls")

    def by_imds():
        imds.announce(spot=True, time_in_s=40)

    def by_queue():
        scene.queue.announce_spot(scene.node, at=soon(40))

    order = {"imds": [by_imds, by_queue], "queue": [by_queue, by_imds], "both": [by_imds, by_queue]}[first]
    order[0]()
    if first != "both":
        scene.until_cordoned(SPOT_ITN)
    order[1]()
    scene.until_cordoned(SPOT_ITN)
    stays(scene.node.is_marked, 8, "marked, and nobody takes it back")
    scene.open()
    scene.until_evicted()
    scene.until_empty(40)
    assert evictions(rig, agent, handler) == 1, "asked once"
    assert not untold(rig, [scene.node])
    taints = [taint for taint in scene.node.taints() if taint["key"] == SPOT_ITN]
    assert len(taints) == 1
    changes = {json.dumps([node["spec"].get("taints"), node["spec"].get("unschedulable")], sort_keys=True)
               for _, node in rig.history.node(scene.node.name)}  # fmt: skip
    assert len(changes) <= 4, "no fight: before, marked, and what Kubernetes itself adds"


def test_few_writes_by_both(rig):
    scene = Scene(rig)
    agent = rig.agent(scene.node, rig.imds(scene.node, spot=True, time_in_s=100), AGENT)
    scene.until_cordoned(SPOT_ITN)
    handler = scene.handler(QUEUE)
    scene.queue.announce_spot(scene.node, at=soon(100))
    scene.until_evicted()
    scene.until_empty()
    assert marks(rig, agent, handler) <= 6


@pytest.mark.timeout(200)
def test_the_queue_goes_on_when_the_agent_dies(rig):
    """The record on the node says how far it is, and who holds it."""
    scene = Scene(rig, shut=True)
    agent = rig.agent(scene.node, rig.imds(scene.node, spot=True, time_in_s=110), AGENT | {"ENOUGH_GRACE": 8})
    scene.until_cordoned(SPOT_ITN)
    handler = scene.handler(QUEUE | {"ENOUGH_GRACE": 8, "SQS_MSG_VISIBILITY_TIMEOUT_SEC": 10})
    scene.queue.announce_spot(scene.node, at=soon(110))
    until(lambda: scene.queue.received, 10, "received")
    agent.kill()
    scene.open()
    scene.until_evicted(at_most=100)
    scene.until_empty(40)
    assert evictions(rig, agent, handler) == 1


def test_a_recommendation_by_the_one_is_upgraded_by_the_other(rig):
    """First signal wins, the stronger upgrades."""
    scene = Scene(rig, shut=True)
    imds = rig.imds(scene.node)
    rig.agent(scene.node, imds, AGENT | {"ENOUGH_GRACE": 8})
    scene.handler(QUEUE | {"ENOUGH_GRACE": 8})
    scene.queue.rebalance(scene.node)
    scene.until_cordoned()
    imds.announce(spot=True, time_in_s=30)
    until(lambda: scene.node.taint(SPOT_ITN), 10, "the stronger taint")
    assert rig.told(scene.app, at_most=35)
    scene.until_empty(60)


def test_lead_times_are_counted_for_each_source(rig):
    scene = Scene(rig)
    metrics = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0}
    handler = scene.handler(QUEUE | metrics)
    scene.queue.announce_spot(scene.node)
    scene.until_evicted()
    scene.until_empty()
    found = handler.metrics()
    assert found['spotkeeper_notices_total{kind="SpotInterruption",source="sqs"}'] == 1
    lead = [value for name, value in found.items() if name.startswith("spotkeeper_notice_lead_seconds_sum")]
    assert 100 < sum(lead) <= 121
