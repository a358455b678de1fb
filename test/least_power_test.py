"""The agent's account exactly as deploy/rbac and deploy/admission ship it, on a real API server.

Tokens are those a kubelet would mount: made for the agent's pod, so that they name its node. Every refusal has to be
the policy's own: RBAC alone would let all of it pass.
"""

import dataclasses
import time

import pytest
import yaml

from rig import until
from rig.access import Account, make_account, request_token
from rig.binaries import REPOSITORY
from rig.kube import ApiError, Kube
from rig.node import TAINT, Node
from rig.objects import pod, pod_template

SHORT = {"TAINT_NODE": "true", "ENOUGH_GRACE": 8}
NAMESPACE, NAME = "kube-system", "spotkeeper-agent"
USER = f"system:serviceaccount:{NAMESPACE}:{NAME}"
OWN_NODE, OWN_EVICTIONS = "spotkeeper-agent-own-node", "spotkeeper-agent-own-evictions"
PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "ServiceAccount": "serviceaccounts",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}

# What the hand-over writes on a pod.
RELEASE = {
    "metadata": {
        "labels": {"pod-template-hash": "released", "spotkeeper.io/released": "true"},
        "annotations": {
            "spotkeeper.io/owner": "web-1",
            "spotkeeper.io/notice": "{}",
            "argocd.argoproj.io/sync-options": "Prune=false",
            "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        },
    }
}


def disrupted() -> dict:
    """With a time: the disruption controller takes a condition without one for stale, and sets it False at once."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"type": "DisruptionTarget", "status": "True", "reason": "SpotInterruption", "lastTransitionTime": now}


def refused(policy: str | tuple, why: str, call, *arguments, **options) -> None:
    """Several policies: all of them refuse, and any may be the one that is named."""
    policies = (policy,) if isinstance(policy, str) else policy
    with pytest.raises(ApiError) as refusal:
        call(*arguments, **options)
    assert refusal.value.code == 422, refusal.value
    assert any(f"ValidatingAdmissionPolicy '{each}'" in str(refusal.value) for each in policies), refusal.value
    assert why in str(refusal.value)


def applied(kube: Kube, pattern: str) -> list[tuple[str, str]]:
    """As `kubectl apply -f` does it: (resource, name) of all that was in the files."""
    done = []
    for file in sorted((REPOSITORY / "deploy").glob(pattern)):
        for document in yaml.safe_load_all(file.read_text()):
            resource = PLURALS[document["kind"]]
            kube.apply(resource, document)
            done.append((resource, document["metadata"]["name"]))
    assert done, f"nothing in deploy/{pattern}"
    return done


def removed(kube: Kube, objects: list[tuple[str, str]]) -> None:
    for resource, name in objects:
        kube.delete(resource, name)


def judges(policy: str, call, *arguments) -> bool:
    """The API server has noticed the policy: it refuses a call that it ought to refuse."""
    try:
        call(*arguments)
    except ApiError as error:
        return f"ValidatingAdmissionPolicy '{policy}'" in str(error)
    return False


@pytest.fixture(scope="module")
def shipped(control_plane):
    """All roles, and the policy that binds the agent to its node."""
    kube = control_plane.kube(namespace=NAMESPACE)
    objects = applied(kube, "rbac/*.yaml") + applied(kube, "admission/agent-own-node.yaml")
    anywhere = Kube(kube.server, kube.ca, request_token(kube, NAME), NAMESPACE)
    try:
        until(lambda: judges(OWN_NODE, anywhere.evict, "nobody"), 15, "the policy in force")
        yield kube
    finally:
        removed(kube, objects)
        anywhere.close()
        kube.close()


@dataclasses.dataclass(frozen=True)
class Host:
    """A node with the agent's pod on it. `agent` acts with the token of that pod, in the rig's namespace."""

    node: Node
    pod: dict
    account: Account
    agent: Kube


@pytest.fixture
def host(rig, shipped):
    """Of two nodes the first one; ordinary pods "mine" and "theirs" are on the first and on the second."""
    node, other = rig.node("n1"), rig.node("n2")
    name = f"{NAME}-{rig.id}"
    # It tolerates everything, or NoExecute would end it, and its token with it.
    template = pod_template(NAME, rig.id, serviceAccountName=NAME, tolerations=[{"operator": "Exists"}])
    own = shipped.create("pods", pod(name, template, node.name))
    account = make_account(shipped, USER, request_token(shipped, NAME, own), rig.folder / "agent-account")
    agent = Kube(shipped.server, shipped.ca, account.token, rig.namespace)
    rig.pod("mine", on=node)
    rig.pod("theirs", on=other)
    yield Host(node, own, account, agent)
    agent.close()
    shipped.delete("pods", name, grace=0)


@pytest.fixture
def evictions_bound(rig, host, shipped):
    """The second policy, too."""
    objects = applied(shipped, "admission/agent-own-evictions.yaml")
    try:
        until(lambda: judges(OWN_EVICTIONS, dry_eviction, host.agent, "theirs"), 15, "the policy in force")
        yield
    finally:
        removed(shipped, objects)


def dry_eviction(kube: Kube, name: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    path = f"/api/v1/namespaces/{kube.namespace}/pods/{name}/eviction"
    kube.request("POST", path, eviction, params={"dryRun": "All"})


# Nodes


def test_its_own_node_can_be_marked_and_unmarked(host):
    mark = {"unschedulable": True, "taints": [{"key": "aws-node-termination-handler/spot-itn", "effect": "NoSchedule"}]}
    labels = {"node.kubernetes.io/exclude-from-external-load-balancers": "spotkeeper"}
    metadata = {"annotations": {"spotkeeper.io/state": "{}"}, "labels": labels}
    host.agent.patch("nodes", host.node.name, {"metadata": metadata, "spec": mark})
    assert host.node.is_marked()
    metadata = {"annotations": {"spotkeeper.io/state": None}, "labels": dict.fromkeys(labels)}
    host.agent.patch("nodes", host.node.name, {"metadata": metadata, "spec": dict.fromkeys(mark)})
    assert not host.node.is_cordoned() and not host.node.taints() and host.node.annotation() is None


def test_another_node_is_refused(rig, host):
    why = f"agent of node {host.node.name} may not touch node {rig.nodes[1].name}"
    refused(OWN_NODE, why, host.agent.patch, "nodes", rig.nodes[1].name, {"spec": {"unschedulable": True}})
    assert not rig.nodes[1].is_cordoned()


@pytest.mark.parametrize(
    "change, why",
    [
        ({"metadata": {"labels": {"topology.kubernetes.io/zone": "elsewhere"}}}, "topology.kubernetes.io/zone"),
        ({"metadata": {"labels": {"node-restriction.kubernetes.io/secure": "yes"}}}, "node-restriction"),
        ({"metadata": {"annotations": {"example.com/a": "b"}}}, "example.com/a"),
        ({"metadata": {"finalizers": ["example.com/keep"]}}, "owners nor finalizers"),
        ({"spec": {"podCIDR": "10.1.2.0/24"}}, "only unschedulable and taints"),
    ],
)
def test_of_its_own_node_nothing_else_can_be_changed(host, change, why):
    refused(OWN_NODE, why, host.agent.patch, "nodes", host.node.name, change)


# Pods


def test_its_own_pods_can_be_released_and_put_back(rig, host):
    host.agent.patch("pods", "mine", RELEASE)
    assert rig.kube.get("pods", "mine")["metadata"]["labels"]["pod-template-hash"] == "released"
    back = {key: dict.fromkeys(value) for key, value in RELEASE["metadata"].items()}
    host.agent.patch("pods", "mine", {"metadata": back})
    assert "pod-template-hash" not in rig.kube.get("pods", "mine")["metadata"]["labels"]


def test_a_pod_on_another_node_is_refused(rig, host):
    why = f"agent of node {host.node.name} may not touch pods of node {rig.nodes[1].name}"
    refused(OWN_NODE, why, host.agent.patch, "pods", "theirs", RELEASE)
    refused(OWN_NODE, why, host.agent.patch, "pods/status", "theirs", {"status": {"conditions": [disrupted()]}})


def test_a_pod_on_no_node_is_refused(rig, host):
    rig.pod("nowhere", wait=False, node_selector={"no": "where"})
    refused(OWN_NODE, "pods of node (none)", host.agent.patch, "pods", "nowhere", RELEASE)


def test_an_image_swap_is_refused(rig, host):
    swap = {"spec": {"containers": [{"name": "app", "image": "registry.invalid/evil:1"}]}}
    why = "only labels and annotations"
    refused(OWN_NODE, why, host.agent.patch, "pods", "mine", swap, "strategic-merge")
    assert rig.kube.get("pods", "mine")["spec"]["containers"][0]["image"] != "registry.invalid/evil:1"


@pytest.mark.parametrize(
    "metadata, why",
    [
        ({"labels": {"app": "bank"}}, "these labels of a pod: app"),
        ({"labels": {"app": None}}, "these labels of a pod: app"),
        ({"labels": {"spotkeeper.io/other": "x"}}, "these labels of a pod: spotkeeper.io/other"),
        ({"annotations": {"example.com/a": "b"}}, "these annotations of a pod: example.com/a"),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "b"}}, "argocd.argoproj.io/tracking-id"),
        ({"finalizers": ["example.com/keep"]}, "owners nor finalizers"),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "theirs", "uid": "none"}]},
            "owners nor finalizers",
        ),
    ],
)
def test_a_foreign_key_is_refused(host, metadata, why):
    refused(OWN_NODE, why, host.agent.patch, "pods", "mine", {"metadata": metadata})
    if "labels" in metadata or "annotations" in metadata:  # the status takes these, too
        refused(OWN_NODE, why, host.agent.patch, "pods/status", "mine", {"metadata": metadata})


def test_a_large_pod_is_judged_all_the_same(rig, host):
    """Judging costs, and has a limit: a pod of 300 kB does not reach it."""
    env = [{"name": f"N{number}", "value": "x" * 200} for number in range(100)]
    more = [{"name": f"c{number}", "image": "registry.invalid/app:1", "env": env} for number in range(10)]
    template = pod_template("large", rig.id, annotations={"pad": "x" * 100_000})
    template["spec"]["containers"] += more
    rig.kube.create("pods", pod("large", template, host.node.name))
    host.agent.patch("pods", "large", RELEASE)
    refused(OWN_NODE, "labels of a pod: app", host.agent.patch, "pods", "large", {"metadata": {"labels": {"app": "x"}}})


def test_a_pod_on_its_own_node_can_be_deleted_and_on_another_not(rig, host):
    refused(OWN_NODE, "may not touch pods of node", host.agent.delete, "pods", "theirs", grace=1)
    host.agent.delete("pods", "mine", grace=1)
    assert rig.told("mine", at_most=5)
    assert rig.history.pods("theirs")[0].told_at is None


def test_of_a_status_only_the_disruption_target_can_be_written(rig, host):
    def write(status: dict) -> dict:
        return host.agent.patch("pods/status", "mine", {"status": status}, "strategic-merge")

    write({"conditions": [disrupted()]})
    conditions = {one["type"]: one["status"] for one in rig.kube.get("pods", "mine")["status"]["conditions"]}
    assert conditions["DisruptionTarget"] == "True" and conditions["Ready"] == "True"
    unready = {"type": "Ready", "status": "False"}
    refused(OWN_NODE, "only DisruptionTarget", write, {"conditions": [unready]})
    refused(OWN_NODE, "only DisruptionTarget", write, {"conditions": [disrupted() | {"message": "again"}, unready]})
    refused(OWN_NODE, "only DisruptionTarget", write, {"conditions": [{"type": "example.com/new", "status": "True"}]})
    refused(OWN_NODE, "only the condition DisruptionTarget", write, {"podIP": "10.9.9.9"})
    refused(OWN_NODE, "only the condition DisruptionTarget", write, {"phase": "Failed"})


# Evictions


def test_without_the_second_policy_an_eviction_is_bound_by_budgets_alone(rig, host):
    """The limit that docs/security.md names: the policy sees an Eviction, which does not tell the node."""
    dry_eviction(host.agent, "theirs")
    rig.pdb("theirs", min_available=1)
    with pytest.raises(ApiError) as refusal:
        dry_eviction(host.agent, "theirs")
    assert (refusal.value.code, refusal.value.causes) == (429, ["DisruptionBudget"])


@pytest.mark.usefixtures("evictions_bound")
def test_with_it_only_pods_of_its_own_node_can_be_evicted(rig, host):
    why = f"agent of node {host.node.name} may not evict pods of node {rig.nodes[1].name}"
    refused(OWN_EVICTIONS, why, host.agent.evict, "theirs")
    with pytest.raises(ApiError) as refusal:
        host.agent.evict("nobody")
    assert refusal.value.code == 404, "who has gone is told from who is refused"
    host.agent.evict("mine")
    assert rig.told("mine", at_most=5)
    rig.kube.evict("theirs")
    assert rig.told("theirs", at_most=5), "others are not judged"


# Whose requests are judged


def test_another_account_is_not_judged(rig, host):
    account = rig.account("other")
    other = Kube(rig.kube.server, rig.kube.ca, account.token, rig.namespace)
    other.patch("nodes", rig.nodes[1].name, {"spec": {"unschedulable": True}})
    other.patch("pods", "theirs", {"metadata": {"labels": {"any": "thing"}}})
    other.delete("pods", "theirs", grace=1)
    assert rig.told("theirs", at_most=5) and rig.nodes[1].is_cordoned()


def test_a_token_without_a_node_is_refused(rig, host, shipped):
    """One for no pod: as of `kubectl create token`, or of a Secret. So a drain by hand wants another account."""
    token = request_token(shipped, NAME)
    nowhere = Kube(rig.kube.server, rig.kube.ca, token, rig.namespace)
    why = "this token names no node"
    refused(OWN_NODE, why, nowhere.patch, "nodes", host.node.name, {"spec": {"unschedulable": True}})
    refused(OWN_NODE, why, nowhere.patch, "pods", "mine", RELEASE)
    refused(OWN_NODE, why, nowhere.delete, "pods", "mine")
    refused((OWN_NODE, OWN_EVICTIONS), why, nowhere.evict, "mine")


def test_more_rights_than_shipped_do_not_lead_past_the_policy(rig, host):
    """Somebody has bound the account to a role that may do everything."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    name = f"{rig.id}-too-much"
    rig.kube.create("clusterrolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})
    try:
        intruder = pod("intruder", pod_template("intruder", rig.id), rig.nodes[1].name)
        until(lambda: judges(OWN_NODE, host.agent.create, "pods", intruder), 5, "the rights in force")
        refused(OWN_NODE, "no business with CREATE of pods", host.agent.create, "pods", intruder)
        refused(OWN_NODE, "no business with DELETE of nodes", host.agent.delete, "nodes", rig.nodes[1].name)
        refused(OWN_NODE, "may not touch pods of node", host.agent.delete_all, "pods", labels="app=theirs")
        command = f"/api/v1/namespaces/{rig.namespace}/pods/mine/exec?command=id"
        with pytest.raises(ApiError, match="no business with CONNECT of pods/exec"):
            host.agent.request("POST", command)
    finally:
        rig.kube.delete("clusterrolebindings", name)


# The whole


@pytest.mark.usefixtures("evictions_bound")
def test_the_agent_drains_its_node_to_the_end_under_both_policies(rig, host):
    """By every way it has: evictions, a hand-over, and for a Job the condition and a DELETE."""
    rig.deployment("web", replicas=3, on=host.node)
    rig.deployment("shy", on=host.node)
    rig.pdb("shy", max_unavailable=0)
    rig.job("batch", on=host.node)
    rig.pdb("batch", min_available=1)
    imds = rig.imds(host.node)
    env = SHORT | {"POD_NAME": host.pod["metadata"]["name"], "NAMESPACE": NAMESPACE}
    agent = rig.agent(host.node, imds, env, account=host.account)
    agent.wait_for_message("all rights are there")
    imds.announce(spot=True, time_in_s=30)
    result = agent.post_mortem(at_most=35)
    assert (result["moved"], result["untold"]) == (6, 0), "three web, shy, batch, mine"
    assert rig.told("batch").disrupted
    assert host.node.is_marked()
    assert rig.history.pods("theirs")[0].told_at is None
    codes = rig.api_table(user=USER)
    writes = {"delete pods", "patch pods", "patch pods/status", "patch nodes", "create pods/eviction"}
    assert writes <= {f"{verb} {resource}" for verb, resource, code in codes if code in (200, 201)}, codes
    denied = [r for r in rig.api_requests(user=USER) if r.code in (401, 403, 422) and r.name != "theirs"]
    assert not denied, "neither roles nor policies stood in its way"


@pytest.mark.usefixtures("evictions_bound")
def test_neither_policy_stands_in_the_way_of_what_can_be_switched_on(rig, host):
    rig.deployment("web", replicas=2, on=host.node)
    rig.daemon_set("logs", grace=5)
    imds = rig.imds(host.node, spot=True, time_in_s=18)
    env = SHORT | {
        "POD_NAME": host.pod["metadata"]["name"],
        "NAMESPACE": NAMESPACE,
        "EARLY_WORD": "true",
        "EXCLUDE_FROM_LOAD_BALANCERS": "true",
        "TAINT_EFFECT": "NoExecute",
        "DAEMON_SET_SIGNAL": "true",
        "ENABLE_OUT_OF_SERVICE_TAINT": "true",
    }
    agent = rig.agent(host.node, imds, env, account=host.account)
    result = agent.post_mortem(at_most=20)
    assert result["untold"] == 0 and result["moved"] == 4, "two web, mine, logs"

    def written() -> bool:
        effects = {taint["key"]: taint["effect"] for taint in host.node.taints()}
        assert effects == {TAINT: "NoExecute", "node.kubernetes.io/out-of-service": "NoExecute"}
        return host.node.label("node.kubernetes.io/exclude-from-external-load-balancers") is not None

    until(written, 10, "all that it can write on the node")
    denied = [r for r in rig.api_requests(user=USER) if r.code in (401, 403, 422) and r.name != "theirs"]
    assert not denied, denied
