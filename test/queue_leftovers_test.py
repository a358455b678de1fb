"""DETACH_ASG: what was detached and does not end is terminated twelve minutes later, for no group does that any more.

The record on the Node is made older than it is: nothing in the executable knows that this is a test.
"""

import calendar
import time

import pytest
from queue_scene import UNCHECKED, Scene

from rig import Rig, stays, until
from rig.node import Node

DETACHED = "spotkeeper.io/detached"  # on the Node: when, RFC 3339
RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"
DETACH = UNCHECKED | {"DETACH_ASG": "true"}
LATE_S = 13 * 60


def record(rig: Rig, node: Node, ago_s: float) -> None:
    at = time.strftime(RFC_3339, time.gmtime(time.time() - ago_s))
    rig.kube.patch("nodes", node.name, {"metadata": {"annotations": {DETACHED: at}}})


def state(rig: Rig, node: Node) -> str:
    found = rig.queue.ec2.describe_instances(InstanceIds=[node.instance_id])["Reservations"]
    return found[0]["Instances"][0]["State"]["Name"]


def terminated(rig: Rig) -> list[str]:
    """Whom somebody had EC2 terminate, besides the test itself."""
    calls = [call for call in rig.queue.aws.calls_of("TerminateInstances") if call.status == 200]
    return [call.params["InstanceId.1"] for call in calls if "boto" not in call.headers.get("user-agent", "").lower()]


@pytest.mark.timeout(180)
def test_what_is_detached_and_does_not_end_is_terminated(rig):
    """By a process that was started later: the Node remembers."""
    scene = Scene(rig)
    first = scene.handler({"DETACH_ASG": "true"})
    scene.queue.announce_spot(scene.node)
    until(lambda: scene.queue.state_of(scene.node) == "", 15, "detached")
    scene.until_evicted()
    scene.until_empty()
    written = calendar.timegm(time.strptime(scene.node.object()["metadata"]["annotations"][DETACHED], RFC_3339))
    assert time.time() - 60 < written < time.time() + 2
    assert state(rig, scene.node) == "running"
    first.terminate()
    record(rig, scene.node, LATE_S)
    second = scene.handler({"DETACH_ASG": "true"})
    until(lambda: state(rig, scene.node) in ("shutting-down", "terminated"), 50, "EC2 ends it")
    second.wait_for_log("detached, and its interruption has not come: the instance is terminated")
    stays(lambda: terminated(rig) == [scene.node.instance_id], 35, "asked for once")


@pytest.mark.timeout(120)
def test_who_is_not_terminated(rig):
    """Whose interruption came, who bears no record, whose record is young, whom a group has again, who was only
    stopped; where the option is off, nobody. The last one by name is, so all the others were looked at before."""
    names = ["a-ended", "b-unrecorded", "c-young", "d-in-a-group", "e-stopped", "f-unreadable", "z-late"]
    nodes = {name: rig.queue.node(name, group="workers" if name.startswith("d") else None) for name in names}
    for name in names:
        if not name.startswith("b"):
            record(rig, nodes[name], 10 * 60 if name.startswith("c") else LATE_S)
    rig.kube.patch("nodes", nodes["f-unreadable"].name, {"metadata": {"annotations": {DETACHED: "yesterday"}}})
    rig.queue.end(nodes["a-ended"])
    rig.queue.end(nodes["e-stopped"], "stopped")
    off = rig.queue_agent(UNCHECKED)
    off.wait_for_log("nodes are known")
    handler = rig.queue_agent(DETACH)
    late = nodes["z-late"]
    until(lambda: state(rig, late) in ("shutting-down", "terminated"), 50, "the late one is ended")
    handler.wait_for_log("the instance is terminated")
    assert terminated(rig) == [late.instance_id]
    for name in ["b-unrecorded", "c-young", "d-in-a-group", "f-unreadable"]:
        assert state(rig, nodes[name]) == "running", name
    assert state(rig, nodes["e-stopped"]) == "stopped"
    assert not [line for line in off.log_lines() if "terminated" in line["message"]]
