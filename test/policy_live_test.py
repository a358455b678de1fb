"""Switches and rules on a live drain: HAND_OVER, and a policy file that changes while pods wait."""

import os

import pytest
import yaml

from hand_over import (
    SHORT,
    counts,
    is_handed_over,
    of_app,
    orphans,
    released,
    releases,
    start,
    start_alone,
    until_it_scales,
    until_released,
    until_settled,
    why_not,
)
from rig import stays, until

# Longer than the agent takes to look at the file again, and to do something about it.
RELOAD = 7


@pytest.fixture
def hosts(rig):
    """The host that goes, and another."""
    return rig.node("n1"), rig.node("n2")


@pytest.fixture
def policy(rig):
    """Writes the rules into the agent's policy file, all at once as a ConfigMap's mount does; its path is `.path`."""

    def write(*rules: dict | str) -> None:
        text = rules[0] if rules and isinstance(rules[0], str) else yaml.safe_dump({"rules": list(rules)})
        new = write.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, write.path)

    write.path = rig.folder / "policy.yaml"
    return write


def rule(app: str, **sets) -> dict:
    return {"name": f"for {app}", "selector": {"matchLabels": {"app": app}}} | sets


# HAND_OVER


def test_hand_over_can_be_switched_off(rig, hosts):
    """Behind its closed budget the pod is told at its last moment; nothing is read of Deployments."""
    node, _ = hosts
    start(rig, "web", 1, node, ready_after=1)
    rig.pdb("web", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=20)
    agent = rig.agent(node, imds, SHORT | {"HAND_OVER": "never", "ENOUGH_GRACE": 10})
    rig.until_gone_from(node, "web", at_most=20)
    result = agent.post_mortem()
    assert counts(result) == (1, 0, 1) and why_not(result, "web") == "switched off"
    assert releases(rig, agent) == 0
    for resource in ("deployments", "services", "networkpolicies"):
        assert not rig.api_requests(user=agent.user, resource=resource), resource


def test_a_rule_does_not_go_beyond_the_switch(rig, hosts, policy):
    node, _ = hosts
    start(rig, "web", 1, node, annotations={"spotkeeper.io/drain": "hand-over"})
    start(rig, "api", 1, node)
    policy(rule("api", mode="hand-over"))
    agent = rig.agent(
        node, rig.imds(node, spot=True, time_in_s=40), SHORT | {"HAND_OVER": "never", "POLICY_FILE": policy.path}
    )
    rig.until_gone_from(node)
    result = agent.post_mortem()
    assert why_not(result, "web") == "switched off (its annotation)"
    assert why_not(result, "api") == "switched off (for api)"
    assert releases(rig, agent) == 0


# A policy file that changes while pods wait


def test_pods_that_wait_are_planned_anew(rig, hosts, policy):
    """Left to its last moment → asked now; left alone → asked now; held by a budget → left alone."""
    node, _ = hosts
    for app in ("late", "never", "held", "same"):
        rig.stateful_set(app, on=node)
    for app in ("held", "same"):
        rig.pdb(app, max_unavailable=0)
    policy(rule("late", mode="last-moment"), rule("never", mode="never"))
    imds = rig.imds(node, spot=True, time_in_s=30)
    agent = rig.agent(node, imds, SHORT | {"POLICY_FILE": policy.path, "ENOUGH_GRACE": 10})
    agent.wait_for_log("2 rules hold now")
    until(lambda: len(agent.steps("planned")) >= 3, 5, "planned")
    assert not [story for story in rig.history.pods(node=node.name) if story.told_at]
    policy(rule("late", mode="at-once"), rule("held", mode="never"))
    for app in ("late", "never"):
        rig.told(app, at_most=RELOAD)
    agent.wait_for_log("the policy has changed")
    assert imds.seconds_left() > 18, "long before its last moment"
    result = agent.post_mortem(at_most=35)
    assert {app: of_app(result, app)[0]["outcome"] for app in ("late", "never", "same", "held")} == {
        "late": "moved",
        "never": "moved",
        "same": "moved",
        "held": "stays",
    }
    assert result["untold"] == 0 and result["overruled"] == 1
    assert not rig.history.pods("held")[0].told_at


def test_a_budget_holds_no_longer_than_the_new_rule_says(rig, hosts, policy):
    node, _ = hosts
    rig.stateful_set("db", on=node, grace=60)
    rig.pdb("db", max_unavailable=0)
    policy(rule("db", enoughGrace="10s"))
    imds = rig.imds(node, spot=True, time_in_s=45)
    rig.agent(node, imds, SHORT | {"POLICY_FILE": policy.path})
    until(node.is_marked, 5, "marked")
    policy(rule("db", enoughGrace="30s"))
    db = rig.told("db", at_most=20)
    assert 30 + 3 - 1 <= imds.deadline - db.told_at <= 36 and db.grace >= 29


def test_a_wrong_version_changes_nothing_and_a_good_one_follows(rig, hosts, policy):
    node, _ = hosts
    rig.stateful_set("db", on=node)
    policy(rule("db", mode="last-moment"))
    imds = rig.imds(node, spot=True, time_in_s=40)
    agent = rig.agent(node, imds, SHORT | {"POLICY_FILE": policy.path})
    until(node.is_marked, 5, "marked")
    policy("rules:\n  - {mode: at-onec}\n")
    agent.wait_for_log("what was read before stays: 1 rule holds now", at_most=RELOAD)
    stays(lambda: not rig.history.pods("db")[0].told_at, 1, "as it was")
    policy(rule("db", mode="at-once"))
    rig.told("db", at_most=RELOAD)
    assert imds.seconds_left() > 18


def test_who_is_released_and_is_to_be_left_alone_is_put_back(rig, hosts, policy):
    node, _ = hosts
    start_alone(rig, "web", node, grace=5)
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web")
    policy()
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT | {"POLICY_FILE": policy.path})
    until_released(rig, "web")
    policy(rule("web", mode="never"))
    until(lambda: not released(rig, "web") and not orphans(rig, "web"), RELOAD, "put back")
    until(lambda: len(rig.pods("web")) == 1, 5, "one pod, as is wanted")
    assert [pod["spec"]["nodeName"] for pod in rig.pods("web")] == [node.name], "the one that is Ready"
    assert agent.post_mortem()["pods"][0]["outcome"] == "stays"
    assert traffic.at_least() == 1
    until_it_scales(rig, "web", 3)


def test_what_has_begun_is_not_left_half_done(rig, hosts, policy):
    """A rule that says at-once now: the released pod still waits for its replacement."""
    node, _ = hosts
    start(rig, "web", 2, node, grace=5, ready_after=10)
    rig.pdb("web", max_unavailable=0)
    traffic = rig.traffic("web", pods=2)
    policy(rule("web", mode="hand-over"))
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=40), SHORT | {"POLICY_FILE": policy.path})
    until_released(rig, "web", 2)
    policy(rule("web", mode="at-once"))
    agent.wait_for_log("the policy has changed", at_most=RELOAD)
    until_settled(rig, node, "web", 2, at_most=25)
    result = agent.post_mortem()
    assert counts(result) == (2, 0, 0) and is_handed_over(result, "web")
    assert traffic.at_least() == 2
