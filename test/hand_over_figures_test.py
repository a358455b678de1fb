"""The figures of docs/design.md, section 2, that the hand-over has to reach; `pytest -s` prints the requests."""

import pytest

from hand_over import counts, evictions_refused, of_app, start, start_alone, until_settled


@pytest.fixture
def hosts(rig):
    """The host that goes, and another."""
    return rig.node("n1"), rig.node("n2")


@pytest.mark.timeout(240)
def test_ten_pods_of_four_deployments_behind_closed_budgets(rig, hosts):
    """A notice of 120 s, replacements Ready after 15 s: nobody notices anything."""
    node, _ = hosts
    apps = {"shop": 1, "cart": 2, "mail": 3, "api": 4}
    for app, replicas in apps.items():
        rig.deployment(app, replicas, node, ready_after=15)
    for app, replicas in apps.items():
        rig.until_running(app, replicas, at_most=40, on=node)
        budget = {"max_unavailable": 0} if app in ("shop", "mail") else {"min_available": replicas}
        rig.pdb(app, **budget)
    traffic = {app: rig.traffic(app, pods=replicas) for app, replicas in apps.items()}
    imds = rig.imds(node, spot=True, time_in_s=120)
    agent = rig.agent(node, imds, {"TAINT_NODE": "true"})
    result = agent.post_mortem(at_most=125)
    for app, replicas in apps.items():
        until_settled(rig, node, app, replicas)
    print_table(rig, agent)
    assert counts(result) == (10, 0, 0)
    assert {app: each.at_least() for app, each in traffic.items()} == apps, "never one endpoint less"
    assert all(service["without_ready_endpoint_ms"] == 0 for service in result["services"])
    assert evictions_refused(rig, agent) <= 3, "only where two were asked of one budget at the same moment"
    assert imds.seconds_left() > 60
    assert rig.api_table(user=agent.user).total() <= 45, rig.api_table(user=agent.user)


@pytest.mark.timeout(180)
def test_eight_pods_three_of_them_behind_budgets_that_allow_nothing(rig, hosts):
    """bench/drain.py's node; the third has no replacement that gets Ready, and is the only one overruled."""
    node, _ = hosts
    start(rig, "web", 3, node)
    start(rig, "api", 2, node)
    start(rig, "shy-1", 1, node)
    start(rig, "shy-2", 1, node)
    start_alone(rig, "shy-3", node)
    for name in ("shy-1", "shy-2", "shy-3"):
        rig.pdb(name, max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=60)
    agent = rig.agent(node, imds, {"TAINT_NODE": "true"})
    result = agent.post_mortem(at_most=62)
    print_table(rig, agent)
    assert counts(result) == (8, 0, 1)
    assert [pod["pod"] for pod in result["pods"] if pod["overruled"]] == [of_app(result, "shy-3")[0]["pod"]]
    assert imds.deadline - rig.told("shy-3").told_at >= 30, "its whole grace"
    assert rig.api_table(user=agent.user).total() <= 40, rig.api_table(user=agent.user)


def print_table(rig, agent) -> None:
    """For people: pytest -s, or the report of a failure."""
    table = rig.api_table(user=agent.user)
    for (verb, resource, code), count in sorted(table.items()):
        print(f"{count:4} {verb:7} {resource} {code}")
    print(f"{table.total():4} in all")
