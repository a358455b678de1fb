"""One queue, several clusters and hosts of ECS: each cluster drains its own, and nobody's message is lost."""

import json
import time

import pytest
from queue_scene import UNCHECKED, Scene, soon, untold

from rig import ControlPlane, Rig, stays, until

DELETES = {"DELETE_SQS_MSG_IF_NODE_NOT_FOUND": "true"}
HOSTS = 3


@pytest.fixture(scope="module")
def second_plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("second-control-plane")) as plane:
        yield plane


@pytest.fixture
def other(rig, second_plane, tmp_path):
    """Another cluster in the same account, on the same queue."""
    second_plane.check_alive()
    with Rig(second_plane, tmp_path / "other", "other", beside=rig) as other:
        yield other


class Cluster:
    """So many hosts that will end, with a pod each; one that has nothing to fear; one that is free."""

    def __init__(self, rig: Rig, name: str):
        self.rig, self.queue = rig, rig.queue
        self.doomed = [rig.queue.node(f"{name}{i}", group=name, pods=1) for i in range(HOSTS)]
        rig.deployment("web", replicas=HOSTS)
        rig.queue.hook(name, heartbeat_s=300)
        self.spared = rig.queue.node(f"{name}-spared", group=name)
        self.spare = rig.node("spare")
        self.actions: list = []

    def announce(self) -> None:
        for node in self.doomed:
            self.queue.announce_spot(node)
        self.actions = [self.queue.asg_terminate(self.doomed[0])]

    def until_drained(self, at_most: float) -> None:
        until(lambda: all(node.is_cordoned() for node in self.doomed), at_most, "every doomed host marked")
        until(lambda: not any(node.pods("web") for node in self.doomed), at_most, "every doomed host drained")
        assert not untold(self.rig, self.doomed)

    def assert_rest_untouched(self) -> None:
        for node in [self.spared, self.spare]:
            assert not node.is_marked() and not node.is_cordoned()


# Two clusters


@pytest.mark.timeout(240)
def test_two_clusters_on_one_queue_drain_their_own(rig, other):
    """Each sees the others' messages, and leaves them."""
    clusters = [Cluster(rig, "ours"), Cluster(other, "theirs")]
    handlers = [rig.queue_agent(UNCHECKED), other.queue_agent(UNCHECKED)]
    until(lambda: rig.queue.polling >= 2, 15, "both poll")
    for cluster in clusters:
        cluster.announce()
    for cluster in clusters:
        cluster.until_drained(100)
    until(lambda: rig.queue.left() == 0, 60, "every message is gone")
    for cluster, handler in zip(clusters, handlers, strict=True):
        assert [action.result for action in cluster.actions] == ["CONTINUE"]
        cluster.assert_rest_untouched()
        drained = {step["node"] for step in handler.steps("marked")}
        assert drained == {node.name for node in cluster.doomed}
    assert not rig.queue.lost_hooks


def test_a_host_of_the_same_name_is_not_taken_for_the_other_s(rig, other):
    """Two VPCs may have the same addresses, and so the same private DNS names: NTH goes by those."""
    theirs = other.queue.node("worker")
    name = other.queue.private_dns_name(theirs)
    ours = rig.queue.node("worker", labels={"kubernetes.io/hostname": name})
    rig.queue_agent(UNCHECKED)
    rig.queue.announce_spot(theirs)
    until(lambda: len(rig.queue.received) >= 2, 15, "received by us, twice")
    stays(lambda: not ours.is_cordoned(), 3, "ours has nothing to fear")
    other.queue_agent(UNCHECKED)
    until(theirs.is_cordoned, 30, "theirs is found in its own cluster")
    until(lambda: rig.queue.left() == 0, 30, "the message is gone")
    assert not ours.is_cordoned()


def test_where_one_of_them_deletes_the_other_hears_nothing(rig, other):
    """docs/queue.md: that policy is for a queue of one's own. The hook is completed, and the host ends undrained."""
    theirs = Scene(other)
    rig.queue_agent(UNCHECKED | DELETES)
    action = theirs.queue.asg_terminate(theirs.node, heartbeat_s=300)
    theirs.queue.announce_spot(theirs.node)
    theirs.until_empty()
    until(lambda: action.result == "CONTINUE", 10, "completed by who does not know the host")
    theirs.handler()
    theirs.never_drained()


def test_who_deletes_deletes_nothing_of_its_own(rig, other):
    """The other way round: the cluster with the default leaves what the one that deletes then drains."""
    ours, theirs = Scene(rig), Scene(other)
    theirs.handler()
    ours.queue.announce_spot(ours.node)
    until(lambda: len(ours.queue.received) >= 2, 15, "received by the other, and left")
    assert ours.queue.left() == 1
    ours.handler(DELETES)
    until(ours.node.is_cordoned, 60, "it comes to us some time")
    ours.until_evicted()
    ours.until_empty()
    theirs.never_drained(1)


# Hosts of ECS beside a cluster

ECS_TAGS = {"AmazonECSManaged": "true"}
ECS_HOSTS = 30


class Mixed:
    """Container instances of ECS that are announced before the cluster's hosts are."""

    def __init__(self, rig: Rig, managed: bool):
        self.cluster, self.queue = Cluster(rig, "ours"), rig.queue
        self.ecs = rig.queue.instances(ECS_HOSTS, managed=managed, tags=ECS_TAGS)

    def announce(self) -> None:
        for instance in self.ecs:
            self.queue.announce_spot(instance, at=soon(110))
        self.announced_at = time.time()
        self.cluster.announce()

    def drain_beside(self, handler) -> None:
        """All is announced to a handler that polls; the cluster's hosts do not wait for those of ECS."""
        handler.wait_for_log("nodes are known")
        until(lambda: self.queue.polling, 15, "it polls")
        self.announce()
        self.cluster.until_drained(30)
        for node in self.cluster.doomed:
            marked = self.cluster.rig.history.cordoned_at(node.name)
            assert marked - self.announced_at < 3, f"{node.name} waited for hosts that are no nodes"
        self.cluster.assert_rest_untouched()

    def left(self) -> set[str]:
        """The instances whose messages are there still."""
        return {json.loads(message.body)["detail"]["instance-id"] for message in self.queue.messages()}


@pytest.mark.parametrize("checks", ["checks the tag", "checks no tag"])
def test_messages_of_ecs_hosts_are_left(rig, checks):
    """Tagged, or where nobody asks for tags: another reader of the queue may know them. None is lost."""
    mixed = Mixed(rig, managed=checks == "checks the tag")
    handler = rig.queue_agent({} if checks == "checks the tag" else UNCHECKED)
    mixed.drain_beside(handler)
    until(lambda: rig.queue.left() == ECS_HOSTS, 30, "the cluster's own are gone")
    stays(lambda: mixed.left() == set(mixed.ecs), 6, "those of ECS stay")
    handler.terminate()
    heard: set[str] = set()

    def all_heard() -> bool:
        answer = rig.queue.sqs.receive_message(QueueUrl=rig.queue.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            heard.add(json.loads(message["Body"])["detail"]["instance-id"])
        return heard == set(mixed.ecs)

    until(all_heard, 40, "another reader gets every one of them")


@pytest.mark.parametrize("why", ["no tag", "policy"])
def test_messages_of_ecs_hosts_are_deleted(rig, why):
    """Without the tag that is wanted they are not for us, as with NTH; with it, or without that check, by policy."""
    mixed = Mixed(rig, managed=why == "policy")
    handler = rig.queue_agent({} if why == "no tag" else DELETES)
    mixed.drain_beside(handler)
    until(lambda: rig.queue.left() == 0, 30, "every message is gone")
    assert len({one.message_id for one in rig.queue.received}) == len(rig.queue.received), "each was received once"


def test_a_hook_of_an_ecs_host_is_left_to_its_handler(rig):
    """Nobody of this cluster completes it, whatever becomes of the cluster's own."""
    mixed = Mixed(rig, managed=True)
    rig.queue.group("ecs")
    rig.queue.hook("ecs", heartbeat_s=300)
    rig.queue.hooks.launch("ecs", mixed.ecs[0])
    rig.queue_agent({"HEARTBEAT_INTERVAL": 30, "HEARTBEAT_UNTIL": 120})
    theirs = rig.queue.asg_terminate(mixed.ecs[0])
    mixed.cluster.announce()
    mixed.cluster.until_drained(30)
    until(lambda: rig.queue.left() == 1, 30, "the cluster's own are gone")
    assert not theirs.result and not theirs.heartbeats
    assert json.loads(rig.queue.messages()[0].body)["detail"]["EC2InstanceId"] == mixed.ecs[0]
