"""Tests of the rig itself: what the other tests take for granted."""

import pathlib
import time

import pytest
import yaml

from rig import Agent, ApiError, Kube, TooLate, access, until
from rig.access import rules_without


def test_pods_run_within_seconds(rig):
    node = rig.node("n1")
    begin = time.monotonic()
    rig.deployment("web", replicas=50, on=node)
    assert time.monotonic() - begin < 8
    assert len(rig.pods("web", on=node, ready=True)) == 50


def test_first_pods_are_placed_and_replacements_go_elsewhere(rig):
    first, second = rig.node("n1"), rig.node("n2")
    rig.deployment("web", replicas=3, on=first)
    assert len(first.pods("web")) == 3 and not second.is_cordoned()
    first.cordon()
    for pod in rig.pods("web"):
        rig.kube.evict(pod["metadata"]["name"])
    rig.until_gone_from(first, "web")
    rig.until_running("web", 3, on=second)


def test_a_closed_budget_refuses_with_its_cause(rig):
    node = rig.node("n1")
    rig.deployment("web", replicas=2, on=node)
    rig.pdb("web", max_unavailable=0)
    with pytest.raises(ApiError) as refusal:
        rig.kube.evict(rig.pods("web")[0]["metadata"]["name"])
    assert refusal.value.code == 429
    assert refusal.value.causes == ["DisruptionBudget"]


def test_eviction_carries_grace_and_marks_the_pod_as_disrupted(rig):
    node = rig.node("n1")
    rig.pod("lone", on=node, grace=600, ends_after=1)
    rig.kube.evict("lone", grace=20, uid=rig.history.pod("lone").uid)
    story = rig.told("lone", at_most=2)
    assert story.grace == 20
    until(lambda: rig.history.pod("lone").disrupted, 2, "DisruptionTarget seen")


@pytest.mark.parametrize("ends_after", [0.5, 3])
def test_deletion_takes_as_long_as_the_application(rig, ends_after):
    node = rig.node("n1")
    rig.pod("slow", on=node, grace=30, ends_after=ends_after)
    rig.kube.delete("pods", "slow")
    rig.until_gone_from(node, "slow", at_most=ends_after + 3)
    story = until(lambda: (s := rig.history.pod("slow")).gone_at and s, 2, "end seen")
    assert ends_after - 0.1 <= story.gone_at - story.told_at <= ends_after + 1.2


def test_an_application_that_is_too_slow_is_killed_when_its_grace_is_over(rig):
    node = rig.node("n1")
    rig.pod("stubborn", on=node, grace=1, ends_after=60)
    rig.kube.delete("pods", "stubborn")
    rig.until_gone_from(node, "stubborn", at_most=4)


def test_readiness_can_be_late_never_and_lost(rig):
    node = rig.node("n1")
    rig.deployment("late", on=node, ready_after=1)
    rig.deployment("never", on=node, ready_after="never")
    rig.until_running("late", 1, at_most=5)
    late, never = rig.history.pods("late")[0], rig.history.pods("never")[0]
    assert late.ready_at - late.created_at >= 0.9
    assert never.ready_at is None
    rig.make_unready(late.name)
    assert rig.pods("late", ready=True) == []


def test_every_kind_of_workload(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.daemon_set("log-shipper")
    rig.stateful_set("db", replicas=2, on=node)
    rig.job("batch", on=node)
    rig.job("short", on=node, completes_after=0.3)
    rig.pod("static", on=node, mirror=True)
    rig.deployment("cache", on=node, empty_dir=True, grace=5)
    assert len(rig.pods("log-shipper", ready=True)) == 2
    until(lambda: rig.kube.get("jobs", "short")["status"].get("succeeded") == 1, 5, "the job counted as done")


def test_an_evicted_job_pod_ends_is_counted_and_replaced(rig):
    first, second = rig.node("n1"), rig.node("n2")
    rig.job("batch", on=first, backoff_limit=0)
    first.cordon()
    rig.kube.delete("pods", rig.pods("batch")[0]["metadata"]["name"])
    rig.until_gone_from(first, "batch", at_most=10)
    until(
        lambda: any(c["type"] == "Failed" for c in rig.kube.get("jobs", "batch")["status"].get("conditions", [])),
        10,
        "the job failed, for its backoffLimit is 0",
    )
    assert not second.pods("batch")


def test_a_released_pod_is_replaced_at_once_and_stays_in_its_service(rig):
    """Another pod-template-hash takes a pod out of its ReplicaSet, not of its Service: what a hand-over needs."""
    node = rig.node("n1")
    rig.deployment("web", on=node)
    rig.service("web")
    old = rig.history.pods("web")[0]
    rig.kube.patch("pods", old.name, {"metadata": {"uid": old.uid, "labels": {"pod-template-hash": "released"}}})
    rig.until_running("web", 2)
    assert "ownerReferences" not in rig.kube.get("pods", old.name)["metadata"]

    def ready_endpoints():
        slices = rig.kube.list("endpointslices", labels="kubernetes.io/service-name=web")
        return sum(e["conditions"]["ready"] for s in slices for e in s["endpoints"] or [])

    until(lambda: ready_endpoints() == 2, 5, "both are in the Service")


def test_requests_are_counted(rig):
    rig.node("n1")
    rig.pod("lone", on=rig.nodes[0])
    rig.kube.evict("lone")
    until(
        lambda: rig.api_requests(user="rig-admin", verb="create", resource="pods/eviction", name="lone"), 2, "audited"
    )
    assert len(rig.api_requests(resource="pods/eviction", namespace=rig.namespace)) == 1
    assert rig.api_table(user="rig-admin")["create", "pods/eviction", 201] == 1


def test_a_node_remembers_when_it_was_cordoned(rig):
    node = rig.node("n1", zone="eu-west-1b", instance_id="i-0123456789abcdef0")
    assert node.object()["spec"]["providerID"] == "aws:///eu-west-1b/i-0123456789abcdef0"
    assert node.cordoned_at() is None and node.taints() == []
    before = time.time()
    node.cordon()
    until(node.cordoned_at, 2, "cordon seen")
    assert before <= node.cordoned_at() <= time.time()
    node.uncordon()
    until(lambda: node.cordoned_at() is None, 2, "uncordon seen")


def test_imds_announces_a_fixed_time_after_a_while(rig):
    imds = rig.imds(rig.node("n1"), spot=True, time_in_s=60, after_s=2)
    path = "latest/meta-data/spot/instance-action"
    assert imds.get(path).status_code == 404
    until(lambda: imds.get(path).status_code == 200, 4, "notice there")
    notice = imds.get(path).json()
    assert notice["action"] == "terminate"
    assert 50 < imds.seconds_left() <= 60
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(imds.deadline)) == notice["time"]
    time.sleep(1.1)  # not to be right, but to see whether the mock's clock moves the notice
    assert imds.get(path).json() == notice
    assert imds.get("latest/meta-data/instance-id").text == rig.nodes[0].instance_id
    assert imds.get("latest/meta-data/events/recommendations/rebalance").status_code == 404
    imds.announce()
    assert imds.get(path).status_code == 404


def test_imds_can_insist_on_tokens(rig):
    imds = rig.imds(spot=True, v2_only=True)
    path = "latest/meta-data/spot/instance-action"
    assert imds.get(path).status_code == 401
    assert imds.get(path, imds.token()).status_code == 200


def test_rights_can_be_taken_away_one_by_one():
    rules = [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    ]
    assert rules_without(rules, [("list", "pods"), ("create", "pods/eviction")]) == [
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
    ]
    with pytest.raises(AssertionError, match="does not grant patch pods"):
        rules_without(rules, [("patch", "pods")])


@pytest.fixture
def small_role(monkeypatch, tmp_path):
    """Instead of deploy/rbac/agent.yaml: agents may list and patch pods."""
    role = tmp_path / "role.yaml"
    role.write_text(
        "kind: ClusterRole\nmetadata: {name: spotkeeper-agent}\nrules:\n"
        "- {apiGroups: [''], resources: [pods], verbs: [list, patch]}\n"
    )
    monkeypatch.setattr(access, "AGENT_ROLES", tmp_path)


@pytest.fixture
def program_that_tells_how_it_was_started(monkeypatch, tmp_path):
    program = tmp_path / "fake"
    program.write_text(
        "#!/usr/bin/python3\nimport json, os, sys, time\n"
        "print(json.dumps({'message': 'started', 'args': sys.argv[1:], 'env': dict(os.environ)}), flush=True)\n"
        "time.sleep(60)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("SPOTKEEPER_BINARY", str(program))


@pytest.mark.usefixtures("small_role", "program_that_tells_how_it_was_started")
def test_an_agent_is_started_as_a_pod_would_be_with_the_rights_it_was_given_and_no_more(rig):
    node = rig.node("n1")
    imds = rig.imds(node)
    agent = rig.agent(node, imds, {"DRY_RUN": "true"}, without=[("patch", "pods")])
    started = agent.wait_for_message("started")
    command, flag, account = started["args"]
    assert (command, flag) == ("agent", "--service-account-dir")
    env = started["env"]
    assert (env["NODE_NAME"], env["INSTANCE_METADATA_URL"], env["DRY_RUN"]) == (node.name, imds.url, "true")
    server = f"https://{env['KUBERNETES_SERVICE_HOST']}:{env['KUBERNETES_SERVICE_PORT']}"
    account = pathlib.Path(account)
    kube = Kube(server, account / "ca.crt", (account / "token").read_text(), rig.namespace)
    assert kube.list("pods") == []
    with pytest.raises(ApiError) as refusal:
        kube.patch("pods", "any", {})
    assert refusal.value.code == 403
    until(lambda: rig.api_requests(user=agent.user, verb="patch", resource="pods", code=403), 2, "audited")


@pytest.mark.usefixtures("small_role", "program_that_tells_how_it_was_started")
def test_an_agent_can_have_a_kubeconfig_instead(rig):
    node = rig.node("n1")
    started = rig.agent(node, rig.imds(node), kubeconfig=True).wait_for_message("started")
    assert started["args"][:2] == ["agent", "--kubeconfig"]
    assert "KUBERNETES_SERVICE_HOST" not in started["env"]
    user = yaml.safe_load(pathlib.Path(started["args"][2]).read_text())["users"][0]["user"]
    assert Kube(rig.control_plane.server, rig.control_plane.pki.ca_crt, user["token"], rig.namespace).list("pods") == []


def test_an_agents_log_and_end_are_seen(tmp_path):
    script = (
        "import json, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('not JSON', flush=True)\n"
        "print(json.dumps({'message': 'post-mortem', 'moved': 3}), file=sys.stderr, flush=True)\n"
        "time.sleep(60)\n"
    )
    agent = Agent(pathlib.Path("/usr/bin/python3"), tmp_path, "fake", {}, [script], command=("-c",))
    assert agent.wait_for_log("NOT json") == "not JSON"
    assert agent.wait_for_message("post-mortem")["moved"] == 3
    assert 1 < agent.rss_mb() <= agent.peak_rss_mb() < 100 and agent.cpu_s() < 5
    with pytest.raises(TooLate, match="'never said' in the log of fake"):
        agent.wait_for_log("never said", at_most=0.2)
    assert agent.terminate() == 7
    with pytest.raises(RuntimeError, match="fake ended with 7"):
        agent.wait_for_log("never said")
