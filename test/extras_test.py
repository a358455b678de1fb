"""What an operator can switch on beside the drain itself, on the real controllers, each with no more than its own role.

Load balancers, the early word, DaemonSets, NoExecute, out-of-service, volumes: docs/drain.md.
"""

import json
import re
import time

import pytest
import yaml

from hand_over import SHORT, counts, of_app, released, start, start_alone, until_released
from rig import stays, until
from rig.binaries import REPOSITORY
from rig.history import first_version
from rig.imds import rfc3339
from rig.node import TAINT
from rig.objects import is_ready
from rig.person import Person

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
NOTICE = "spotkeeper.io/notice"
LOCAL = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
TOLERATES_ALL = [{"operator": "Exists"}]


@pytest.fixture
def hosts(rig):
    """The host that goes, and another."""
    return rig.node("n1"), rig.node("n2")


def node_version(rig, node, holds) -> int | None:
    """When (as a resourceVersion) it was true of the node first."""
    return first_version([version for _, version in rig.history.node(node.name)], holds)


def excluded_at(rig, node) -> int | None:
    return node_version(rig, node, lambda version: EXCLUDED in version["metadata"]["labels"])


def told_at(story) -> int | None:
    return first_version(story.versions, lambda pod: "deletionTimestamp" in pod["metadata"])


def effect(version: dict, key: str = TAINT) -> str | None:
    return next((taint["effect"] for taint in version["spec"].get("taints", []) if taint["key"] == key), None)


# Load balancers


@pytest.mark.parametrize(
    "options",
    [{}, {"without": [("list", "services")]}, {"without": [("list", "endpointslices")]}, {"roles": ("agent",)}],
    ids=["all rights", "no services", "no endpoints", "least"],
)
def test_load_balancers_are_told_before_the_first_eviction(rig, hosts, options):
    node, spare = hosts
    rig.stateful_set("db", 3, on=node)
    start(rig, "web", 2, node, ready_after=1)
    rig.traffic("web", pods=2)
    account = rig.account("balancer", **options)
    agent = rig.agent(
        node,
        rig.imds(node, spot=True, time_in_s=40),
        SHORT | {"EXCLUDE_FROM_LOAD_BALANCERS": "true"},
        account=account,
    )
    rig.until_gone_from(node, at_most=15)
    assert counts(agent.post_mortem()) == (5, 0, 0)
    excluded = excluded_at(rig, node)
    stories = rig.history.pods(node=node.name)
    assert excluded and all(excluded < told_at(story) for story in stories), (excluded, stories)
    assert not spare.label(EXCLUDED)


def test_load_balancers_are_told_before_a_delete_too(rig, hosts):
    """Without the right to evict, pods are deleted."""
    node, _ = hosts
    rig.stateful_set("db", 3, on=node)
    account = rig.account("deleter", without=[("create", "pods/eviction")])
    env = SHORT | {"EXCLUDE_FROM_LOAD_BALANCERS": "true"}
    rig.agent(node, rig.imds(node, spot=True, time_in_s=40), env, account=account)
    rig.until_gone_from(node, at_most=15)
    excluded = excluded_at(rig, node)
    assert excluded and all(excluded < told_at(story) for story in rig.history.pods(node=node.name))


def test_a_service_with_local_endpoints_here_alone_stays_until_its_replacement_is_ready(rig, hosts):
    node, spare = hosts
    start(rig, "web", 1, node, ready_after=4)
    rig.pdb("web", max_unavailable=0)
    rig.stateful_set("db", on=node)
    traffic = rig.traffic("web", **LOCAL)
    env = SHORT | {"EXCLUDE_FROM_LOAD_BALANCERS": "true"}
    rig.agent(node, rig.imds(node, spot=True, time_in_s=120), env)
    rig.told("db", at_most=5)  # nobody else is held up by it
    assert not node.label(EXCLUDED)
    until(lambda: node.label(EXCLUDED), 10, "excluded")
    rig.until_gone_from(node, "web")
    new = next(story for story in rig.history.pods("web") if story.node == spare.name)
    assert first_version(new.versions, is_ready) < excluded_at(rig, node)
    assert traffic.at_least() == 1


def test_a_service_with_local_endpoints_elsewhere_too_holds_nothing_up(rig, hosts):
    node, spare = hosts
    start(rig, "web", 1, spare)
    spare.cordon()
    rig.kube.patch("deployments", "web", {"spec": {"replicas": 2}})
    rig.until_running("web", 1, on=node)
    spare.uncordon()
    rig.traffic("web", pods=2, **LOCAL)
    rig.agent(
        node, rig.imds(node, spot=True, time_in_s=120), SHORT | {"EXCLUDE_FROM_LOAD_BALANCERS": "true"}
    )
    rig.until_gone_from(node, "web")
    assert excluded_at(rig, node) < told_at(rig.history.pods("web", node.name)[0])


def test_forty_five_seconds_before_the_end_the_label_comes_in_any_case(rig, hosts):
    node, _ = hosts
    start_alone(rig, "web", node, grace=10)
    rig.pdb("web", max_unavailable=0)
    rig.traffic("web", **LOCAL)
    imds = rig.imds(node, spot=True, time_in_s=53)
    rig.agent(node, imds, SHORT | {"EXCLUDE_FROM_LOAD_BALANCERS": "true"})
    until_released(rig, "web")
    until(lambda: node.label(EXCLUDED), 10, "excluded")
    assert 42 <= imds.seconds_left() <= 45.5
    assert not rig.history.pods("web", node.name)[0].told_at


def test_a_person_takes_label_and_taints_back_once_the_deadline_has_passed(rig, hosts):
    """AWS has changed its mind: the host lives on. What others have set stays."""
    node, _ = hosts
    rig.pod("db", on=node)
    node.add_taint("example.com/theirs", effect="NoSchedule")
    env = SHORT | {
        "EXCLUDE_FROM_LOAD_BALANCERS": "true",
        "ENABLE_OUT_OF_SERVICE_TAINT": "true",
        "TAINT_EFFECT": "NoExecute",
    }
    imds = rig.imds(node, spot=True, time_in_s=14)
    agent = rig.agent(node, imds, env)
    until(lambda: effect(node.object()) == "NoExecute" and node.taint(OUT_OF_SERVICE), 12, "all that it can set")
    with Person(rig.control_plane.kubeconfig()) as person:
        refused = person.run("drain", "--undo", node.name)
        assert "stays marked: SpotInterruption" in refused.stdout and node.label(EXCLUDED)
        agent.terminate()
        until(lambda: imds.seconds_left() < 0, 16, "the deadline")
        undone = person.run("drain", "--undo", node.name)
    assert undone.returncode == 0 and "uncordoned" in undone.stdout, undone.stderr
    assert node.label(EXCLUDED) is None and not node.is_cordoned()
    assert [taint["key"] for taint in node.taints()] == ["example.com/theirs"]


# The early word


def test_every_pod_that_goes_hears_it_before_it_is_asked(rig, hosts):
    """With the agent's own role and the early word's, and no more."""
    node, spare = hosts
    rig.stateful_set("db", 2, on=node)
    start(rig, "web", 2, node)
    rig.pod("kept", on=node, annotations={"spotkeeper.io/drain": "never"})
    rig.pod("elsewhere", on=spare)
    rig.daemon_set("logs")
    imds = rig.imds(node, spot=True, time_in_s=40)
    account = rig.account("early", roles=("agent", "agent-early-word"))
    agent = rig.agent(node, imds, SHORT | {"EARLY_WORD": "true"}, account=account)
    for app in ("db", "web"):
        rig.until_gone_from(node, app)
    assert counts(agent.post_mortem()) == (4, 0, 0)
    for app in ("db", "web"):
        for story in rig.history.pods(app, node.name):
            heard = first_version(story.versions, lambda pod: NOTICE in pod["metadata"].get("annotations", {}))
            assert heard and heard < told_at(story), f"{story.name}: {heard}"
            word = json.loads(story.last["metadata"]["annotations"][NOTICE])
            assert word == {"kind": "SpotInterruption", "deadline": rfc3339(imds.deadline)}
    for app in ("kept", "elsewhere", "logs"):
        assert all(NOTICE not in story.last["metadata"].get("annotations", {}) for story in rig.history.pods(app)), app
    assert not released(rig, "web"), "no right to hand over"


def test_the_example_in_the_manual_hears_it(rig, hosts):
    """deploy/examples/early-word.yaml as it is: what its file would hold, by its own downward API."""
    node, spare = hosts
    manifest = yaml.safe_load((REPOSITORY / "deploy/examples/early-word.yaml").read_text())
    spare.cordon()
    rig.kube.create("deployments", manifest)
    rig.until_running("worker", 2, on=node)
    spare.uncordon()
    paths = [
        item["fieldRef"]["fieldPath"]
        for volume in manifest["spec"]["template"]["spec"]["volumes"]
        for item in volume["downwardAPI"]["items"]
    ]
    key = re.fullmatch(r"metadata\.annotations\['(.*)'\]", paths[0])[1]
    imds = rig.imds(node, spot=True, time_in_s=40)
    rig.agent(node, imds, SHORT | {"EARLY_WORD": "true"})
    rig.until_gone_from(node, "worker")
    for story in rig.history.pods("worker", node.name):
        told = told_at(story)
        before = [pod for pod in story.versions if int(pod["metadata"]["resourceVersion"]) < told]
        assert json.loads(before[-1]["metadata"]["annotations"][key])["deadline"] == rfc3339(imds.deadline)


# DaemonSets


def test_daemon_sets_are_told_last_and_do_not_come_back(rig, hosts):
    node, spare = hosts
    rig.daemon_set("logs", grace=5)
    rig.daemon_set("slow", grace=60, ends_after=1)
    rig.daemon_set("net", tolerations=TOLERATES_ALL)
    rig.stateful_set("db", on=node)
    rig.pdb("db", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=25)
    account = rig.account("daemons", roles=("agent",))
    agent = rig.agent(node, imds, SHORT | {"DAEMON_SET_SIGNAL": "true", "ENOUGH_GRACE": 13}, account=account)
    rig.until_gone_from(node, "slow", at_most=25)
    rig.until_gone_from(node, "logs", at_most=8)
    stays(lambda: not node.pods("logs") and not node.pods("slow"), 2, "not started again")
    stories = {app: rig.history.pods(app, node.name)[0] for app in ("db", "logs", "slow", "net")}
    assert told_at(stories["db"]) < told_at(stories["slow"]) < told_at(stories["logs"])
    left = {app: imds.deadline - stories[app].told_at for app in ("logs", "slow")}
    assert 5 + 3 - 1 <= left["logs"] <= 5 + 3 + 2, left
    assert 10 + 3 - 1 <= left["slow"] <= 10 + 3 + 2, left
    assert not stories["net"].told_at, "its taint would not keep it away: it ends with the host"
    assert len(node.pods("net")) == 1
    assert len(spare.pods("logs")) == len(spare.pods("slow")) == 1
    result = agent.post_mortem(at_most=15)
    outcomes = {app: of_app(result, app)[0]["outcome"] for app in stories}
    assert outcomes == {"db": "moved", "logs": "moved", "slow": "moved", "net": "stays"}
    assert result["untold"] == 0


def test_daemon_sets_are_left_alone_where_nobody_asks_for_it(rig, hosts):
    node, _ = hosts
    rig.daemon_set("logs", grace=5)
    rig.stateful_set("db", on=node)
    imds = rig.imds(node, spot=True, time_in_s=12)
    agent = rig.agent(node, imds, SHORT)
    assert of_app(agent.post_mortem(), "logs")[0]["outcome"] == "stays"
    stays(lambda: not rig.history.pods("logs", node.name)[0].told_at, max(1, imds.seconds_left()), "to the end")


# NoExecute


def test_no_execute_comes_ten_seconds_before_the_end_and_ends_nobody_earlier(rig, hosts):
    """Who is left then is told by Kubernetes itself: a DaemonSet's pod, and one that is to be left alone."""
    node, _ = hosts
    rig.daemon_set("logs", grace=5)
    rig.pod("kept", on=node, annotations={"spotkeeper.io/drain": "never"}, grace=5)
    rig.stateful_set("db", on=node, grace=15, ends_after=1)
    rig.pdb("db", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT | {"TAINT_EFFECT": "NoExecute"})
    until(node.is_marked, 5, "marked")
    assert effect(node.object()) == "NoSchedule"
    until(lambda: effect(node.object()) == "NoExecute", 20, "NoExecute")
    assert 8 <= imds.seconds_left() <= 10.5
    for app in ("logs", "kept"):
        assert imds.deadline - rig.told(app, at_most=3).told_at < 10.5
    db = rig.told("db")
    assert 12 + 3 - 1 <= imds.deadline - db.told_at <= 19 and db.grace >= 10
    assert counts(agent.post_mortem()) == (1, 0, 1)
    rig.history.catch_up()
    effects = [effect(version) for _, version in rig.history.node(node.name)]
    assert sorted(set(effects) - {None}, key=effects.index) == ["NoSchedule", "NoExecute"]


# Out of service


def test_out_of_service_when_all_have_left_and_not_before(rig, hosts):
    node, _ = hosts
    rig.stateful_set("quick", on=node)
    rig.stateful_set("slow", on=node, ends_after=4)
    rig.daemon_set("net", tolerations=TOLERATES_ALL)
    account = rig.account("out", roles=("agent",))
    imds = rig.imds(node, spot=True, time_in_s=40)
    agent = rig.agent(node, imds, SHORT | {"ENABLE_OUT_OF_SERVICE_TAINT": "true"}, account=account)
    until(lambda: node.taint(OUT_OF_SERVICE), 15, "out of service")
    rig.history.catch_up()
    gone = {app: rig.history.pods(app, node.name)[0].gone_at for app in ("quick", "slow")}
    assert all(gone.values()), gone
    tainted = next(at for at, version in rig.history.node(node.name) if effect(version, OUT_OF_SERVICE))
    assert tainted > max(gone.values()) - 0.1 and tainted - gone["quick"] > 2
    assert node.taint(OUT_OF_SERVICE)["effect"] == "NoExecute"
    assert len(node.pods("net")) == 1
    assert counts(agent.post_mortem()) == (2, 0, 0)


def test_out_of_service_is_not_said_of_a_host_with_pods(rig, hosts):
    """One is still ending when the deadline passes: its volumes must not be torn from it."""
    node, _ = hosts
    rig.pod("long", on=node, grace=60, ends_after=60)
    rig.kube.delete("pods", "long")  # by somebody else
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=16), SHORT | {"ENABLE_OUT_OF_SERVICE_TAINT": "true"})
    assert of_app(agent.post_mortem(at_most=20), "long")[0]["outcome"] == "ending"
    stays(lambda: not node.taint(OUT_OF_SERVICE), 1.5, "in service")


# Volumes


def test_pods_with_volumes_go_first(rig, hosts):
    """Of all behind one budget, which lets them go one by one."""
    node, _ = hosts
    rig.claim("data")
    rig.stateful_set("plain", 3, on=node, labels={"tier": "one"}, grace=60)  # due earlier, if it were for that
    rig.stateful_set("db", on=node, labels={"tier": "one"}, claim="data")
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"tier": "one"}}}
    rig.kube.create("poddisruptionbudgets", {"metadata": {"name": "one"}, "spec": budget})
    until(lambda: rig.kube.get("poddisruptionbudgets", "one")["status"].get("disruptionsAllowed") == 1, 10, "open")
    rig.agent(node, rig.imds(node, spot=True, time_in_s=120), SHORT | {"ENOUGH_GRACE": 60})
    for app in ("plain", "db"):
        rig.until_gone_from(node, app)
    db = told_at(rig.history.pods("db", node.name)[0])
    assert all(db < told_at(story) for story in rig.history.pods("plain", node.name))


def volumes_agent(rig, node, imds, roles=("agent", "agent-volumes")):
    return rig.agent(node, imds, SHORT, account=rig.account("volumes", roles=roles))


@pytest.fixture
def attached(rig, hosts):
    """A pod with a volume on each host; each volume is attached. The VolumeAttachment of the first."""
    for name, node in zip(("data", "other"), hosts):
        rig.claim(name)
        rig.pod(f"with-{name}", on=node, claim=name)
    rig.attach("other", hosts[1])
    return rig.attach("data", hosts[0])


def test_the_end_waits_for_volumes_to_be_detached(rig, hosts, attached):
    node, _ = hosts
    agent = volumes_agent(rig, node, rig.imds(node, spot=True, time_in_s=40))
    rig.until_gone_from(node, "with-data")
    stays(lambda: "post-mortem" not in agent.output(), 2, "not the end")
    rig.kube.delete("volumeattachments", attached)
    assert counts(agent.post_mortem(at_most=3)) == (1, 0, 0)


def test_it_waits_no_longer_than_to_the_deadline(rig, hosts, attached):
    node, _ = hosts
    imds = rig.imds(node, spot=True, time_in_s=17)
    agent = volumes_agent(rig, node, imds)
    rig.until_gone_from(node, "with-data")
    assert counts(agent.post_mortem(at_most=19)) == (1, 0, 0)
    assert abs(imds.deadline - time.time()) < 1.5
    assert rig.kube.find("volumeattachments", attached)


def test_without_the_volumes_role_the_end_waits_for_nothing(rig, hosts, attached):
    node, _ = hosts
    agent = volumes_agent(rig, node, rig.imds(node, spot=True, time_in_s=40), roles=("agent",))
    rig.until_gone_from(node, "with-data")
    assert counts(agent.post_mortem(at_most=2)) == (1, 0, 0)
    assert "the end of a drain does not wait for volumes" in agent.output()
