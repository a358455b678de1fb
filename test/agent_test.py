"""The real agent on a real control plane: what it does with the pods of a host that gets a Spot notice.

Notices are short here (25 s, not 120), so that the tests are; the agent's margins are shortened with them.
"""

import time

import pytest

from rig import stays, until
from rig.node import STATE, TAINT

# Environment of an agent whose notice is 25 s away: a budget may hold a pod back until 8 s before the end.
SHORT = {"TAINT_NODE": "true", "ENOUGH_GRACE": 8}


def ended_in_time(story, imds, at_least_s: float) -> bool:
    """Told (its deletion written) at least so many seconds before the host's end."""
    return bool(story.told_at) and imds.deadline - story.told_at >= at_least_s


def verdicts(post_mortem: dict) -> dict[str, str]:
    """App → outcome, of the post-mortem's pods ("namespace/app-…")."""
    return {pod["pod"].partition("/")[2]: pod["outcome"] for pod in post_mortem["pods"]}


def test_ordinary_pods_are_moved(rig):
    node, spare = rig.node("n1"), rig.node("n2")
    rig.deployment("web", replicas=3, on=node)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT)
    until(node.is_marked, 5, "node marked")
    rig.until_gone_from(node, "web", at_most=10)
    rig.until_running("web", 3, on=spare)
    assert node.taint(TAINT)["effect"] == "NoSchedule"
    assert not spare.is_cordoned() and spare.annotation(STATE) is None
    result = agent.post_mortem()
    assert (result["moved"], result["untold"], result["overruled"]) == (3, 0, 0)
    assert not rig.api_requests(user=agent.user, verb="delete", resource="pods"), "evictions were enough"


def test_it_waits_in_silence_until_there_is_a_notice(rig):
    node = rig.node("n1")
    rig.deployment("web", on=node)
    imds = rig.imds(node)
    agent = rig.agent(node, imds, SHORT)
    stays(lambda: not node.is_cordoned() and agent.exit_code is None, 3, "idle")
    assert not rig.api_requests(user=agent.user, verb="patch")
    imds.announce(spot=True, time_in_s=25)
    announced = time.time()
    until(node.cordoned_at, 5, "node cordoned")
    assert node.cordoned_at() - announced < 3
    assert agent.terminate() == 0


def test_it_ends_at_once_on_sigterm_when_idle(rig):
    node = rig.node("n1")
    agent = rig.agent(node, rig.imds(node), SHORT)
    until(agent.log_lines, 5, "started")
    begin = time.monotonic()
    assert agent.terminate() == 0
    assert time.monotonic() - begin < 2


def test_a_kubeconfig_and_tokens_only_imds_work_too(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", on=node)
    rig.agent(node, rig.imds(node, spot=True, time_in_s=25, v2_only=True), SHORT, kubeconfig=True)
    rig.until_gone_from(node, "web", at_most=10)


def test_a_closed_budget_holds_its_pod_back_until_force_and_no_longer(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.stateful_set("shy", on=node)  # nobody could start its replacement first
    rig.pdb("shy", max_unavailable=0)
    rig.deployment("web", replicas=2, on=node)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT)
    rig.until_gone_from(node, "web", at_most=8)
    assert rig.history.pods("shy")[0].told_at is None, "nobody else waited for it, and it is not told yet"
    rig.until_gone_from(node, "shy", at_most=20)
    story = rig.told("shy")
    assert 7 <= imds.deadline - story.told_at <= 14
    assert story.disrupted, "DisruptionTarget is written before a DELETE"
    result = agent.post_mortem()
    assert (result["moved"], result["untold"], result["overruled"]) == (3, 0, 1)
    agent.wait_for_log(f"{rig.namespace}/shy")


def test_a_budget_that_opens_lets_its_pod_go_at_once(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.stateful_set("web", replicas=2, on=node)
    rig.pdb("web", min_available=2)
    imds = rig.imds(node, spot=True, time_in_s=40)
    rig.agent(node, imds, SHORT)
    until(node.is_marked, 5, "node marked")
    stays(lambda: len(node.pods("web")) == 2, 1, "held back")
    rig.kube.patch("poddisruptionbudgets", "web", {"spec": {"minAvailable": 0}})
    opened = time.time()
    rig.until_gone_from(node, "web", at_most=5)
    assert rig.told("web").told_at - opened < 2


def test_an_unready_pod_is_not_protected_by_a_budget_that_lets_it_go(rig):
    node = rig.node("n1")
    rig.deployment("sick", on=node, ready_after="never")
    rig.pdb("sick", max_unavailable=0, unhealthy="AlwaysAllow")
    imds = rig.imds(node, spot=True, time_in_s=25)
    rig.agent(node, imds, SHORT)
    assert ended_in_time(rig.told("sick", at_most=6), imds, 15)


def test_a_grace_longer_than_the_notice_is_cut_to_what_is_left(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("slow", on=node, grace=600, ends_after=3)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT)
    story = rig.told("slow", at_most=5)
    assert 15 <= story.grace <= 25
    assert story.told_at + story.grace <= imds.deadline + 1
    rig.until_gone_from(node, "slow")
    assert agent.post_mortem()["untold"] == 0


def test_who_stays_and_who_goes(rig):
    node = rig.node("n1")
    rig.daemon_set("log-shipper")
    rig.pod("static", on=node, mirror=True)
    rig.pod("lone", on=node)
    rig.node("n2")
    rig.deployment("cache", on=node, empty_dir=True)
    rig.job("done", on=node, completes_after=0.2)
    until(lambda: rig.kube.get("jobs", "done")["status"].get("succeeded"), 5, "job done")
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT)
    rig.until_gone_from(node, "cache", at_most=10)
    rig.until_gone_from(node, "lone", at_most=10)
    result = agent.post_mortem()
    for app in ("log-shipper", "static", "done"):
        assert all(story.told_at is None for story in rig.history.pods(app, node.name)), f"{app} stays"
    assert result["untold"] == 0 and result["moved"] == 2
    assert {outcome for pod, outcome in verdicts(result).items() if "log-shipper" in pod} == {"stays"}
    assert verdicts(result)["static"] == "stays"


def test_a_job_that_is_overruled_is_not_counted_as_failed(rig):
    """DELETE sets no DisruptionTarget; the agent writes it first, and a podFailurePolicy can ignore it."""
    node = rig.node("n1")
    rig.node("n2")
    rig.job("batch", on=node)
    rig.pdb("batch", min_available=1)  # maxUnavailable needs an owner with a scale subresource: a Job has none
    imds = rig.imds(node, spot=True, time_in_s=25)
    rig.agent(node, imds, SHORT)
    rig.until_gone_from(node, "batch", at_most=25)
    assert rig.told("batch").disrupted


def test_a_pod_that_already_ends_is_left_alone(rig):
    node = rig.node("n1")
    rig.pod("leaving", on=node, grace=15, ends_after=6)
    rig.kube.delete("pods", "leaving")
    rig.told("leaving", at_most=2)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    rig.until_gone_from(node, "leaving", at_most=12)
    agent.post_mortem(at_most=25)
    assert not rig.api_requests(user=agent.user, verb="create", resource="pods/eviction")
    assert not rig.api_requests(user=agent.user, verb="delete", resource="pods")
    assert rig.history.pod("leaving").grace == 15


def test_somebody_elses_cordon_and_taint_stay(rig):
    node, spare = rig.node("n1"), rig.node("n2")
    rig.deployment("web", on=node)
    node.add_taint("example.com/theirs", "x")
    node.cordon()
    cordoned_at = until(node.cordoned_at, 2, "cordon seen")
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    rig.until_gone_from(node, "web", at_most=10)
    assert node.taint("example.com/theirs")["value"] == "x" and node.is_marked()
    assert node.cordoned_at() == cordoned_at
    rig.until_running("web", 1, on=spare)
    assert agent.post_mortem()["moved"] == 1


def test_a_dry_run_changes_nothing(rig):
    node = rig.node("n1")
    rig.deployment("web", replicas=2, on=node)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT | {"DRY_RUN": "true"})
    agent.wait_for_log("web-", at_most=5)
    stays(lambda: not node.is_cordoned() and len(node.pods("web")) == 2, 1, "untouched")
    writes = [
        r
        for r in rig.api_requests(user=agent.user)
        if r.verb not in ("get", "list", "watch") and not r.resource.startswith("selfsubject")  # only asks
    ]
    assert writes == []
    assert not node.taints() and node.annotation(STATE) is None


@pytest.mark.parametrize(
    "verb, resource",
    [
        ("create", "pods/eviction"),
        ("list", "poddisruptionbudgets"),
        ("patch", "nodes"),
        ("watch", "pods"),
        ("watch", "poddisruptionbudgets"),
    ],
)
def test_a_denied_verb_is_named_and_nobody_is_cut_off(rig, verb, resource):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", replicas=2, on=node)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, SHORT, without=[(verb, resource)])
    until(lambda: all(ended_in_time(s, imds, 5) for s in rig.history.pods("web", node.name)), 25, "both told")
    denied = until(
        lambda: [line for line in agent.output().splitlines() if verb in line and resource in line],
        5,
        f"'{verb}' and '{resource}' named in the log",
    )
    assert denied


def test_a_crash_in_the_middle_is_resumed(rig):
    """The record on the node is all that the second agent has."""
    node = rig.node("n1")
    rig.node("n2")
    rig.stateful_set("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=25)
    first = rig.agent(node, imds, SHORT)
    until(node.is_marked, 5, "node marked")
    record = node.annotation(STATE)
    first.kill()
    second = rig.agent(node, imds, SHORT)
    rig.until_gone_from(node, "shy", at_most=25)
    assert ended_in_time(rig.told("shy"), imds, 5)
    assert second.post_mortem()["untold"] == 0
    assert "started" in record


def test_few_requests_are_enough(rig):
    """design.md section 2: 8 pods, 3 of them behind budgets that allow nothing: 40 requests or fewer."""
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", replicas=5, on=node)
    rig.deployment("shy", replicas=3, on=node)
    rig.pdb("shy", max_unavailable=0)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    result = agent.post_mortem(at_most=28)
    assert (result["moved"], result["untold"]) == (8, 0)
    requests = rig.api_requests(user=agent.user)
    assert len(requests) <= 40, rig.api_table(user=agent.user)
