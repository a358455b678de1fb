"""What NTH's end-to-end tests say about webhooks, metrics and events, with NTH's options and assertions; and what is
another way here (docs/telling.md). Tests that bear a script's name are that script.
"""

import json
import re
import subprocess
import tempfile
import time

import pytest
import requests

from rig import stays, until
from rig.binaries import binary, spotkeeper
from rig.node import TAINT
from rig.receiver import Receiver

INSTANCE = "i-1234567890abcdef0"  # as the mock's identity document has it
SHORT = {"ENOUGH_GRACE": 8}  # notices are 25 s here
COMMON = SHORT | {"ENABLE_SPOT_INTERRUPTION_DRAINING": "true", "ENABLE_SCHEDULED_EVENT_DRAINING": "true"}
# The chart's values of webhook-test.
TEMPLATE = (
    '{"Content":"[NTH][Instance Interruption] InstanceId: {{ .InstanceID }} - NodeName: {{ .NodeName }} - '
    "InstanceType: {{ .InstanceType }} - AvailabilityZone: {{ .AvailabilityZone }} - Kind: {{ .Kind }} - "
    'Start Time: {{ .StartTime }}"}'
)
SCOPE = 'otel_scope_name="aws.node.termination.handler",otel_scope_version=""'


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def two_nodes(rig):
    """A node with a pod, and one for its replacement."""
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("regular-pod-test", on=node)
    return node


def get(agent, message: str, path: str, **options) -> requests.Response:
    port = agent.wait_for_message(message)["port"]
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://127.0.0.1:{port}{path}", timeout=5, **options)


def lint(text: str) -> str:
    """What `promtool check metrics` has to say."""
    done = subprocess.run([binary("promlint")], input=text, text=True, capture_output=True, check=False)
    return done.stderr + ("" if done.returncode in (0, 3) else f"exit status {done.returncode}")


def refusal(*arguments: str, **environment: str) -> str:
    """The one line with which it refuses to start, with exit status 2."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as kubeconfig:
        context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
        cluster = {"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}
        user = {"name": "x", "user": {}}
        parts = {"current-context": "x", "contexts": [context], "clusters": [cluster], "users": [user]}
        json.dump({"apiVersion": "v1", "kind": "Config"} | parts, kubeconfig)
        kubeconfig.flush()
        command = [spotkeeper(), "agent", "--node-name=n1", f"--kubeconfig={kubeconfig.name}", *arguments]
        return _refusal(command, environment)


def _refusal(command: list, environment: dict) -> str:
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=10, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, "one line"
    return done.stderr


# webhook-test, webhook-secret-test, webhook-http-proxy-test


def test_webhook_test(rig, receiver):
    node = two_nodes(rig)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, COMMON | {"WEBHOOK_URL": receiver.url, "WEBHOOK_TEMPLATE": TEMPLATE})
    until(node.is_cordoned, 5, "cordoned")
    agent.wait_for_log("Webhook Success")
    content = receiver.wait().json()["Content"]
    assert f"InstanceId: {INSTANCE} - NodeName: {node.name} - InstanceType: m4.xlarge" in content
    assert "Kind: SPOT_ITN - Start Time: 20" in content and content.endswith("+0000 UTC")
    assert receiver.posts[0].headers["Content-type"] == "application/json"
    rig.until_gone_from(node, "regular-pod-test")
    assert len(receiver.posts) == 1, "a notice is told once"


def test_webhook_secret_test(rig, receiver):
    """The URL comes from a Secret, so it is one: nothing of it is in the log."""
    node = two_nodes(rig)
    url = f"{receiver.url}/services/T0/s3cret"
    agent = rig.agent(
        node,
        rig.imds(node, spot=True, time_in_s=25),
        COMMON | {"WEBHOOK_URL": url, "WEBHOOK_HEADERS": '{"Authorization":"Bearer h1dden"}', "LOG_LEVEL": "debug"},
    )
    until(node.is_cordoned, 5, "cordoned")
    agent.wait_for_log("Webhook Success")
    post = receiver.wait()
    assert post.path == "/services/T0/s3cret"
    assert post.headers["Authorization"] == "Bearer h1dden"
    assert "Content-type" not in post.headers, "the default is replaced as a whole"
    assert "s3cret" not in agent.output() and "h1dden" not in agent.output()


def test_webhook_http_proxy_test(rig, receiver):
    node = two_nodes(rig)
    with Receiver(proxy=True) as squid:
        env = {"WEBHOOK_URL": receiver.url, "WEBHOOK_TEMPLATE": TEMPLATE, "WEBHOOK_PROXY": f"tcp://{squid.host}"}
        agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | env)
        until(node.is_cordoned, 5, "cordoned")
        agent.wait_for_log("Webhook Success")
        assert [post.path.rstrip("/") for post in squid.posts] == [receiver.url], "by the proxy"
        assert receiver.wait().json()["Content"]
        rig.until_gone_from(node, "regular-pod-test")


def test_no_other_proxy_is_asked(rig, receiver):
    node = two_nodes(rig)
    nobody = "http://127.0.0.1:9"
    env = {"WEBHOOK_URL": receiver.url, "HTTP_PROXY": nobody, "http_proxy": nobody, "ALL_PROXY": nobody}
    rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | env)
    receiver.wait()


def test_the_default_body_is_json(rig, receiver):
    """NTH's has a raw line end in it."""
    node = two_nodes(rig)
    rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | {"WEBHOOK_URL": receiver.url})
    text = receiver.wait().json()["text"]
    assert re.search(rf"EventID: spot-itn-[0-9a-f]{{64}} - Kind: SPOT_ITN - Instance: {INSTANCE}", text)
    assert "Description: Spot ITN received. Instance will be interrupted at 20" in text


def test_every_field_of_a_template(rig, receiver):
    node = two_nodes(rig)
    fields = (
        "EventID Kind Monitor Description State AutoScalingGroupName NodeName NodeLabels Pods InstanceID ProviderID "
        "InstanceType IsManaged StartTime EndTime NodeProcessed InProgress AccountId InstanceLifeCycle PublicHostname "
        "PublicIP LocalHostname LocalIP AvailabilityZone Region"
    ).split()
    template = "{" + ",".join(f'"{field}":{{{{ .{field} | toJson }}}}' for field in fields) + "}"
    env = {"WEBHOOK_URL": receiver.url, "WEBHOOK_TEMPLATE": template}
    rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | env)
    body = receiver.wait().json()
    assert body["NodeLabels"]["kubernetes.io/hostname"] == node.name
    assert [pod.startswith("regular-pod-test-") for pod in body["Pods"]] == [True]
    assert node.instance_id in body["ProviderID"]
    assert (body["InstanceType"], body["AvailabilityZone"], body["Region"]) == ("m4.xlarge", "us-east-1f", "us-east-1")
    assert (body["AccountId"], body["LocalIP"], body["PublicIP"]) == ("0123456789", "10.0.7.10", "192.0.2.54")
    assert body["PublicHostname"] == "ec2-192-0-2-54.compute-1.amazonaws.com"
    assert (body["IsManaged"], body["NodeProcessed"], body["InProgress"]) == (False, False, True)
    assert (body["InstanceLifeCycle"], body["AutoScalingGroupName"]) == ("spot", "")


def test_a_template_file_is_read_again(rig, receiver, tmp_path):
    node = two_nodes(rig)
    file = tmp_path / "template"
    file.write_text("old {{ .Kind }}")
    imds = rig.imds(node)
    agent = rig.agent(node, imds, COMMON | {"WEBHOOK_URL": receiver.url, "WEBHOOK_TEMPLATE_FILE": str(file)})
    agent.wait_for_message("node found")
    file.write_text("new {{ .Kind }}")
    imds.announce(spot=True, time_in_s=25)
    assert receiver.wait().body == "new SPOT_ITN"


def test_a_template_file_that_broke_meanwhile_leaves_the_last_one(rig, receiver, tmp_path):
    node = two_nodes(rig)
    file = tmp_path / "template"
    file.write_text("good {{ .Kind }}")
    imds = rig.imds(node)
    agent = rig.agent(node, imds, COMMON | {"WEBHOOK_URL": receiver.url, "WEBHOOK_TEMPLATE_FILE": str(file)})
    agent.wait_for_message("node found")
    file.write_text("bad {{ .Kind")
    imds.announce(spot=True, time_in_s=25)
    assert receiver.wait().body == "good SPOT_ITN"
    agent.wait_for_log(f"{file}:1:")


def test_it_is_tried_again_and_the_drain_does_not_wait(rig):
    node = two_nodes(rig)
    with Receiver(answers=(503, 429, 200)) as receiver:
        imds = rig.imds(node, spot=True, time_in_s=25)
        agent = rig.agent(node, imds, COMMON | {"WEBHOOK_URL": receiver.url})
        receiver.wait(posts=3)
        agent.wait_for_log("Webhook Success")
        assert len({post.body for post in receiver.posts}) == 1, "the same three times"
    assert agent.post_mortem()["moved"] == 1


def test_a_webhook_that_is_not_there_holds_nothing_up(rig):
    node = two_nodes(rig)
    env = {"WEBHOOK_URL": "http://10.255.255.1/", "LOG_LEVEL": "debug"}  # nobody answers there
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | env)
    rig.until_gone_from(node, "regular-pod-test", at_most=10)
    assert agent.post_mortem()["moved"] == 1
    began = time.monotonic()
    assert agent.terminate(at_most=15) == 0
    assert time.monotonic() - began < 8, "nor the end of the agent"


def test_what_is_refused_is_not_tried_again(rig):
    node = two_nodes(rig)
    with Receiver(answers=(404,)) as receiver:
        agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | {"WEBHOOK_URL": receiver.url})
        line = json.loads(agent.wait_for_log("Webhook Error"))
        assert (line["status_code"], line["level"]) == ("404", "warn")
        stays(lambda: len(receiver.posts) == 1, 2, "one post")


@pytest.mark.parametrize("whose", ["slack", "teams", "pagerduty"])
def test_ready_made_bodies(rig, receiver, whose):
    node = two_nodes(rig)
    env = {"WEBHOOK_URL": receiver.url, "WEBHOOK_FORMAT": whose, "WEBHOOK_ROUTING_KEY": "k3y"}
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | env)
    body = receiver.wait().json()
    if whose == "slack":
        assert f"SPOT_ITN on node {node.name}" in body["text"]
    elif whose == "teams":
        card = body["attachments"][0]["content"]
        assert (body["type"], card["type"]) == ("message", "AdaptiveCard")
        assert {"title": "Instance", "value": INSTANCE} in card["body"][2]["facts"]
    else:
        assert (body["routing_key"], body["event_action"]) == ("k3y", "trigger")
        assert body["payload"]["source"] == node.name
    assert "k3y" not in agent.output()


def test_a_dry_run_posts_nothing(rig, receiver):
    """With NTH it does [Q]: nothing changes anywhere, here."""
    node = two_nodes(rig)
    env = {"WEBHOOK_URL": receiver.url, "DRY_RUN": "true", "ENABLE_PROMETHEUS_SERVER": "true"}
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, COMMON | env | {"PROMETHEUS_SERVER_PORT": 0})
    agent.wait_for_log("would have been cordoned and drained")
    agent.wait_for_log("Webhook would have been posted")
    assert not receiver.posts and not node.is_cordoned()
    assert not [name for name in agent.metrics() if name.startswith("actions_total{node_action")]


def test_wrong_options_are_one_line_and_exit_2(tmp_path):
    url = {"WEBHOOK_URL": "http://127.0.0.1:9"}
    refused = refusal(WEBHOOK_TEMPLATE='{"a": {{ .Kind }},\n{{ env "HOME" }}}', **url)
    assert 'webhook template:2:4: function "env" is not supported' in refused
    assert "webhook template:1:4" in refusal(WEBHOOK_TEMPLATE="{{ .Nmae }}", **url)
    assert "webhook template:1:" in refusal(WEBHOOK_TEMPLATE='{{ index .Pods 0 }}', **url), "on nothing, as with NTH"
    assert "No such file" in refusal(WEBHOOK_TEMPLATE_FILE=str(tmp_path / "none"), **url)
    assert "WEBHOOK_URL" in refusal(WEBHOOK_URL="hooks.example/secret")
    # NTH panics at the first notice [Q].
    assert "'X'" in refusal(WEBHOOK_HEADERS='{"X": 1}', **url)
    assert "WEBHOOK_PROXY" in refusal(WEBHOOK_PROXY="squid", **url)
    assert "PROBES_SERVER_PORT" in refusal(PROBES_SERVER_PORT="x")
    assert "ENABLE_PROBES_SERVER" in refusal(ENABLE_PROBES_SERVER="yes")
    for wrong in ("a", "a=b=c", "a=b,"):
        assert "KUBERNETES_EVENTS_EXTRA_ANNOTATIONS" in refusal(KUBERNETES_EVENTS_EXTRA_ANNOTATIONS=wrong)


# prometheus-metrics-test


def test_prometheus_metrics_test(rig):
    """NTH's asks for runtime_go_… and counters above 1, too: there is no Go here, and one notice is one notice."""
    node = two_nodes(rig)
    env = {"TAINT_NODE": "true", "ENABLE_PROMETHEUS_SERVER": "true", "ENABLE_SCHEDULED_EVENT_DRAINING": "false"}
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT | env | {"PROMETHEUS_SERVER_PORT": 0})
    until(node.is_cordoned, 5, "cordoned")
    until(lambda: node.taint(TAINT), 5, "tainted")
    rig.until_gone_from(node, "regular-pod-test")
    agent.post_mortem()
    metrics = agent.metrics()
    for action in ("pre-drain", "cordon-and-drain"):
        assert metrics[f'actions_total{{node_action="{action}",node_status="success",{SCOPE}}}'] == 1
    assert metrics[f"actions_total{{{SCOPE}}}"] == 0, "as there, each begins with a sample without labels"
    assert metrics[f"events_error_total{{{SCOPE}}}"] == 0
    assert not [name for name in metrics if name.startswith("actions_node_total")], "has to be asked for"
    text = get(agent, "metrics are served", "/metrics").text
    assert lint(text) == ""
    assert "runtime_go_" not in text and metrics["process_resident_memory_bytes"] > 1e6
    # Ours.
    assert metrics["spotkeeper_pods_told_total"] == 1
    assert metrics["spotkeeper_pods_cut_off_total"] == 0
    assert metrics['spotkeeper_pods_total{outcome="moved"}'] == 1
    assert metrics['spotkeeper_notices_total{kind="SpotInterruption",source="imds"}'] == 1
    assert metrics['spotkeeper_notice_lead_seconds_count{kind="SpotInterruption",source="imds"}'] == 1
    assert 15 < metrics['spotkeeper_notice_lead_seconds_sum{kind="SpotInterruption",source="imds"}'] < 26
    assert metrics["spotkeeper_mark_seconds_count"] == 1
    assert metrics["spotkeeper_pod_told_before_deadline_seconds_count"] == 1
    assert metrics["spotkeeper_service_dark_seconds_total"] == 0
    patches = [name for name in metrics if name.startswith("spotkeeper_api_requests_total") and '"patch"' in name]
    assert any('resource="nodes"' in name and 'code="200"' in name for name in patches)


def test_the_metric_with_the_nodes_name_has_to_be_asked_for(rig):
    node = two_nodes(rig)
    env = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0, "ENABLE_NODE_ACTIONS_METRIC": "true"}
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT | env)
    agent.post_mortem(at_most=20)
    found = [name for name in agent.metrics() if name.startswith('actions_node_total{node_action="cordon-and-drain"')]
    assert len(found) == 1 and f'node_name="{node.name}",node_status="success",{SCOPE}' in found[0]
    assert 'node_event_id="spot-itn-' in found[0]
    assert lint(get(agent, "metrics are served", "/metrics").text) == ""


def test_what_a_drain_costs_is_counted(rig):
    """A budget that is overruled, a Service that goes dark."""
    node = rig.node("n1")
    rig.node("n2")
    rig.stateful_set("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    rig.traffic("shy")
    env = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0}
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT | env)
    agent.post_mortem(at_most=30)
    metrics = agent.metrics()
    assert metrics["spotkeeper_pods_overruled_total"] == 1
    assert 0 < metrics["spotkeeper_service_dark_seconds_total"] < 20
    assert lint(get(agent, "metrics are served", "/metrics").text) == ""


def test_errors_of_instance_metadata_are_counted_and_end_nobody(rig):
    """NTH's process ends itself after four equal ones [Q]."""
    node = rig.node("n1")
    imds = rig.imds_proxy(node)
    env = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0, "IMDS_POLL_INTERVAL": "100ms"}
    agent = rig.agent(node, imds, SHORT | env)
    agent.wait_for_message("node found")
    imds.become("error")
    name = f'events_error_total{{event_error_where="SPOT_ITN_MONITOR",{SCOPE}}}'
    until(lambda: agent.metrics().get(name, 0) >= 5, 20, "five errors counted")
    assert agent.exit_code is None
    line = agent.wait_for_message("There was a problem monitoring for events")
    assert line["event_type"] == "SPOT_ITN_MONITOR" and line["error"]


# emit-events-test, spot-interruption-test-events-on

ANNOTATIONS = {
    "account-id": "0123456789",
    "availability-zone": "us-east-1f",
    "instance-id": INSTANCE,
    "instance-life-cycle": "spot",
    "instance-type": "m4.xlarge",
    "local-hostname": "ip-172-16-34-43.ec2.internal",
    "local-ipv4": "10.0.7.10",
    "public-hostname": "ec2-192-0-2-54.compute-1.amazonaws.com",
    "public-ipv4": "192.0.2.54",
    "region": "us-east-1",
}
EVENTS = {"EMIT_KUBERNETES_EVENTS": "true"}


def events_of(rig, node) -> dict[str, dict]:
    """The node's events by reason, as `kubectl get events -n default` shows them."""
    found = rig.kube.list("events", everywhere=True, fields=f"involvedObject.name={node.name}")
    assert all(event["metadata"]["namespace"] == "default" for event in found)
    found = [event for event in found if event["source"].get("component") == "aws-node-termination-handler"]
    assert len(found) == len({event["reason"] for event in found}), "one of each"
    return {event["reason"]: event for event in found}


def test_emit_events_test(rig):
    node = two_nodes(rig)
    rig.agent(node, rig.imds(node, spot=True, time_in_s=25, v2_only=True), COMMON | EVENTS)
    until(node.is_cordoned, 5, "cordoned")
    rig.until_gone_from(node, "regular-pod-test")
    event = until(lambda: events_of(rig, node).get("CordonAndDrain"), 15, "CordonAndDrain")
    assert event["message"] == "Node successfully cordoned and drained"
    assert (event["involvedObject"]["kind"], event["involvedObject"]["name"]) == ("Node", node.name)


def test_spot_interruption_test_events_on(rig):
    node = two_nodes(rig)
    rig.daemon_set("log-shipper")
    env = {"TAINT_NODE": "true", "KUBERNETES_EVENTS_EXTRA_ANNOTATIONS": "spot.itn.events/test=extra-annotation"}
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, COMMON | EVENTS | env)
    rig.until_gone_from(node, "regular-pod-test")
    assert node.taint(TAINT)
    until(lambda: "CordonAndDrain" in events_of(rig, node), 15, "all events")
    events = events_of(rig, node)
    assert set(events) == {"SpotInterruption", "PreDrain", "CordonAndDrain"}
    for event in events.values():
        expected = ANNOTATIONS | {"spot.itn.events/test": "extra-annotation"}
        assert event["metadata"]["annotations"] == expected
        assert (event["type"], event["count"], event["source"]["host"]) == ("Normal", 1, node.name)
    assert events["SpotInterruption"]["message"].startswith("Spot ITN received. Instance will be interrupted at 20")
    assert events["PreDrain"]["message"] == "Pre-drain task successfully executed"
    # Of pods: those that are told; NTH writes one on each pod of the node, DaemonSets' included.
    pods = [event for event in rig.kube.list("events") if event["reason"] == "PodEviction"]
    assert [event["involvedObject"]["name"].startswith("regular-pod-test-") for event in pods] == [True]
    assert pods[0]["metadata"]["annotations"]["node"] == node.name
    assert pods[0]["metadata"]["annotations"]["app"] == "regular-pod-test"
    # kubectl describe node shows them.
    by_uid = rig.kube.list("events", everywhere=True, fields=f"involvedObject.uid={node.name}")
    assert {"CordonAndDrain"} <= {event["reason"] for event in by_uid}
    order = [request.verb + " " + request.resource for request in rig.api_requests(user=agent.user)]
    assert order.index("create events") > order.index("patch nodes"), "the mark comes first"


def test_the_operators_annotation_wins(rig):
    node = rig.node("n1")
    env = {"KUBERNETES_EVENTS_EXTRA_ANNOTATIONS": "account-id=team-a", "CORDON_ONLY": "true"}
    rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | EVENTS | env)
    event = until(lambda: events_of(rig, node).get("Cordon"), 15, "Cordon")
    assert event["message"] == "Node successfully cordoned"
    assert event["metadata"]["annotations"]["account-id"] == "team-a"
    assert "CordonAndDrain" not in events_of(rig, node)


def test_without_being_asked_for_no_event_is_written(rig):
    node = two_nodes(rig)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON)
    agent.post_mortem(at_most=20)
    assert not events_of(rig, node)
    assert not rig.api_requests(user=agent.user, resource="events")


def test_an_error_that_goes_on_is_one_event_that_counts(rig):
    node = rig.node("n1")
    imds = rig.imds_proxy(node)
    one_monitor = {"IMDS_POLL_INTERVAL": "100ms", "ENABLE_SCHEDULED_EVENT_DRAINING": "false"}
    agent = rig.agent(node, imds, COMMON | EVENTS | one_monitor)
    agent.wait_for_message("node found")
    imds.become("error")
    until(lambda: events_of(rig, node).get("MonitorError", {}).get("count", 0) >= 3, 30, "counted on")
    event = events_of(rig, node)["MonitorError"]
    assert event["type"] == "Warning" and "SPOT_ITN_MONITOR" in event["message"]


def test_without_the_right_nothing_else_is_lost(rig):
    node = two_nodes(rig)
    env = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0}
    without = [("create", "events"), ("patch", "events")]
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | EVENTS | env, without=without)
    assert agent.post_mortem(at_most=20)["moved"] == 1
    agent.wait_for_log("deploy/rbac/agent-events.yaml")
    until(lambda: agent.metrics().get('spotkeeper_kubernetes_events_total{outcome="dropped"}', 0) >= 3, 10, "dropped")


def test_a_dry_run_writes_no_events(rig):
    """With NTH it does [Q]."""
    node = two_nodes(rig)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), COMMON | EVENTS | {"DRY_RUN": "true"})
    agent.wait_for_log("would have been cordoned and drained")
    stays(lambda: not events_of(rig, node), 1, "no events")


# Probes


def test_probes(rig):
    node = rig.node("n1")
    env = {"ENABLE_PROBES_SERVER": "true", "PROBES_SERVER_PORT": 0, "PROBES_SERVER_ENDPOINT": "/live"}
    agent = rig.agent(node, rig.imds(node), SHORT | env)
    answer = get(agent, "probes are answered", "/live")
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (
        200,
        '{"health":"OK"}',
        "application/json",
    )
    until(lambda: get(agent, "probes are answered", "/readyz").status_code == 200, 10, "ready")
    assert get(agent, "probes are answered", "/healthz").status_code == 404
    assert get(agent, "probes are answered", "/metrics").status_code == 404, "switched off"


def test_bad_weather_is_not_ready_but_alive(rig):
    node = rig.node("n1")
    imds = rig.imds_proxy(node)
    imds.become("error")
    env = {"ENABLE_PROBES_SERVER": "true", "PROBES_SERVER_PORT": 0}
    agent = rig.agent(node, imds, SHORT | env)
    agent.wait_for_message("node found")
    answer = get(agent, "probes are answered", "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "why": "instance metadata has not answered yet"}
    assert get(agent, "probes are answered", "/healthz").text == '{"health":"OK"}'
    imds.become("well")
    until(lambda: get(agent, "probes are answered", "/readyz").status_code == 200, 15, "ready")


def test_each_port_serves_both(rig):
    """As with NTH [Q]: somebody may rely on it."""
    node = rig.node("n1")
    env = {"ENABLE_PROBES_SERVER": "true", "PROBES_SERVER_PORT": 0} | {
        "ENABLE_PROMETHEUS_SERVER": "true",
        "PROMETHEUS_SERVER_PORT": 0,
    }
    agent = rig.agent(node, rig.imds(node), SHORT | env)
    for message in ("metrics are served", "probes are answered"):
        assert get(agent, message, "/healthz").text == '{"health":"OK"}'
        assert "actions_total" in get(agent, message, "/metrics").text


# The log


@pytest.mark.parametrize(("version", "field"), [("1", "event_type"), ("2", "monitor_type"), ("7", "monitor_type")])
def test_log_format_version(rig, version, field):
    node = two_nodes(rig)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT | {"LOG_FORMAT_VERSION": version})
    agent.wait_for_message("Started monitoring for events")
    started = [line for line in agent.log_lines() if line["message"] == "Started monitoring for events"]
    assert {"SPOT_ITN_MONITOR", "SCHEDULED_EVENT_MONITOR"} == {line[field] for line in started}
    line = agent.wait_for_message("Requesting instance drain")
    assert (line["kind"], line["node-name"]) == ("SPOT_ITN", node.name)
    assert line["event-id"].startswith("spot-itn-")
    assert ("monitor" in line) == (field == "monitor_type")
    if version == "7":
        assert agent.wait_for_log("LOG_FORMAT_VERSION")
