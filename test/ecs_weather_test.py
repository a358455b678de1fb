"""The agent on an ECS host when things go wrong: the API, the ECS agent, filters, rights, its own life."""

import signal

import pytest

from ecs_host import MARGIN, gone, host_with, sleep_to, start, told_before_end
from rig.process import stays, until


@pytest.mark.parametrize("weather", ["throttle", "fail"])
def test_an_api_that_is_away_for_30_s_leaves_nobody_untold(ecs_rig, weather):
    host, tasks = host_with(ecs_rig, 3, 20)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds)
    getattr(ecs_rig.aws.faults, weather)("ecs", for_s=30)
    imds.announce(spot=True, time_in_s=45)
    sleep_to(imds.deadline)
    cut_off = ecs_rig.end_host(host)
    assert not [task for task in tasks if task.untold], cut_off
    assert all(told_before_end(task, imds.deadline) >= 3 for task in tasks)
    troubles = [step["message"] for step in agent.steps("failed", "mark failed")]
    assert 1 <= len(troubles) <= 25, troubles  # the 1st, 2nd, 4th, 8th … time, not at every look
    agent.stop()


def test_load_balancers_that_hang_do_not_hide_the_tasks(ecs_rig):
    """Five services, a target group each: their calls together would take half a minute."""
    host = ecs_rig.host(slots=6)
    for number in range(5):
        group = ecs_rig.target_group(f"web-{number}", delay_s=1)
        ecs_rig.service(f"web-{number}", count=1, minimum=100, maximum=199, stop_timeout=3, group=group)
    job = ecs_rig.run("job", on=host, stop_timeout=3)
    ecs_rig.settle()
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds)
    ecs_rig.aws.faults.slow(60, "elasticloadbalancing")
    imds.announce(spot=True, time_in_s=32)
    sleep_to(imds.deadline)
    cut_off = ecs_rig.end_host(host)
    assert not [task for task in ecs_rig.tasks if task.untold], cut_off
    assert told_before_end(job, imds.deadline) >= 3 + MARGIN - 0.5
    looks = [call.at for call in ecs_rig.aws.calls_of("DescribeTasks")]
    assert max(b - a for a, b in zip(looks, looks[1:], strict=False)) < 13, "3 s for delays, 5 s for targets, a pause"
    told = " ".join(step["message"] for step in agent.steps("failed"))
    assert "deregistration delay of web-0 cannot be read" in told and "targets of web-" in told, told


def test_peer_5_the_mark_is_not_tried_every_second_for_ever(ecs_rig):
    """The ECS agent repeats UpdateContainerInstancesState each second, without backing off."""
    host, _ = host_with(ecs_rig, 3)
    imds = ecs_rig.imds(host)
    start(ecs_rig, host, imds)
    ecs_rig.aws.faults.fail("ecs", action="UpdateContainerInstancesState")
    imds.announce(spot=True, time_in_s=25)

    def tries():
        return ecs_rig.aws.calls_of("UpdateContainerInstancesState")

    stays(lambda: len(tries()) <= 12, 18, "backing off")
    calls = tries()
    assert len(calls) >= 3, len(calls)
    gaps = [b.at - a.at for a, b in zip(calls, calls[1:], strict=False)]
    assert max(gaps) > 1.5, gaps


def test_peer_5_standalone_tasks_are_stopped_by_the_deadline(ecs_rig):
    host, tasks = host_with(ecs_rig, 2, 5)
    imds = ecs_rig.imds(host)
    start(ecs_rig, host, imds)
    imds.announce(spot=True, time_in_s=15)
    gone(*tasks, at_most=20)
    for task, timeout in zip(tasks, (2, 5), strict=True):
        assert timeout + MARGIN - 0.5 <= told_before_end(task, imds.deadline) < timeout + MARGIN + 3


def test_peer_2_an_ecs_agent_that_does_not_answer_ends_nothing(ecs_rig):
    """ecs-spot-agent: an exception ends the process before anything is logged or done."""
    host, [task] = host_with(ecs_rig, 3)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds, introspection=False, wait=False, env={"ECS_CLUSTER": ecs_rig.cluster})
    found = agent.wait_for_message("container instance found")
    assert found["container_instance"] == host.arn
    imds.announce(spot=True, time_in_s=12)
    gone(task, at_most=15)
    assert not task.untold
    assert agent.exit_code is None


def test_peer_2_an_ecs_agent_that_comes_later_is_waited_for(ecs_rig):
    """Neither introspection nor a cluster: it says so, stays, and finds out. A notice meanwhile is not lost."""
    host, [task] = host_with(ecs_rig, 3)
    imds = ecs_rig.imds(host)
    introspection = ecs_rig.agent(host, registered=False)
    agent = ecs_rig.spotkeeper(host, imds, introspection, env={"ECS_CLUSTER": "other"})
    agent.wait_for_log("is not known yet")
    imds.announce(spot=True, time_in_s=20)
    agent.wait_for_log('"step":"notice"')
    stays(lambda: agent.exit_code is None, 2, "running")
    introspection.registered = True
    until(lambda: host.status == "DRAINING", 6, "DRAINING")
    gone(task, at_most=20)
    assert not task.untold


@pytest.mark.parametrize("rows", ["another", "all", "none"])
def test_a_filter_that_answers_wrong_rows_does_not_drain_another_host(ecs_rig, rows):
    other, host = ecs_rig.hosts(2)
    ecs_rig.run("job", on=host, stop_timeout=2)
    ecs_rig.settle()
    ecs_rig.model.filter_rows = rows
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds, introspection=False, env={"ECS_CLUSTER": ecs_rig.cluster})
    imds.announce(spot=True, time_in_s=12)
    until(lambda: host.status == "DRAINING", 5, "DRAINING")
    agent.post_mortem(at_most=15)
    assert other.status == "ACTIVE"
    touched = [call.params["containerInstances"] for call in ecs_rig.aws.calls_of("UpdateContainerInstancesState")]
    assert touched and all(arns == [host.arn] for arns in touched)


def test_killed_in_mid_drain_and_started_again_it_goes_on(ecs_rig):
    host, tasks = host_with(ecs_rig, 2, 20)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds)
    imds.announce(spot=True, time_in_s=18)
    until(lambda: tasks[1].told_at, 6, "the first is told")
    agent.kill()
    again = start(ecs_rig, host, imds)
    gone(tasks[0], at_most=20)
    assert told_before_end(tasks[0], imds.deadline) >= 2 + MARGIN - 0.5
    assert len(ecs_rig.aws.calls_of("StopTask")) == 2, "nobody is told twice"
    until(lambda: all(task.last == "STOPPED" for task in tasks), 10, "all gone")
    assert again.post_mortem()["untold"] == 0


def test_sigterm_in_mid_drain_finishes_it_first(ecs_rig):
    host, [task] = host_with(ecs_rig, 2)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds)
    imds.announce(spot=True, time_in_s=12)
    until(lambda: host.status == "DRAINING", 5, "DRAINING")
    agent.signal(signal.SIGTERM)
    gone(task, at_most=15)
    assert not task.untold
    assert agent.wait(5) == 0


def test_sigterm_twice_and_a_restart_resumes(ecs_rig):
    host, [task] = host_with(ecs_rig, 2)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds)
    imds.announce(spot=True, time_in_s=14)
    until(lambda: host.status == "DRAINING", 5, "DRAINING")
    agent.signal(signal.SIGTERM)
    agent.wait_for_log("it is finished first")
    agent.signal(signal.SIGTERM)
    assert agent.wait(5) == 0
    assert task.told_at is None
    start(ecs_rig, host, imds)
    gone(task, at_most=15)
    assert not task.untold


def test_tasks_that_still_end_are_counted_as_running(ecs_rig):
    """aws-cdk#13506: the drain was called done while tasks were DEACTIVATING or STOPPING."""
    host = ecs_rig.host()
    task = ecs_rig.run("slow", on=host, stop_timeout=8, ends_after=5)
    ecs_rig.settle()
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds)
    imds.announce(spot=True, time_in_s=14)
    until(lambda: task.told_at, 8, "told")
    post_mortem = agent.post_mortem(at_most=15)
    [row] = post_mortem["pods"]
    assert row["gone_after_ms"] - row["told_after_ms"] >= 4500
    assert task.end == "ended" and row["outcome"] == "moved"


def test_a_missing_right_is_named(ecs_rig):
    host, [task] = host_with(ecs_rig, 3)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds)
    denied = "User: arn:aws:sts::1:assumed-role/r/i is not authorized to perform: ecs:StopTask"
    ecs_rig.aws.faults.refuse("AccessDeniedException", denied, "ecs", "StopTask")
    imds.announce(spot=True, time_in_s=10)
    line = agent.wait_for_log("allow: ecs:StopTask", at_most=10)
    assert '"level":"error"' in line and "untold" in line
    post_mortem = agent.post_mortem(at_most=15)
    assert post_mortem["untold"] == 1 and not task.told_at


def test_an_idle_agent_asks_aws_nothing(ecs_rig):
    host, _ = host_with(ecs_rig, 3)
    imds = ecs_rig.imds(host)
    start(ecs_rig, host, imds)
    before = len(ecs_rig.aws.calls)
    assert len(ecs_rig.aws.calls_of("DescribeContainerInstances")) == 1, "who am I"
    stays(lambda: len(ecs_rig.aws.calls) == before, 3, "silent")


def test_a_dry_run_changes_nothing(ecs_rig):
    host, [task] = host_with(ecs_rig, 20)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds, env={"DRY_RUN": "true", "ECS_DEREGISTER": "true"})
    imds.announce(spot=True, time_in_s=12)
    agent.wait_for_log("DRAINING, and drained")
    stays(lambda: host.status == "ACTIVE" and not task.told_at, 2, "untouched")
    writes = {"UpdateContainerInstancesState", "StopTask", "DeregisterTargets", "DeregisterContainerInstance"}
    assert not writes & {call.action for call in ecs_rig.aws.calls}
