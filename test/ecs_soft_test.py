"""Drains that may be taken back: whose DRAINING it is, also after a restart (the attribute spotkeeper.drain)."""

import subprocess
import time

from ecs_host import by_hand, host_with, start
from rig.agent import Agent
from rig.binaries import spotkeeper
from rig.process import stays, until

HOUR = 3600  # for which a recommendation is believed
RECORD = "spotkeeper.drain"
HEARS = {"ENABLE_REBALANCE_DRAINING": "true"}


def recommend(imds, ends_in: int = HOUR) -> float:
    """A recommendation that is believed for so long still; until when."""
    ends = float(int(time.time()) + ends_in)
    imds.recommended_at = ends - HOUR
    imds.imds.announce(rebalance=True)
    return ends


def soft(rig, ends_in: int = HOUR) -> tuple:
    """A host that its agent has set DRAINING because of a recommendation."""
    host, [job] = host_with(rig, 2)
    imds = rig.imds_proxy(host)
    agent = start(rig, host, imds, env=HEARS)
    ends = recommend(imds, ends_in)
    until(lambda: host.status == "DRAINING" and agent.steps("marked"), 8, "DRAINING")
    return host, job, imds, agent, ends


def restarted(rig, host, imds, agent: Agent) -> Agent:
    """kill -9, and another life in which the recommendation is not said any more."""
    agent.kill()
    imds.imds.announce()
    return start(rig, host, imds, env=HEARS)


def test_the_record_is_written_before_draining(ecs_rig):
    host, *_ = soft(ecs_rig)
    order = [call.action for call in ecs_rig.aws.calls]
    assert order.index("PutAttributes") < order.index("UpdateContainerInstancesState")
    assert host.attributes[RECORD].startswith("RebalanceRecommendation/")


def test_killed_in_a_soft_drain_it_takes_its_draining_back_in_its_time(ecs_rig):
    host, job, imds, agent, ends = soft(ecs_rig, ends_in=14)
    again = restarted(ecs_rig, host, imds, agent)
    again.wait_for_log("going on with the drain that the host's record tells of")
    stays(lambda: host.status == "DRAINING", ends - time.time() - 2, "until its time is over")
    until(lambda: host.status == "ACTIVE", 6, "ACTIVE again")
    until(lambda: RECORD not in host.attributes, 4, "the record goes with it")
    assert job.told_at is None, "nothing was certain"


def test_a_hard_notice_after_the_restart_makes_the_soft_drain_a_hard_one(ecs_rig):
    host, job, imds, agent, _ = soft(ecs_rig)
    again = restarted(ecs_rig, host, imds, agent)
    again.wait_for_log("going on with the drain")
    imds.imds.announce(spot=True, time_in_s=12)
    until(lambda: job.told_at, 14, "told")
    assert again.post_mortem(at_most=10)["kind"] == "SpotInterruption"


def test_what_a_person_has_taken_back_meanwhile_stays_active(ecs_rig):
    host, _, imds, agent, _ = soft(ecs_rig)
    agent.kill()
    undone = by_hand(ecs_rig, "drain", host.arn, "--undo")
    assert undone.returncode == 0 and "ACTIVE again" in undone.stdout, undone
    assert RECORD not in host.attributes
    imds.imds.announce()
    start(ecs_rig, host, imds, env=HEARS)
    stays(lambda: host.status == "ACTIVE", 3, "nobody drains it")


def test_killed_between_the_record_and_draining_it_leaves_nothing(ecs_rig):
    """Else a DRAINING that somebody else sets later would be taken for ours."""
    host, _ = host_with(ecs_rig, 2)
    imds = ecs_rig.imds_proxy(host)
    agent = start(ecs_rig, host, imds, env=HEARS)
    ecs_rig.aws.faults.drop("ecs", "UpdateContainerInstancesState")
    recommend(imds)
    until(lambda: RECORD in host.attributes and agent.steps("mark failed"), 10, "recorded, not DRAINING")
    restarted(ecs_rig, host, imds, agent)
    assert RECORD not in host.attributes and host.status == "ACTIVE"


def test_the_draining_of_others_is_left_when_the_recommendation_is_over(ecs_rig):
    host, _ = host_with(ecs_rig, 2)
    ecs_rig.drain(host)
    imds = ecs_rig.imds_proxy(host)
    agent = start(ecs_rig, host, imds, env=HEARS)
    recommend(imds, ends_in=9)
    agent.wait_for_log("not by us (its ECS agent's own draining")
    agent.wait_for_log("nothing taken back", at_most=14)
    assert host.status == "DRAINING" and RECORD not in host.attributes


def test_an_instance_that_auto_scaling_ends_is_not_made_active_again(ecs_rig):
    host, _, imds, agent, ends = soft(ecs_rig, ends_in=12)
    agent.kill()
    imds.imds.announce(command="asglifecycle")
    again = start(ecs_rig, host, imds, env=HEARS)
    line = again.wait_for_log("nothing taken back", at_most=ends - time.time() + 4)
    assert "target-lifecycle-state Terminated" in line
    assert host.status == "DRAINING"


def test_while_metadata_is_silent_the_instance_stays_draining(ecs_rig):
    """Whether Auto Scaling ends it is not known then; once it is, it is ACTIVE again."""
    host, _, imds, _, ends = soft(ecs_rig, ends_in=12)
    imds.become("gone")
    stays(lambda: host.status == "DRAINING", ends - time.time() + 2, "not known")
    imds.become("well")
    until(lambda: host.status == "ACTIVE", 10, "ACTIVE again")


def test_a_drain_by_hand_that_was_killed_is_left_to_its_person(ecs_rig):
    host, _ = host_with(ecs_rig, 2)
    line = [spotkeeper(), "drain", "--platform", "ecs", "--cluster", ecs_rig.cluster, host.ec2_id]
    drain = subprocess.Popen(line, env=ecs_rig.aws.environment(), stdout=subprocess.DEVNULL)
    until(lambda: host.status == "DRAINING", 10, "DRAINING")
    drain.kill()
    drain.wait()
    assert host.attributes[RECORD].startswith("Manual//")
    agent = start(ecs_rig, host, ecs_rig.imds(host), env=HEARS)
    agent.wait_for_log("DRAINING already")
    stays(lambda: host.status == "DRAINING", 2, "the agent leaves it")
    undone = by_hand(ecs_rig, "drain", host.arn, "--undo")
    assert "ACTIVE again" in undone.stdout and RECORD not in host.attributes
