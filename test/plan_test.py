"""`spotkeeper plan`: the modes that the agent would use, and the reason of each "no" to a hand-over."""

import json

import pytest
import yaml

from hand_over import SHORT, counts, of_app, start, start_alone
from rig import until
from rig.person import Person

RECREATE = {"type": "Recreate"}


@pytest.fixture
def hosts(rig):
    """The host that would go, and another."""
    return rig.node("n1"), rig.node("n2")


def plan(person, node, *options: str) -> dict:
    """App → its pod in the plan."""
    result = person.run("plan", node.name, "-o", "json", *options)
    assert result.returncode == 0 and not result.stderr, result.stderr
    pods = json.loads(result.stdout)["pods"]
    return {pod["pod"].partition("/")[2].split("-")[0]: pod for pod in pods}


def obstacle(pod: dict) -> str:
    """Why it is not handed over; empty: it is, or nobody thought of it."""
    said = [words.partition("not handed over: ")[2] for words in [*pod["in_the_way"], pod["why"]]]
    reasons = [words for words in said if words]
    assert len(reasons) in (0, 2) and len(set(reasons)) <= 1, "in the way, and why: the same"
    return reasons[0] if reasons else ""


def test_a_plan_says_what_the_agent_does(rig, hosts, person):
    """Each reason in the plan; and the agent, in a dry run, would do the same with the same pods."""
    node, _ = hosts
    rig.claim("one")
    rig.claim("many", "ReadWriteMany")
    rig.deployment("free", 1, node)
    rig.deployment("recreate", 1, node, strategy=RECREATE)
    rig.deployment("paused", 1, node)
    rig.kube.patch("deployments", "paused", {"spec": {"paused": True}})
    tolerations = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]
    here = {"kubernetes.io/hostname": node.name}
    rig.deployment("tolerant", 1, node, tolerations=tolerations, node_selector=here)
    rig.deployment("port", 1, node, host_port=8080)
    rig.deployment("single", 1, node, claim="one", strategy=RECREATE)
    rig.deployment("shared", 1, node, claim="many")
    rig.stateful_set("db", 1, on=node)
    start_alone(rig, "half", node)
    # A rollout that has no room for its new pod, for a while.
    rig.kube.patch("deployments", "half", {"spec": {"template": {"spec": {"nodeSelector": {"no": "where"}}}}})
    until(lambda: rig.kube.get("deployments", "half")["status"].get("replicas") == 2, 5, "being rolled out")
    planned = plan(person, node)
    told = {app: (planned[app]["mode"], obstacle(planned[app])) for app in planned}
    assert told == {
        "free": ("hand-over", ""),
        "paused": ("hand-over", ""),
        "shared": ("hand-over", ""),
        "recreate": (
            "at-once",
            "its Deployment allows no pod more than it has replicas (Recreate, or maxSurge 0)",
        ),
        "tolerant": ("at-once", "it tolerates the cordon: its replacement would land here"),
        "port": ("at-once", "it has a port of the host, which its replacement may not find free"),
        "single": ("at-once", "it mounts volume claim one, which one host at a time may have"),
        "half": ("at-once", "its Deployment is being rolled out"),
        "db": ("at-once", ""),
    }
    assert not node.is_cordoned()
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=120), SHORT | {"ENOUGH_GRACE": 60, "DRY_RUN": "true"})
    agent.wait_for_log("dry-run flag was set")
    until(lambda: len(agent.steps("would")) > len(planned), 3, "all of it said")
    would = [line for line in agent.steps("would") if line.get("pod")]
    said = {line["pod"].partition("/")[2].split("-")[0]: line["message"] for line in would}
    assert said.keys() == planned.keys()
    for app, words in said.items():
        assert ("handed over, beginning" in words) == (told[app][0] == "hand-over"), (app, words)


def test_the_agent_hands_over_what_the_plan_said(rig, hosts, person):
    node, _ = hosts
    start(rig, "free", 2, node, grace=5, ready_after=1)
    start(rig, "paused", 1, node, grace=5, ready_after=1)
    rig.kube.patch("deployments", "paused", {"spec": {"paused": True}})
    start(rig, "recreate", 1, node, strategy=RECREATE)
    planned = {app: pod["mode"] for app, pod in plan(person, node).items()}
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT)
    result = agent.post_mortem(at_most=20)
    assert counts(result) == (4, 0, 0)
    for app, mode in planned.items():
        assert {pod["mode"] for pod in of_app(result, app)} == {mode}, app


@pytest.mark.parametrize("kind", ["Service", "NetworkPolicy"])
def test_who_selects_by_the_hash_stands_in_the_way(rig, hosts, person, kind):
    node, _ = hosts
    rig.deployment("web", 1, node)
    label = {"pod-template-hash": rig.pods("web")[0]["metadata"]["labels"]["pod-template-hash"]}
    if kind == "Service":
        rig.service("by-hash", labels=label)
    else:
        spec = {"podSelector": {"matchLabels": label}, "policyTypes": ["Ingress"]}
        rig.kube.create("networkpolicies", {"metadata": {"name": "by-hash"}, "spec": spec})
    assert obstacle(plan(person, node)["web"]) == f"{kind} by-hash selects by pod-template-hash"


def test_the_table_shows_the_reason_too(rig, hosts, person):
    node, _ = hosts
    rig.deployment("web", 1, node, strategy=RECREATE)
    line = next(line for line in person.run("plan", node.name).stdout.splitlines() if "/web-" in line)
    assert " at-once " in line and "not handed over: its Deployment allows no pod more" in line


def test_what_may_not_be_read_is_said(rig, hosts):
    node, _ = hosts
    rig.deployment("web", 1, node)
    account = rig.account("reader", without=[("list", "deployments")])
    with Person(rig.control_plane.kubeconfig(account.user, account.token)) as person:
        result = person.run("plan", node.name, "-o", "json")
    assert result.returncode == 0
    assert result.stderr.startswith("spotkeeper plan: hand-overs are not in the plan: ")
    assert len(result.stderr.splitlines()) == 1 and "deployments" in result.stderr
    assert obstacle(json.loads(result.stdout)["pods"][0]) == "its Deployment may not be read"


def test_switched_off_nothing_of_it_is_read(rig, hosts):
    node, _ = hosts
    rig.deployment("web", 1, node)
    account = rig.account("reader")
    with Person(rig.control_plane.kubeconfig(account.user, account.token)) as person:
        planned = plan(person, node, "--hand-over", "never")
    assert obstacle(planned["web"]) == "switched off"
    assert not rig.api_requests(user=account.user, resource="deployments")


def test_rules_for_a_kind_of_notice_are_in_the_plan_of_that_kind(rig, hosts, person, tmp_path):
    node, _ = hosts
    rig.deployment("web", 1, node)
    rig.stateful_set("db", 1, on=node)
    rules = [
        {"name": "spot", "notices": ["SpotInterruption"], "owners": ["StatefulSet"], "mode": "last-moment"},
        {"name": "soft", "notices": ["RebalanceRecommendation"], "owners": ["StatefulSet"], "mode": "never"},
    ]
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump({"rules": rules}))

    def modes(*options: str) -> dict[str, str]:
        found = plan(person, node, "--policy-file", str(file), *options)
        return {app: pod["mode"] for app, pod in found.items()}

    assert modes() == {"web": "hand-over", "db": "at-once"}, "a person's word"
    assert modes("--notice", "SpotInterruption") == {"web": "hand-over", "db": "last-moment"}
    soft = ("--notice", "RebalanceRecommendation")
    assert modes(*soft) == {"web": "at-once", "db": "stays"}
    assert modes(*soft, "--hand-over", "always", "--deadline", "none") == {"web": "hand-over", "db": "stays"}
