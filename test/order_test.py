"""Who goes before whom, and how a Job takes it: rules 4 and 7 of docs/design.md."""

import pytest

from hand_over import SHORT, counts
from rig import until

IGNORES_DISRUPTION = {
    "podFailurePolicy": {
        "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
    }
}


@pytest.fixture
def node(rig):
    first = rig.node("n1")
    rig.node("n2")
    return first


def test_critical_pods_go_after_the_rest(rig, node):
    rig.stateful_set("dns", 2, on=node, priorityClassName="system-cluster-critical")
    rig.stateful_set("db", 3, on=node, ends_after=2)
    rig.deployment("web", 2, on=node, grace=5, ready_after=2)
    rig.until_running("web", 2, at_most=10)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=60), SHORT)
    result = agent.post_mortem(at_most=40)
    assert counts(result) == (7, 0, 0)
    first = min(story.told_at for story in rig.history.pods("dns", node.name))
    others = [story for app in ("db", "web") for story in rig.history.pods(app, node.name)]
    assert all(story.told_at < first for story in others)


def test_critical_pods_do_not_wait_for_others_beyond_their_own_time(rig, node):
    """A pod that a budget holds must not cost them their grace."""
    rig.stateful_set("dns", on=node, priorityClassName="system-cluster-critical", grace=15)
    rig.stateful_set("db", on=node, grace=15)
    rig.pdb("db", max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=35)
    agent = rig.agent(node, imds, SHORT)
    rig.until_gone_from(node, "dns", at_most=30)
    dns = rig.told("dns")
    # A loaded machine may be a little late; its whole grace is granted all the same.
    assert 15 + 2.6 <= imds.deadline - dns.told_at <= 24 and dns.grace == 15
    assert counts(agent.post_mortem(at_most=35)) == (2, 0, 1)
    assert rig.told("db").told_at > dns.told_at


def test_a_job_that_is_overruled_does_not_count_it_as_a_failure(rig, node):
    """backoffLimit 0: one failure that counts, and the whole Job has failed."""
    rig.job("batch", on=node, backoff_limit=0, spec=IGNORES_DISRUPTION)
    rig.pdb("batch", min_available=1)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    rig.until_gone_from(node, "batch", at_most=25)
    assert counts(agent.post_mortem()) == (1, 0, 1)
    rig.until_running("batch", 1)
    status = rig.kube.get("jobs", "batch")["status"]
    assert not status.get("failed") and not status.get("conditions"), status
    assert status["active"] == 1


def test_a_job_that_is_evicted_does_not_count_it_as_a_failure(rig, node):
    rig.job("batch", on=node, backoff_limit=0, spec=IGNORES_DISRUPTION)
    rig.agent(node, rig.imds(node, spot=True, time_in_s=25), SHORT)
    rig.until_gone_from(node, "batch", at_most=10)
    rig.until_running("batch", 1)
    until(lambda: rig.kube.get("jobs", "batch")["status"].get("active") == 1, 5, "active again")
    assert not rig.kube.get("jobs", "batch")["status"].get("failed")
