"""The real agent on an ECS host: the rig's model of ECS moves what DRAINING moves, and nothing else."""

import time

from ecs_host import MARGIN, crowded, gone, sleep_to, start, told_before_end
from rig.process import stays, until


def test_a_notice_sets_the_host_draining_within_a_second(ecs_rig):
    one, _ = ecs_rig.hosts(2)
    ecs_rig.service("web", count=1)
    ecs_rig.settle()
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds)
    imds.announce(spot=True, time_in_s=30)
    agent.wait_for_log('"step":"notice"')
    heard = time.time()
    until(lambda: one.status == "DRAINING", 1, "DRAINING")
    assert time.time() - heard < 1


def test_everything_is_told_in_time_for_its_stop_timeout(ecs_rig):
    one, tasks, _ = crowded(ecs_rig)
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds)
    imds.announce(spot=True, time_in_s=20)
    post_mortem = agent.post_mortem(at_most=30)
    sleep_to(imds.deadline)
    assert ecs_rig.end_host(one) == [], "nobody is cut off"
    assert not [task for task in tasks if task.untold]
    web, api, db, job, long = tasks
    # DRAINING moves the first two itself; what it does not move is stopped, with stopTimeout and margin to spare.
    assert told_before_end(db, imds.deadline) >= 6 + MARGIN
    assert told_before_end(job, imds.deadline) >= 3 + MARGIN
    assert told_before_end(job, imds.deadline) < 3 + MARGIN + 4, "a standalone task is left alone while it may be"
    assert told_before_end(long, imds.deadline) > 17, "what does not fit has all the time there is"
    stopped = {call.params["task"] for call in ecs_rig.aws.calls_of("StopTask")}
    assert stopped == {db.arn, job.arn, long.arn}
    outcomes = {row["outcome"] for row in post_mortem["pods"]}
    assert outcomes == {"moved"}, post_mortem["pods"]
    assert {row["grace_s"] for row in post_mortem["pods"]} == {3, 6, 20}


def test_the_ecs_agents_own_way_leaves_three_to_die_untold(ecs_rig):
    """What the test before is measured against: ECS_ENABLE_SPOT_INSTANCE_DRAINING and nothing else."""
    one, tasks, _ = crowded(ecs_rig)
    imds = ecs_rig.imds(one)
    ecs_rig.agent(one, imds=imds, drains=True)
    imds.announce(spot=True, time_in_s=12)
    sleep_to(imds.deadline)
    ecs_rig.end_host(one)
    assert [task for task in tasks if task.untold] == tasks[2:]


def test_a_service_with_room_is_moved_by_ecs_itself(ecs_rig):
    one, _ = ecs_rig.hosts(2, slots=4)
    web = ecs_rig.service("web", count=2, minimum=50, stop_timeout=3, distinct=True)
    ecs_rig.settle()
    imds = ecs_rig.imds(one)
    [mine] = [task for task in ecs_rig.tasks_of(web) if task.instance is one]
    agent = start(ecs_rig, one, imds)
    imds.announce(spot=True, time_in_s=25)
    gone(mine, at_most=5)
    assert ecs_rig.aws.calls_of("StopTask") == []
    [row] = agent.post_mortem()["pods"]
    assert row["outcome"] == "moved" and not row["overruled"]


def test_a_service_without_room_is_moved_by_stop_task(ecs_rig):
    """awsdocs/amazon-ecs-developer-guide#222: at 100 % without room DRAINING does nothing."""
    one = ecs_rig.host(slots=1)
    web = ecs_rig.service("web", count=1, minimum=100, maximum=199, stop_timeout=4)
    ecs_rig.settle()
    [task] = ecs_rig.tasks_of(web)
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds)
    imds.announce(spot=True, time_in_s=14)
    gone(task, at_most=20)
    assert 4 + MARGIN <= told_before_end(task, imds.deadline) < 4 + MARGIN + 3
    [call] = ecs_rig.aws.calls_of("StopTask")
    assert "spotkeeper" in call.params["reason"] and "SpotInterruption" in call.params["reason"]
    [row] = agent.post_mortem()["pods"]
    assert row["overruled"] and "minimumHealthyPercent 100" in row["overruled_budgets"][0]
    told = " ".join(step["message"] for step in agent.steps())
    assert "minimumHealthyPercent" in told and "pod" not in told, told


def balanced(rig, delay_s=2, count=2, **definition):
    """Tasks of one service behind a target group, one a host."""
    one, _ = rig.hosts(2, slots=4)
    group = rig.target_group("web", delay_s=delay_s)
    web = rig.service(
        "web", count=count, minimum=100, maximum=149, group=group, distinct=True, **({"stop_timeout": 3} | definition)
    )
    rig.settle()
    return one, web, group


def test_targets_are_deregistered_at_second_0(ecs_rig):
    one, web, _ = balanced(ecs_rig)
    [mine] = [task for task in ecs_rig.tasks_of(web) if task.instance is one]
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds)
    imds.announce(spot=True, time_in_s=16)
    announced = time.time()
    [call] = until(lambda: ecs_rig.aws.calls_of("DeregisterTargets"), 4, "DeregisterTargets")
    assert call.at - announced < 2
    agent.wait_for_log("drained", at_most=8)
    assert mine.told_at is None, "its connections end before it does"
    gone(mine, at_most=20)
    # Its delay is over when it is told: SIGTERM follows StopTask at once.
    [stop] = ecs_rig.aws.calls_of("StopTask")
    assert mine.told_at - stop.at < 1
    assert told_before_end(mine, imds.deadline) >= 3 + MARGIN - 0.5


def test_the_last_healthy_target_serves_on(ecs_rig):
    one = ecs_rig.host(slots=2)
    group = ecs_rig.target_group("web", delay_s=2)
    web = ecs_rig.service("web", count=1, minimum=100, maximum=199, group=group, stop_timeout=3)
    ecs_rig.settle()
    [mine] = ecs_rig.tasks_of(web)
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds)
    imds.announce(spot=True, time_in_s=18)
    agent.wait_for_log("serves on")
    stays(lambda: not ecs_rig.aws.calls_of("DeregisterTargets"), 2, "registered: nobody else serves")
    gone(mine, at_most=20)
    [call] = ecs_rig.aws.calls_of("DeregisterTargets")
    assert imds.deadline - call.at >= 2 + 3 + MARGIN - 2.5, "in time for its delay, as looks go"
    assert told_before_end(mine, imds.deadline) >= 3


def test_a_delay_that_cannot_fit_is_warned_of(ecs_rig):
    one, _, _ = balanced(ecs_rig, delay_s=300)
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds)
    imds.announce(spot=True, time_in_s=20)
    line = agent.wait_for_log("deregistration delay of 300 s")
    assert "stopTimeout of 3 s" in line and '"level":"warn"' in line
    until(lambda: ecs_rig.aws.calls_of("DeregisterTargets"), 4, "its connections end first")
    stays(lambda: not ecs_rig.aws.calls_of("StopTask"), 5, "nothing is won by stopping it at once")


def test_who_is_draining_already_is_only_completed(ecs_rig):
    """The ECS agent's own draining came first (reproio/ecs_deploy#77: two drain, and neither does)."""
    one = ecs_rig.host(slots=3)
    job = ecs_rig.run("job", on=one, stop_timeout=3)
    ecs_rig.settle()
    ecs_rig.drain(one)
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds)
    before = len(ecs_rig.aws.calls_of("UpdateContainerInstancesState"))
    imds.announce(spot=True, time_in_s=10)
    agent.wait_for_log("not by us")
    gone(job, at_most=12)
    assert not job.untold
    assert len(ecs_rig.aws.calls_of("UpdateContainerInstancesState")) == before
