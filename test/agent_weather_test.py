"""The real agent when the world around it misbehaves: conflicts, a metadata service that comes and goes, signals."""

import re
import signal
import threading

import pytest
import requests

from rig import stays, until
from rig.kube import ApiError
from rig.node import TAINT

SHORT = {"TAINT_NODE": "true", "ENOUGH_GRACE": 8}


def test_a_notice_whose_time_slides_stays_one_notice(rig):
    """The mock answers "in two minutes" at every request when no time is given."""
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", on=node)
    rig.stateful_set("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    agent = rig.agent(node, rig.imds(node, spot=True, sliding=True), SHORT | {"IMDS_POLL_INTERVAL": "200ms"})
    rig.until_gone_from(node, "web", at_most=10)
    until(lambda: agent.log_lines()[-1]["time"] > agent.steps("notice")[0]["time"], 5, "polled on")
    polls = len(rig.api_requests(user=agent.user))
    rig.kube.patch("poddisruptionbudgets", "shy", {"spec": {"maxUnavailable": 1}})
    rig.until_gone_from(node, "shy", at_most=10)
    assert len(agent.steps("notice")) == 1
    assert len(agent.steps("marked")) == 1
    assert agent.post_mortem()["moved"] == 2
    assert len(rig.api_requests(user=agent.user)) - polls <= 2, "the eviction, and no more than a watch"


def test_conflicts_on_the_node_are_tried_again_and_nothing_foreign_is_lost(rig):
    """Somebody writes taints on the node as fast as they can while we mark it."""
    node = rig.node("n1")
    done, written = threading.Event(), []

    def write():
        while not done.is_set() and len(written) < 60:
            key = f"example.com/t{len(written)}"
            try:
                node.add_taint(key, "x")
                written.append(key)
            except ApiError as error:
                assert error.code == 409

    writer = threading.Thread(target=write)
    writer.start()
    try:
        agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
        until(node.is_marked, 10, "node marked")
    finally:
        done.set()
        writer.join()
    assert node.is_cordoned()
    keys = {taint["key"] for taint in node.taints()}
    assert TAINT in keys
    assert keys >= set(written), "a foreign taint was erased"
    assert agent.exit_code is None


def test_a_metadata_service_that_comes_and_goes_is_weather(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", on=node)
    imds = rig.imds(node)
    agent = rig.agent(node, imds, SHORT | {"METADATA_TRIES": "1", "IMDS_POLL_INTERVAL": "200ms"})
    agent.wait_for_log("node found")
    imds.stop()
    agent.wait_for_log("instance metadata: ")
    imds.announce(spot=True, time_in_s=40)
    agent.wait_for_log("instance metadata answers again", at_most=15)
    rig.until_gone_from(node, "web", at_most=10)
    assert agent.post_mortem()["untold"] == 0


def test_sigterm_in_a_drain_finishes_it_first(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("slow", on=node, grace=20, ends_after=4)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT)
    until(lambda: rig.told("slow", at_most=10), 1, "told")
    assert agent.terminate(at_most=15) == 0
    assert agent.post_mortem()["moved"] == 1, "the post-mortem was written before the end"
    agent.wait_for_log("told to end while a drain runs")


def test_a_second_signal_ends_a_drain_at_once(rig):
    node = rig.node("n1")
    rig.stateful_set("slow", on=node, grace=30, ends_after=25)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=60), SHORT)
    until(lambda: rig.told("slow", at_most=10), 1, "told")
    agent.signal(signal.SIGTERM)
    agent.wait_for_log("told to end while a drain runs")
    assert agent.terminate(at_most=3) == 0


def test_an_agent_without_any_source_stays(rig):
    node = rig.node("n1")
    agent = rig.agent(node, rig.imds(node, spot=True), SHORT | {"ENABLE_SPOT_INTERRUPTION_DRAINING": "false"})
    agent.wait_for_log("node found")
    stays(lambda: agent.exit_code is None and not node.is_cordoned(), 2, "running, and the node left alone")
    assert agent.terminate() == 0


def test_cordon_only_moves_nobody(rig):
    node = rig.node("n1")
    rig.deployment("web", on=node)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT | {"CORDON_ONLY": "true"})
    agent.wait_for_log("cordoned only")
    assert node.is_marked() and node.is_cordoned()
    assert rig.history.pods("web")[0].told_at is None
    assert not rig.api_requests(user=agent.user, resource="pods/eviction")


def test_local_data_is_left_to_its_last_moment_when_asked(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("cache", on=node, empty_dir=True)
    rig.deployment("web", on=node)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT | {"DELETE_LOCAL_DATA": "false"})
    rig.until_gone_from(node, "web", at_most=8)
    assert rig.history.pods("cache")[0].told_at is None
    rig.until_gone_from(node, "cache", at_most=20)
    assert 7 <= imds.deadline - rig.told("cache").told_at <= 14
    assert agent.post_mortem()["untold"] == 0


def test_without_the_right_to_delete_a_closed_budget_wins_and_that_is_said(rig):
    """NTH's own ClusterRole has no delete: the pod is asked to the end, and the post-mortem does not gloss over it."""
    node = rig.node("n1")
    rig.node("n2")
    rig.stateful_set("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT, without=[("delete", "pods")])
    result = agent.post_mortem(at_most=40)
    assert result["untold"] == 1
    missing = [line["message"] for line in agent.log_lines() if "missing right" in line["message"]]
    assert len(missing) == 1 and "pods delete: a budget can hold its pods until the host ends" in missing[0]
    assert 'resources: ["pods"], verbs: ["delete"]' in missing[0]


def test_without_the_right_to_explain_the_pod_is_told_all_the_same(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.stateful_set("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT, without=[("patch", "pods/status")])
    assert agent.post_mortem(at_most=30)["moved"] == 1
    assert "pods/status patch" in agent.wait_for_log("missing right")
    assert not rig.api_requests(user=agent.user, verb="patch", resource="pods/status"), "not tried in vain"


def test_pods_that_may_not_be_listed_are_said_to_be_so(rig):
    node = rig.node("n1")
    rig.deployment("web", on=node)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=16), SHORT, without=[("list", "pods")])
    result = agent.post_mortem(at_most=30)
    assert result["listed"] is False
    assert any("list pods" in line["message"] for line in agent.steps("denied"))


@pytest.mark.parametrize("path, status", [("/metrics", 200), ("/elsewhere", 404)])
def test_metrics_are_served_when_asked(rig, path, status):
    node = rig.node("n1")
    agent = rig.agent(
        node, rig.imds(node), {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": "0"}
    )
    port = agent.wait_for_message("metrics are served")["port"]
    with requests.Session() as session:
        session.trust_env = False

        def served():
            answer = session.get(f"http://127.0.0.1:{port}{path}", timeout=5)
            assert answer.status_code == status
            return status == 404 or 'spotkeeper_imds_polls_total{outcome="quiet"}' in answer.text

        until(served, 5, "polls counted")


def test_the_console_log_has_nths_shape_and_ends_with_a_table(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", on=node)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT | {"JSON_LOGGING": "false"})
    agent.wait_for_log("1 moved, 0 still ending, 0 untold")
    lines = agent.output().splitlines()
    notice = next(line for line in lines if "SpotInterruption (terminate) from imds" in line)
    assert re.match(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d WRN .* step=notice node=n1", notice)
    header = next(line for line in lines if line.startswith("POD "))
    assert header.split() == (
        "POD OWNER MODE GRACE LATEST ASKED TOLD GONE SLACK OUTCOME REMARK".split()
    )
    assert any("/web-" in line and " moved" in line for line in lines)


NTH_LACKS = [
    ("watch", "pods"),
    ("delete", "pods"),
    ("patch", "pods/status"),
    ("list", "poddisruptionbudgets"),
    ("watch", "poddisruptionbudgets"),
    ("list", "endpointslices"),
    ("watch", "endpointslices"),
]


def test_with_nths_own_clusterrole_it_works_and_says_what_each_missing_verb_costs(rig):
    """Only the image was changed: pods are listed instead of watched, and evicted, never deleted."""
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", replicas=2, on=node)
    rig.deployment("shy", on=node)
    rig.pdb("shy", min_available=1)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40, after_s=3), SHORT, without=NTH_LACKS)
    until(lambda: sum("missing right" in x["message"] for x in agent.log_lines()) == len(NTH_LACKS), 5, "all are named")
    missing = [line["message"] for line in agent.log_lines() if "missing right" in line["message"]]
    for verb, resource in NTH_LACKS:
        assert any(f"missing right {resource} {verb}: " in line for line in missing), (verb, resource)
    rig.until_gone_from(node, "web", at_most=10)
    rig.kube.patch("poddisruptionbudgets", "shy", {"spec": {"minAvailable": 0}})
    rig.until_gone_from(node, "shy", at_most=35)
    result = agent.post_mortem()
    assert result["moved"] == 3 and result["untold"] == 0 and result["services"] is None
    assert not rig.api_requests(user=agent.user, verb="delete")
    assert not rig.api_requests(user=agent.user, resource="poddisruptionbudgets"), "what we may not read is not asked for"


def test_a_service_without_a_ready_endpoint_is_timed(rig):
    """One replica, moved without a replacement first: nobody answers until the new pod is Ready."""
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", on=node, ready_after=2, strategy={"type": "Recreate"})
    rig.service("web")
    rig.until_running("web", 1)
    until(lambda: rig.endpoints("web"), 5, "an endpoint")
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT)
    result = agent.post_mortem(at_most=20)
    (service,) = result["services"]
    assert service["service"].endswith("/web") and not service["still_without"]
    assert 1500 <= service["without_ready_endpoint_ms"] <= 6000
    assert [line["step"] for line in agent.log_lines() if line.get("step", "").startswith("outage")] == ["outage", "outage over"]
