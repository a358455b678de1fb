"""When a pod is not handed over, or cannot be: each "no" with its reason, and nobody the worse for it."""

import pytest

from hand_over import (
    SHORT,
    counts,
    is_handed_over,
    of_app,
    orphans,
    released,
    releases,
    until_it_scales,
    until_settled,
    why_not,
)
from rig import until
from rig.stages import READY_AFTER

TOLERATES_THE_CORDON = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]
NO_SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
HASH = "object.metadata.labels['pod-template-hash']"
KEEPS_ITS_HASH = f"request.operation == 'CREATE' || {HASH} == oldObject.metadata.labels['pod-template-hash']"
HAS_AN_OWNER = "has(object.metadata.ownerReferences) && size(object.metadata.ownerReferences) > 0"


@pytest.fixture
def node(rig):
    """The host that goes. There is another."""
    first = rig.node("n1")
    rig.node("n2")
    return first


def hash_of(rig, app: str) -> str:
    return rig.pods(app)[0]["metadata"]["labels"]["pod-template-hash"]


# Conditions of use


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"strategy": {"type": "Recreate"}}, "Recreate"),
        ({"strategy": NO_SURGE}, "maxSurge 0"),
        ({"tolerations": TOLERATES_THE_CORDON}, "tolerates the cordon"),
        ({"host_port": 8080}, "port of the host"),
    ],
    ids=["Recreate", "maxSurge 0", "tolerates the cordon", "hostPort"],
)
def test_what_cannot_be_handed_over_is_asked_at_once(rig, options, reason):
    node = rig.node("n1")
    rig.deployment("web", on=node, grace=5, **options)
    rig.node("n2")  # not before: a cordon would not keep all of them away from it
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    result = agent.post_mortem()
    assert reason in why_not(result, "web")
    assert counts(result) == (1, 0, 0) and releases(rig, agent) == 0


@pytest.mark.parametrize("mode", ["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"])
def test_volume_claims(rig, node, mode):
    rig.claim("data", mode)
    rig.deployment("web", on=node, claim="data", grace=5)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    result = agent.post_mortem()
    assert counts(result) == (1, 0, 0)
    if mode == "ReadWriteMany":
        assert is_handed_over(result, "web")
    else:
        assert "volume claim data" in why_not(result, "web") and releases(rig, agent) == 0


def test_a_claim_that_is_shared_by_two_hosts_for_reading_only(rig, node):
    rig.claim("pictures", "ReadOnlyMany")
    rig.deployment("web", on=node, claim="pictures", grace=5)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    assert is_handed_over(agent.post_mortem(), "web")


def test_a_service_that_selects_on_the_hash(rig, node):
    rig.deployment("web", on=node, grace=5)
    rig.deployment("other", on=node)
    rig.service("blue", labels={"app": "web", "pod-template-hash": hash_of(rig, "web")})
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    result = agent.post_mortem()
    assert why_not(result, "web") == "Service blue selects by pod-template-hash"
    assert counts(result)[1:] == (0, 0) and releases(rig, agent) == 0


@pytest.mark.parametrize("within", ["podSelector", "from", "namespaceSelector and expression"])
def test_a_network_policy_that_selects_on_the_hash(rig, node, within):
    rig.deployment("web", on=node, grace=5)
    selector = {"matchLabels": {"pod-template-hash": hash_of(rig, "web")}}
    policy = {"metadata": {"name": "closed"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
    if within == "podSelector":
        policy["spec"]["podSelector"] = selector
    elif within == "from":
        policy["spec"]["ingress"] = [{"from": [{"podSelector": selector}]}]
    else:
        expression = {"key": "pod-template-hash", "operator": "In", "values": ["x"]}
        peer = {"namespaceSelector": {}, "podSelector": {"matchExpressions": [expression]}}
        policy["spec"] |= {"policyTypes": ["Egress"], "egress": [{"to": [peer]}]}
    rig.kube.create("networkpolicies", policy)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    result = agent.post_mortem()
    assert why_not(result, "web") == "NetworkPolicy closed selects by pod-template-hash"
    assert releases(rig, agent) == 0


def test_policies_and_services_that_do_not_mind(rig, node):
    rig.deployment("web", on=node, grace=5)
    traffic = rig.traffic("web")
    policy = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [{}]}
    rig.kube.create("networkpolicies", {"metadata": {"name": "open"}, "spec": policy})
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    assert is_handed_over(agent.post_mortem(), "web") and traffic.at_least() == 1


def test_a_deployment_that_is_being_rolled_out(rig, node):
    rig.deployment("web", 2, on=node, grace=5)
    node.cordon()
    template = {"metadata": {"annotations": {READY_AFTER: "never"}}}
    rig.kube.patch("deployments", "web", {"spec": {"template": template}})
    until(lambda: len(rig.pods("web")) == 3, 10, "the new revision begun")
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    rig.until_gone_from(node, "web")
    assert why_not(agent.post_mortem(), "web") == "its Deployment is being rolled out"
    assert releases(rig, agent) == 0


def test_others_keep_their_own_modes(rig, node):
    rig.stateful_set("db", 2, on=node)
    rig.job("batch", on=node)
    rig.pod("lone", on=node)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    result = agent.post_mortem(at_most=25)
    assert counts(result) == (4, 0, 0) and releases(rig, agent) == 0
    assert {pod["mode"] for pod in result["pods"]} == {"at-once"}


def test_a_replica_set_without_a_deployment(rig, node):
    rig.deployment("web", on=node, grace=5)
    owner = rig.kube.list("replicasets", labels="app=web")[0]["metadata"]["name"]
    body = {"propagationPolicy": "Orphan"}
    rig.kube.request("DELETE", f"/apis/apps/v1/namespaces/{rig.namespace}/deployments/web", body)
    until(lambda: not rig.kube.get("replicasets", owner)["metadata"].get("ownerReferences"), 10, "left alone")
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    assert "its Deployment is gone" in why_not(agent.post_mortem(), "web")
    assert releases(rig, agent) == 0


def test_a_pod_that_does_not_want_it(rig, node):
    rig.deployment("web", on=node, annotations={"spotkeeper.io/drain": "at-once"})
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    until_settled(rig, node, "web", 1)
    assert of_app(agent.post_mortem(), "web")[0]["mode"] == "at-once"
    assert releases(rig, agent) == 0


def test_without_the_right_to_patch_pods(rig, node):
    rig.deployment("web", on=node)
    rig.deployment("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT, without=[("patch", "pods")])
    result = agent.post_mortem(at_most=25)
    assert counts(result) == (2, 0, 1)
    assert "we may not" in why_not(result, "web")
    agent.wait_for_log("pods patch")


@pytest.mark.parametrize("verb, resource", [("list", "deployments"), ("list", "services"), ("list", "networkpolicies")])
def test_without_the_right_to_look(rig, node, verb, resource):
    rig.deployment("web", on=node)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT, without=[(verb, resource)])
    rig.until_gone_from(node, "web", at_most=10)
    assert why_not(agent.post_mortem(), "web")
    assert releases(rig, agent) == 0


# Releases that are not followed through


def test_a_policy_that_forbids_pods_without_an_owner(rig, node):
    """The label is changed, the ReplicaSet may not let go: without the label it would be frozen for ever."""
    rig.deployment("web", 2, on=node, grace=5)
    rig.pdb("web", min_available=1)
    rig.deployment("late", on=node, ready_after="never")
    rig.pdb("late", max_unavailable=0)
    rig.admit_only(HAS_AN_OWNER)
    imds = rig.imds(node, spot=True, time_in_s=35)
    agent = rig.agent(node, imds, SHORT)
    put_back = agent.wait_for_log("put back", at_most=10)
    assert "did not let go" in put_back
    rig.kube.patch("pods", rig.pods("late", on=node)[0]["metadata"]["name"], ready_soon())
    until_it_scales(rig, "web", 3)
    until_settled(rig, node, "web", 3, at_most=30)
    rig.until_gone_from(node, "late", at_most=30)
    result = agent.post_mortem()
    assert result["untold"] == 0
    assert "not followed through" in why_not(result, "web")
    assert why_not(result, "late") == "a release in this namespace was not followed through lately"
    assert releases(rig, agent) == 4, "each of the two: released, and put back"


def test_a_policy_that_forbids_the_label_change(rig, node):
    rig.deployment("web", 2, on=node, grace=5)
    rig.pdb("web", min_available=1)
    rig.admit_only(KEEPS_ITS_HASH)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=30), SHORT)
    until_settled(rig, node, "web", 2, at_most=25)
    result = agent.post_mortem()
    assert counts(result) == (2, 0, 0)
    assert "refused" in why_not(result, "web")
    until_it_scales(rig, "web", 3)


def test_a_quota_that_is_full(rig, node):
    """No replacement can be started: the pod is put back, and goes as it would have gone without us."""
    rig.deployment("web", on=node, grace=12)
    rig.deployment("shy", on=node, grace=12)
    rig.pdb("shy", max_unavailable=0)
    rig.quota(pods=2)
    imds = rig.imds(node, spot=True, time_in_s=35)
    agent = rig.agent(node, imds, SHORT)
    for app in ("web", "shy"):
        until_settled(rig, node, app, 1, at_most=40)
    result = agent.post_mortem()
    assert counts(result) == (2, 0, 1)
    for app in ("web", "shy"):
        assert "no replacement was started" in why_not(result, app)
    assert imds.deadline - rig.told("shy").told_at >= 10
    assert imds.deadline - rig.told("web").told_at >= 25, "asked as soon as it was put back"
    assert releases(rig, agent) == 4, "each of the two: released, and put back"
    rig.kube.delete("resourcequotas", "quota")
    until_it_scales(rig, "shy", 3)


def test_no_room_for_the_replacement(rig):
    node = rig.node("n1")
    rig.deployment("free", on=node, grace=20)
    rig.deployment("shy", on=node, grace=20)
    rig.pdb("shy", max_unavailable=0)
    rig.node("full", cpu="1m")
    imds = rig.imds(node, spot=True, time_in_s=35)
    agent = rig.agent(node, imds, SHORT)
    rig.until_gone_from(node, "free", at_most=30)
    rig.until_gone_from(node, "shy", at_most=35)
    assert imds.deadline - rig.told("free").told_at >= 20, "its whole grace"
    assert imds.deadline - rig.told("shy").told_at >= 10
    assert counts(agent.post_mortem()) == (2, 0, 1)
    for app in ("free", "shy"):
        assert len(rig.pods(app)) == 1 and not released(rig, app) and not orphans(rig, app)
    rig.node("n3")
    for app in ("free", "shy"):
        rig.until_running(app, 1)


def ready_soon() -> dict:
    return {"metadata": {"annotations": {READY_AFTER: "0.1"}}}
