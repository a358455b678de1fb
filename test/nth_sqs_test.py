"""aws-node-termination-handler's own end-to-end tests of queue mode, told again for ours.

One test for each of NTH's scripts whose name has "sqs", under its name, with the same options and the same assertions.
All of them have CHECK_TAG_BEFORE_DRAINING=false, keys, region, endpoint and queue in the environment, and no command.
The workers' ids stand in spec.providerID, as they do on EC2; one test has them as kind has them.
"""

import time

import pytest
import requests

from queue_scene import ASG, MAINTENANCE, PREFIX, REBALANCE, UNCHECKED, Scene, soon
from rig import stays, until

SCOPE = 'otel_scope_name="aws.node.termination.handler",otel_scope_version=""'


def test_asg_launch_lifecycle_sqs(rig):
    """There on real AWS: SNS to SQS, hooks of 180 s; the launch becomes successful when the node is Ready."""
    scene = Scene(rig)
    scene.queue.hook("fleet", heartbeat_s=180, via="sns")
    instance = scene.queue.instance(managed=False)
    scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 2})
    action = scene.queue.asg_launch(instance, "fleet", heartbeat_s=180, via="sns")
    stays(lambda: scene.queue.state_of(instance) == "Pending:Wait", 3, "it waits while there is no node")
    rig.node("launched", instance)
    until(lambda: scene.queue.state_of(instance) == "InService", 15, "the launch is successful")
    assert action.result == "CONTINUE"
    scene.until_empty()
    assert not scene.queue.lost_hooks


def test_asg_lifecycle_sqs(rig):
    """There the completion of the hook fails, for nobody emulates it; here it has to be done before its time is over."""
    scene = Scene(rig)
    scene.handler()
    action = scene.queue.asg_terminate(scene.node)
    scene.until_cordoned()
    scene.until_evicted()
    scene.until_empty()
    assert action.result == "CONTINUE" and not action.timed_out
    assert len(scene.queue.completed) == 1, "completed once"


@pytest.mark.timeout(240)
def test_asg_lifecycle_sqs_heartbeat(rig):
    """There no service answers heartbeats. Shorter intervals than 30 s are refused, here as there: it takes 100 s."""
    scene = Scene(rig)
    nobody = ("InternalFailure", "API for service 'autoscaling' not yet implemented", "autoscaling")
    scene.queue.aws.faults.refuse(*nobody, action="RecordLifecycleActionHeartbeat", status=501)
    env = {"COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS": 120, "HEARTBEAT_INTERVAL": 30, "HEARTBEAT_UNTIL": 100}
    handler = scene.handler(env)
    scene.queue.asg_terminate(scene.node, heartbeat_s=300)
    scene.until_cordoned()
    scene.until_evicted()
    handler.wait_for_log("Heartbeat deadline exceeded, stopping heartbeat", at_most=120)
    lines = handler.output().splitlines()
    assert sum("Failed to send lifecycle heartbeat" in line for line in lines) == 3
    assert sum("Heartbeat deadline exceeded, stopping heartbeat" in line for line in lines) == 1
    scene.until_empty(at_most=40)  # 120 s after the drain
    assert scene.queue.action_of(scene.node).result == "CONTINUE"


def test_ec2_state_change_sqs(rig):
    scene = Scene(rig)
    scene.handler()
    scene.queue.state_change(scene.node, "stopping")
    scene.until_cordoned()
    scene.until_evicted()
    scene.until_empty()


def test_prometheus_metrics_sqs(rig):
    """There are two metrics of NTH's about Go that are not here: docs/telling.md."""
    scene = Scene(rig)
    scene.queue.instance()  # managed, of no cluster
    scene.queue.instance(managed=False)
    env = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0}
    handler = scene.handler(env)
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    scene.until_evicted()
    scene.until_empty()
    until(lambda: "nth_tagged_instances" in "".join(handler.metrics()), 35, "asked of EC2 every 30 s")
    metrics = handler.metrics()
    for action in ("cordon-and-drain", "post-drain"):
        assert metrics[f'actions_total{{node_action="{action}",node_status="success",{SCOPE}}}'] >= 1
    assert metrics[f"nth_tagged_instances{{{SCOPE}}}"] == 2
    assert metrics[f"nth_tagged_nodes{{{SCOPE}}}"] == 1
    assert metrics["process_resident_memory_bytes"] > 1e6


def test_rebalance_recommendation_sqs(rig):
    scene = Scene(rig)
    scene.handler({"TAINT_NODE": "true"})
    scene.queue.rebalance(scene.node)
    scene.until_cordoned(REBALANCE)
    scene.until_evicted()
    scene.until_empty()


def test_rebalance_recommendation_sqs_node_not_found(rig):
    scene = Scene(rig)
    stranger = scene.queue.instance(managed=False)
    scene.handler({"DELETE_SQS_MSG_IF_NODE_NOT_FOUND": "true", "TAINT_NODE": "true"})
    scene.queue.rebalance(stranger)
    scene.until_empty()
    assert scene.queue.received, "it had been there"
    scene.never_drained(1)


def test_scheduled_change_event_sqs(rig):
    scene = Scene(rig)
    scene.handler({"TAINT_NODE": "true"})
    scene.queue.health([scene.node])
    scene.until_cordoned(MAINTENANCE)
    scene.until_evicted()
    scene.until_empty()


def test_spot_interruption_sqs(rig):
    scene = Scene(rig)
    scene.handler()
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    scene.until_evicted()
    scene.until_empty()


# What the scripts take for granted


def test_a_node_without_ec2_s_provider_id_is_found_by_its_private_dns_name(rig):
    """As in kind, where NTH's scripts run: the host's private DNS name is in the label kubernetes.io/hostname."""
    instance = rig.queue.instance()
    name = rig.queue.private_dns_name(instance)
    labels = {"kubernetes.io/hostname": name}
    node = rig.node("worker", instance, provider_id="kind://docker/kind/kind-worker", labels=labels)
    rig.deployment("regular-pod-test", on=node)
    rig.node("spare")
    rig.queue_agent(UNCHECKED)
    rig.queue.announce_spot(node)
    until(node.is_cordoned, 15, "cordoned")
    rig.until_gone_from(node, "regular-pod-test")
    until(lambda: rig.queue.left() == 0, 20, "queue empty")


@pytest.mark.parametrize("via", ["sqs", "sns"])
def test_auto_scaling_may_write_to_the_queue_itself_or_through_sns(rig, via):
    scene = Scene(rig)
    scene.handler({"TAINT_NODE": "true"})
    action = scene.queue.asg_terminate(scene.node, via=via)
    scene.until_cordoned(ASG)
    scene.until_evicted()
    scene.until_empty()  # the test notification, too
    assert action.result == "CONTINUE"


@pytest.mark.parametrize("kind", ["spot", "capacity", "rebalance", "state", "health", "asg"])
def test_events_and_taints_bear_nth_s_ids(rig, kind):
    """PREFIX and the hex digits of EventBridge's id; in a taint at most 63 characters of it."""
    scene = Scene(rig, spare=False, shut=True)
    scene.handler({"TAINT_NODE": "true"})
    announce, prefix, taint = {
        "spot": (lambda: scene.queue.announce_spot(scene.node), "spot-itn-event-", PREFIX + "spot-itn"),
        "capacity": (lambda: scene.queue.capacity(scene.node), None, None),
        "rebalance": (lambda: scene.queue.rebalance(scene.node), "rebalance-recommendation-event-", REBALANCE),
        "state": (lambda: scene.queue.state_change(scene.node), "ec2-state-change-event-", None),
        "health": (lambda: scene.queue.health([scene.node]), "aws-health-scheduled-change-event-", MAINTENANCE),
        "asg": (lambda: scene.queue.asg_terminate(scene.node), "asg-lifecycle-term-", ASG),
    }[kind]
    told = announce()
    scene.until_cordoned(taint)
    if taint and isinstance(told, str):
        assert scene.node.taint(taint)["value"] == (prefix + told.encode().hex())[:63].rstrip("-")
    if kind == "asg":
        assert scene.node.taint(taint)["value"].startswith(prefix)
    if kind == "state":
        assert not [one for one in scene.node.taints() if one["key"].startswith(PREFIX)], "NTH has none for it"


def test_kubernetes_events_name_the_node_and_its_kind(rig):
    scene = Scene(rig)
    scene.handler({"EMIT_KUBERNETES_EVENTS": "true"})
    scene.queue.announce_spot(scene.node)
    scene.until_evicted()

    def reasons():
        found = rig.kube.within("default").list("events", fields=f"involvedObject.name={scene.node.name}")
        return {one["reason"] for one in found if one["source"].get("component") == "aws-node-termination-handler"}

    until(lambda: {"SpotInterruption", "PreDrain", "CordonAndDrain", "PostDrain"} <= reasons(), 15, "all four events")


def test_webhook_fields_of_queue_mode(rig):
    """What NTH fills in here and not in IMDS mode: instance, provider id, group, whether it is managed."""
    from rig.receiver import Receiver

    scene = Scene(rig)
    template = (
        '{"i":"{{ .InstanceID }}","n":"{{ .NodeName }}","p":"{{ .ProviderID }}","k":"{{ .Kind }}",'
        '"e":"{{ .EventID }}","m":"{{ .Monitor }}","g":"{{ .AutoScalingGroupName }}","s":"{{ .StartTime }}"}'
    )
    with Receiver() as receiver:
        handler = scene.handler({"WEBHOOK_URL": receiver.url, "WEBHOOK_TEMPLATE": template})
        told = scene.queue.announce_spot(scene.node)
        scene.until_cordoned()
        handler.wait_for_log("Webhook Success")
        body = receiver.wait().json()
    assert body["i"] == scene.node.instance_id and body["n"] == scene.node.name
    assert body["p"] == f"aws:///us-east-1a/{scene.node.instance_id}"
    assert (body["k"], body["m"]) == ("SPOT_ITN", "SQS_MONITOR")
    assert body["e"] == "spot-itn-event-" + told.encode().hex()


def test_the_probe_is_on_in_queue_mode(rig):
    """The chart switches it on there; /healthz says OK while the queue is polled."""
    scene = Scene(rig)
    handler = scene.handler({"ENABLE_PROBES_SERVER": "true", "PROBES_SERVER_PORT": 0})
    until(lambda: scene.queue.polling, 10, "it polls")
    port = handler.wait_for_message("probes are answered")["port"]
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
    assert answer.status_code == 200 and answer.json() == {"health": "OK"}


def test_cordon_only_in_queue_mode(rig):
    scene = Scene(rig)
    scene.handler({"CORDON_ONLY": "true"})
    scene.queue.announce_spot(scene.node, at=soon(60))
    scene.until_cordoned()
    scene.until_empty()
    stays(lambda: len(scene.node.pods(scene.app)) == 1, 3, "nobody evicted")


def test_the_log_says_nth_s_words(rig):
    scene = Scene(rig)
    handler = scene.handler()
    began = time.time()
    told = scene.queue.announce_spot(scene.node)
    handler.wait_for_log("Started monitoring for events")
    line = handler.wait_for_message("Requesting instance drain", at_most=15)
    assert line["instance-id"] == scene.node.instance_id and line["node-name"] == scene.node.name
    assert line["event-id"] == "spot-itn-event-" + told.encode().hex()
    assert time.time() - began < 15
