"""The replacement first, on the real controllers: rule 6 of docs/design.md.

What keeps it from being used is in hand_over_policies_test.py, its figures in hand_over_figures_test.py.
"""

import pytest

from hand_over import (
    SHORT,
    counts,
    evictions_refused,
    is_handed_over,
    of_app,
    orphans,
    released,
    start,
    start_alone,
    until_it_scales,
    until_released,
    until_settled,
)
from rig import until
from rig.person import Person

SPREAD = {
    "maxSkew": 1,
    "topologyKey": "kubernetes.io/hostname",
    "whenUnsatisfiable": "ScheduleAnyway",
    "labelSelector": {"matchLabels": {"app": "web"}},
}


@pytest.fixture
def hosts(rig):
    """The host that goes, and another."""
    return rig.node("n1"), rig.node("n2")


def test_a_single_replica_behind_max_unavailable_0(rig, hosts):
    node, spare = hosts
    start(rig, "web", 1, node, ready_after=3)
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web")
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=30), SHORT)
    until_settled(rig, node, "web", 1, at_most=15)
    result = agent.post_mortem()
    assert counts(result) == (1, 0, 0) and is_handed_over(result, "web")
    assert traffic.at_least() == 1, traffic.samples()
    assert result["services"][0]["without_ready_endpoint_ms"] == 0
    assert evictions_refused(rig, agent) == 0
    old, new = rig.history.pods("web")
    assert new.ready_at < old.told_at and new.node == spare.name


def test_a_single_replica_without_a_budget(rig, hosts):
    node, _ = hosts
    start(rig, "web", 1, node, grace=5, ready_after=2)
    traffic = rig.traffic("web")
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=30), SHORT)
    until_settled(rig, node, "web", 1)
    assert counts(agent.post_mortem()) == (1, 0, 0)
    assert traffic.at_least() == 1, traffic.samples()


@pytest.mark.parametrize("replicas, available", [(3, 3), (4, "50%"), (4, "25%"), (10, "90%")])
def test_all_replicas_on_one_host(rig, hosts, replicas, available):
    node, _ = hosts
    start(rig, "web", replicas, node, grace=5, ready_after=2)
    rig.pdb("web", min_available=available)
    traffic = rig.traffic("web", pods=replicas)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT)
    until_settled(rig, node, "web", replicas, at_most=25)
    result = agent.post_mortem()
    assert counts(result) == (replicas, 0, 0) and is_handed_over(result, "web")
    assert traffic.at_least() == replicas, "no less than it was at any moment"


def test_two_deployments_behind_one_budget(rig, hosts):
    node, _ = hosts
    for name in ("red", "blue"):
        start(rig, name, 2, node, labels={"shop": "books"}, grace=5, ready_after=2)
    rig.kube.create(
        "poddisruptionbudgets",
        {"metadata": {"name": "both"}, "spec": {"minAvailable": 4, "selector": {"matchLabels": {"shop": "books"}}}},
    )
    until(lambda: rig.kube.get("poddisruptionbudgets", "both")["status"].get("expectedPods") == 4, 10, "in force")
    traffic = [rig.traffic(name, pods=2) for name in ("red", "blue")]
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT)
    for name in ("red", "blue"):
        until_settled(rig, node, name, 2, at_most=25)
    assert counts(agent.post_mortem()) == (4, 0, 0)
    assert [each.at_least() for each in traffic] == [2, 2]


def test_two_hosts_go_at_the_same_time(rig, hosts):
    """Each has an agent that does not know of the other."""
    first, third = hosts[0], hosts[1]
    second = rig.node("n0")
    third.cordon()
    start(rig, "web", 4, None, grace=5, ready_after=3, topologySpreadConstraints=[SPREAD])
    third.uncordon()
    assert [len(node.pods("web")) for node in (first, second)] == [2, 2]
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web", pods=4)
    agents = [rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT) for node in (first, second)]
    for node in (first, second):
        until_settled(rig, node, "web", 4, at_most=30)
    assert [counts(agent.post_mortem()) for agent in agents] == [(2, 0, 0), (2, 0, 0)]
    assert traffic.at_least() == 4, traffic.samples()


def test_only_some_of_its_replicas_are_here(rig, hosts):
    node, spare = hosts
    start(rig, "web", 2, spare)
    rig.kube.patch("deployments", "web", {"spec": {"replicas": 3}})
    spare.cordon()
    until(lambda: len(rig.pods("web", on=node, ready=True)) == 1, 10, "one on the host that goes")
    spare.uncordon()
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web", pods=3)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=30), SHORT)
    until_settled(rig, node, "web", 3)
    assert counts(agent.post_mortem()) == (1, 0, 0)
    assert traffic.at_least() == 3


# What else happens meanwhile


@pytest.fixture
def pending(rig, hosts):
    """Three replicas behind a closed budget, all released; their replacements take 6 s to be Ready."""
    node, _ = hosts
    start(rig, "web", 3, node, grace=5, ready_after=6)
    rig.pdb("web", min_available=3)
    imds = rig.imds(node, spot=True, time_in_s=40)
    agent = rig.agent(node, imds, SHORT)
    until_released(rig, "web", 3)
    agent.imds = imds
    return agent


def test_a_rollout_started_while_pending(rig, hosts, pending):
    traffic = rig.traffic("web", pods=3)
    template = {"template": {"metadata": {"annotations": {"version": "2"}}}}
    rig.kube.patch("deployments", "web", {"spec": template})
    until_settled(rig, hosts[0], "web", 3, at_most=30)
    assert counts(pending.post_mortem()) == (3, 0, 0)
    assert traffic.at_least() >= 2, "what the rollout itself allows"
    versions = {pod["metadata"]["annotations"].get("version") for pod in rig.pods("web")}
    assert versions == {"2"}


def test_scaled_up_while_pending(rig, hosts, pending):
    traffic = rig.traffic("web", pods=3)
    rig.kube.patch("deployments", "web", {"spec": {"replicas": 5}})
    until_settled(rig, hosts[0], "web", 5, at_most=30)
    assert counts(pending.post_mortem()) == (3, 0, 0)
    assert traffic.at_least() >= 3


def test_scaled_down_while_pending(rig, hosts, pending):
    traffic = rig.traffic("web", pods=3)
    rig.kube.patch("poddisruptionbudgets", "web", {"spec": {"minAvailable": 1}})
    rig.kube.patch("deployments", "web", {"spec": {"replicas": 1}})
    until_settled(rig, hosts[0], "web", 1, at_most=30)
    assert counts(pending.post_mortem()) == (3, 0, 0)
    assert traffic.at_least() >= 1


def test_scaled_to_0_while_pending(rig, hosts, pending):
    rig.kube.patch("poddisruptionbudgets", "web", {"spec": {"minAvailable": 0}})
    rig.kube.patch("deployments", "web", {"spec": {"replicas": 0}})
    until_settled(rig, hosts[0], "web", 0, at_most=8)
    assert counts(pending.post_mortem()) == (3, 0, 0)


def test_deployment_deleted_while_pending(rig, hosts, pending):
    rig.kube.delete("poddisruptionbudgets", "web")
    rig.kube.delete("deployments", "web")
    until_settled(rig, hosts[0], "web", 0, at_most=8)
    assert counts(pending.post_mortem()) == (3, 0, 0)


def test_deployment_deleted_while_pending_behind_a_budget_that_stays(rig, hosts, pending):
    """Nobody is left to make room in the budget: its pods have to be overruled, and are told in time."""
    rig.kube.delete("deployments", "web")
    until_settled(rig, hosts[0], "web", 0, at_most=38)
    assert counts(pending.post_mortem())[:2] == (3, 0)
    assert all(pending.imds.deadline - story.told_at > 5 for story in rig.history.pods("web", hosts[0].name))


# Replacements that take their time, or never come


def test_a_replacement_that_never_gets_ready(rig, hosts):
    """Without a budget it is asked in time for its whole grace; behind a closed one it is told in time."""
    node, _ = hosts
    for app in ("free", "shy"):
        start_alone(rig, app, node, grace=20)
    rig.pdb("shy", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=35)
    agent = rig.agent(node, imds, SHORT)
    for app in ("free", "shy"):
        until_released(rig, app)
    rig.until_gone_from(node, "shy", at_most=35)
    free, shy = rig.told("free"), rig.told("shy")
    assert 20 + 3 - 1 <= imds.deadline - free.told_at <= 28 and free.grace == 20
    assert 12 + 3 - 2 <= imds.deadline - shy.told_at <= 19 and shy.grace >= 10 and shy.disrupted
    result = agent.post_mortem(at_most=5)
    assert counts(result) == (2, 0, 1)
    assert of_app(result, "shy")[0]["overruled_budgets"] == [f"{rig.namespace}/shy"]
    for app in ("free", "shy"):
        assert not orphans(rig, app) and len(rig.pods(app)) == 1
        until_it_scales(rig, app, 3)


@pytest.mark.parametrize(
    "more, fits",
    [
        ({}, True),
        ({"matchLabelKeys": ["pod-template-hash"]}, False),
        ({"matchLabelKeys": ["pod-template-hash"], "nodeTaintsPolicy": "Honor"}, True),
    ],
    ids=["whole app", "each revision", "each revision, on hosts that stay"],
)
def test_spread_over_hosts(rig, hosts, more, fits):
    node, spare = hosts
    rig.node("n3")
    spread = SPREAD | {"whenUnsatisfiable": "DoNotSchedule"} | more
    start(rig, "web", 3, None, ready_after=2, topologySpreadConstraints=[spread])
    assert len(node.pods("web")) == 1
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web", pods=3)
    imds = rig.imds(node, spot=True, time_in_s=30)
    agent = rig.agent(node, imds, SHORT)
    rig.until_gone_from(node, "web", at_most=30)
    result = agent.post_mortem()
    if not fits:
        # The released pod is of no revision any more, and the cordoned host is still a domain: none is there, and one
        # on each of the others. A second one would be too many. It is so without us, too.
        assert counts(result) == (1, 0, 1)
        assert not released(rig, "web") and not orphans(rig, "web")
        assert imds.deadline - rig.told("web").told_at > 10
    else:
        assert counts(result) == (1, 0, 0)
        until_settled(rig, node, "web", 3)
        assert traffic.at_least() == 3


def test_min_ready_seconds(rig, hosts):
    node, _ = hosts
    start(rig, "web", 2, node, grace=5, ready_after=1, spec={"minReadySeconds": 4})
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web", pods=2)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT)
    until_settled(rig, node, "web", 2, at_most=25)
    assert counts(agent.post_mortem()) == (2, 0, 0)
    assert traffic.at_least() == 2


# Restarts and withdrawals


def test_killed_between_release_and_eviction(rig, hosts):
    node, _ = hosts
    start(rig, "web", 2, node, grace=5, ready_after=6)
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web", pods=2)
    imds = rig.imds(node, spot=True, time_in_s=40)
    first = rig.agent(node, imds, SHORT)
    until_released(rig, "web", 2)
    first.kill()
    second = rig.agent(node, imds, SHORT)
    until_settled(rig, node, "web", 2, at_most=25)
    assert counts(second.post_mortem()) == (2, 0, 0)
    assert traffic.at_least() == 2


def test_killed_until_the_replacements_are_long_ready(rig, hosts):
    node, _ = hosts
    start(rig, "web", 2, node, grace=5, ready_after=2)
    rig.pdb("web", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=40)
    first = rig.agent(node, imds, SHORT)
    until_released(rig, "web", 2)
    first.kill()
    rig.until_running("web", 2, on=hosts[1])
    second = rig.agent(node, imds, SHORT)
    until_settled(rig, node, "web", 2)
    assert counts(second.post_mortem()) == (2, 0, 0)


@pytest.mark.parametrize("ready_after", [20, 2], ids=["not yet replaced", "replaced"])
def test_withdrawn_by_hand(rig, hosts, ready_after):
    """Whoever is not yet replaced is put back and stays; whoever is, goes. Nobody is left without an owner."""
    node, spare = hosts
    start(rig, "web", 2, node, ready_after=ready_after)
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web", pods=2)
    with Person(rig.control_plane.kubeconfig()) as person:
        process = person.start("drain", node.name, "--deadline", "90s", "--on-interrupt", "undo")
        until_released(rig, "web", 2)
        if ready_after < 10:
            rig.until_running("web", 2, on=spare)
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert process.returncode in (0, 130), output
    assert process.returncode == 0 or not node.is_cordoned()

    def settled() -> bool:
        assert not released(rig, "web") and not orphans(rig, "web") and len(rig.pods("web")) == 2
        return len(rig.pods("web", ready=True)) == 2

    until(settled, 20, "two pods, both owned")
    rig.history.catch_up()
    if ready_after > 10:
        assert len(node.pods("web")) == 2, "the same as before"
    assert traffic.at_least() == 2
    until_it_scales(rig, "web", 3)


def test_node_deleted_meanwhile(rig, hosts, pending):
    """Without a node there is no kubelet that ends them: told is all that can be done."""
    rig.kube.delete("nodes", hosts[0].name)
    rig.until_running("web", 3, at_most=20, on=hosts[1])
    until(lambda: all(story.told_at for story in rig.history.pods("web", hosts[0].name)), 10, "all told")
    assert len(rig.pods("web", ready=True)) == 3 and pending.exit_code is None
    assert not [pod for pod in rig.pods("web", on=hosts[1]) if not pod["metadata"].get("ownerReferences")]
