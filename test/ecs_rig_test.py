"""The ECS model's own tests: services, DRAINING, a task's life. Each rule once; its source is in rig/aws/."""

import pytest
from botocore.exceptions import ClientError

from rig.process import stays, until


def lasts(rig, *states: str):
    """The tasks in one of these states."""
    return [task for task in rig.tasks if task.last in states]


def describe(rig, task) -> dict:
    return rig.ecs.describe_tasks(cluster=rig.cluster, tasks=[task.arn])["tasks"][0]


def stop(rig, task, reason="as the test pleases"):
    return rig.ecs.stop_task(cluster=rig.cluster, task=task.arn, reason=reason)["task"]


def ended(task) -> bool:
    return task.last == "STOPPED"


# Services.


def test_a_service_starts_its_tasks_spread_over_instances_and_replaces_one_that_ended(ecs_rig):
    one, two = ecs_rig.hosts(2)
    web = ecs_rig.service("web", count=4)
    ecs_rig.settle()
    assert [len(ecs_rig.tasks_on(host)) for host in (one, two)] == [2, 2]
    stop(ecs_rig, ecs_rig.tasks_of(web)[0])
    until(lambda: len(ecs_rig.tasks_of(web)) == 5, 5, "a replacement")
    ecs_rig.settle()


def test_no_room_is_an_event_and_placed_when_there_is_room(ecs_rig):
    ecs_rig.host(slots=1)
    web = ecs_rig.service("web", count=2)
    until(lambda: "unable to place" in str(web.events), 5, "the event")
    assert len(ecs_rig.tasks_of(web)) == 1
    ecs_rig.host(slots=1)
    ecs_rig.settle()


def test_zones_come_before_instances(ecs_rig):
    ecs_rig.hosts(2, zone="eu-west-1a")
    other = ecs_rig.host(zone="eu-west-1b")
    ecs_rig.service("web", count=2)
    ecs_rig.settle()
    assert len(ecs_rig.tasks_on(other)) == 1


def test_a_forced_deployment_replaces_every_task_and_says_so(ecs_rig):
    ecs_rig.host()
    web = ecs_rig.service("web", count=2)
    ecs_rig.settle()
    old = ecs_rig.tasks_of(web)
    ecs_rig.ecs.update_service(cluster="rig", service="web", forceNewDeployment=True)
    shown = ecs_rig.ecs.describe_services(cluster="rig", services=["web"])["services"][0]
    assert [one["status"] for one in shown["deployments"]] == ["PRIMARY", "ACTIVE"]
    until(lambda: all(ended(task) for task in old), 5, "old tasks stopped")
    ecs_rig.settle()
    assert {task.stop_code for task in old} == {"ServiceSchedulerInitiated"}
    until(lambda: len(web.deployments) == 1, 5, "one deployment")


def test_protected_tasks_outlive_deployments_but_not_stop_task(ecs_rig):
    ecs_rig.host()
    web = ecs_rig.service("web", count=1)
    ecs_rig.settle()
    (old,) = ecs_rig.tasks_of(web)
    ecs_rig.ecs.update_task_protection(cluster="rig", tasks=[old.arn], protectionEnabled=True)
    ecs_rig.ecs.update_service(cluster="rig", service="web", forceNewDeployment=True)
    until(lambda: len(ecs_rig.tasks_of(web)) == 2 and ecs_rig.running(), 5, "the new task")
    stays(lambda: old.desired == "RUNNING", 0.5, "kept by its protection")
    stop(ecs_rig, old)
    until(lambda: ended(old), 5, "stopped by hand")


def test_an_unhealthy_task_is_replaced_first_and_stopped_then(ecs_rig):
    ecs_rig.host()
    web = ecs_rig.service(
        "web", count=1, group=ecs_rig.target_group("web", delay_s=0, kind="ip"), network_mode="awsvpc"
    )
    ecs_rig.settle()
    (sick,) = ecs_rig.tasks_of(web)
    ecs_rig.model.elb.unhealthy.add(sick.targets[0].id)
    until(lambda: ended(sick), 5, "the sick task stopped")
    replacement = ecs_rig.tasks_of(web)[1]
    assert replacement.started_at < sick.stopping_at


def test_a_daemon_runs_on_each_active_instance_and_stops_after_the_replicas(ecs_rig):
    one, two = ecs_rig.hosts(2)
    daemon = ecs_rig.service("logs", daemon=True)
    web = ecs_rig.service("web", count=2, ends_after=1, stop_timeout=5)
    ecs_rig.settle()
    three = ecs_rig.host()
    until(lambda: len(ecs_rig.tasks_on(three)) == 1, 5, "a daemon task on the new instance")
    ecs_rig.drain(one)
    until(lambda: all(ended(task) for task in ecs_rig.tasks_on(one)), 10, "all gone")
    (log,) = [task for task in ecs_rig.tasks_of(daemon) if task.instance is one]
    (replica,) = [task for task in ecs_rig.tasks_of(web) if task.instance is one]
    assert log.stopping_at >= replica.stopped_at
    assert len(ecs_rig.tasks_on(two)) >= 2


def test_percents_that_block_each_deployment_are_refused(ecs_rig):
    with pytest.raises(ClientError, match="will block deployments"):
        ecs_rig.service("web", minimum=100, maximum=100)
    with pytest.raises(ClientError, match="must be 100 for DAEMON"):
        ecs_rig.service("logs", daemon=True, maximum=200)


# DRAINING.


def test_draining_replaces_first_where_the_minimum_is_100_and_there_is_room(ecs_rig):
    one, _ = ecs_rig.hosts(2)
    web = ecs_rig.service("web", count=1)
    ecs_rig.settle()
    (old,) = ecs_rig.tasks_of(web)
    ecs_rig.drain(old.instance)
    until(lambda: ended(old), 5, "stopped")
    new = ecs_rig.tasks_of(web)[1]
    assert new.started_at <= old.stopping_at and new.instance is not old.instance
    assert (old.end, old.exit_code, old.stop_code) == ("ended", 0, "ServiceSchedulerInitiated")
    assert describe(ecs_rig, old)["containers"][0]["exitCode"] == 0


def test_draining_waits_until_the_replacement_counts_as_healthy(ecs_rig):
    ecs_rig.hosts(2)
    web = ecs_rig.service("web", count=1)
    ecs_rig.settle()
    ecs_rig.delays.steady = 1
    (old,) = ecs_rig.tasks_of(web)
    ecs_rig.drain(old.instance)
    until(lambda: ended(old), 5, "stopped")
    assert old.stopping_at >= ecs_rig.tasks_of(web)[1].started_at + 1


@pytest.mark.parametrize("why", ["no room", "no percent"])
def test_draining_moves_nothing_where_the_minimum_is_100_and(ecs_rig, why):
    one = ecs_rig.host()
    web = ecs_rig.service("web", count=1, minimum=100, maximum=200 if why == "no room" else 150)
    ecs_rig.settle()
    if why == "no percent":
        ecs_rig.host()
    ecs_rig.drain(one)
    stays(lambda: ecs_rig.running(*ecs_rig.tasks) and len(ecs_rig.tasks_of(web)) == 1, 1, "the only task, running")
    assert ("unable to place" in str(web.events)) == (why == "no room")


def test_draining_stops_at_once_what_the_minimum_allows(ecs_rig):
    one = ecs_rig.host()
    web = ecs_rig.service("web", count=4, minimum=50)
    ecs_rig.settle()
    ecs_rig.drain(one)
    until(lambda: len(lasts(ecs_rig, "STOPPED")) == 2, 5, "two stopped")
    stays(lambda: sum(task.desired == "RUNNING" for task in ecs_rig.tasks_of(web)) == 2, 0.5, "two of four running")


def test_at_a_maximum_of_100_the_replacement_waits_for_the_stop(ecs_rig):
    one, two = ecs_rig.hosts(2)
    web = ecs_rig.service("web", count=1, minimum=0, maximum=100, ends_after=1)
    ecs_rig.settle()
    (old,) = ecs_rig.tasks_of(web)
    ecs_rig.drain(old.instance)
    until(lambda: len(ecs_rig.tasks_of(web)) == 2, 5, "a replacement")
    assert ended(old) and ecs_rig.tasks_of(web)[1].created_at >= old.stopped_at


def test_draining_never_moves_a_standalone_task_and_places_nothing(ecs_rig):
    one = ecs_rig.host()
    job = ecs_rig.run("job", on=one)
    ecs_rig.settle()
    ecs_rig.drain(one)
    stays(lambda: ecs_rig.running(job), 0.5, "running")
    with pytest.raises(ClientError, match="No Container Instances"):
        ecs_rig.ecs.run_task(cluster="rig", taskDefinition="job")


def test_draining_stops_pending_service_tasks_at_once(ecs_rig):
    one = ecs_rig.host()
    ecs_rig.delays.pending = 60
    web = ecs_rig.service("web", count=1, minimum=100)
    until(lambda: lasts(ecs_rig, "PENDING"), 5, "pending")
    ecs_rig.drain(one)
    until(lambda: all(ended(task) for task in ecs_rig.tasks_of(web)), 5, "stopped")
    (task,) = ecs_rig.tasks_of(web)
    assert task.started_at is None and task.told_at is None and task.end == ""


def test_an_instance_made_active_again_takes_tasks_again(ecs_rig):
    one = ecs_rig.host()
    ecs_rig.drain(one)
    web = ecs_rig.service("web")
    until(lambda: "unable to place" in str(web.events), 5, "no place")
    ecs_rig.ecs.update_container_instances_state(cluster="rig", containerInstances=[one.id], status="ACTIVE")
    ecs_rig.settle()


def test_only_an_instance_that_has_registered_can_be_drained(ecs_rig):
    one = ecs_rig.host(status="REGISTERING")
    answer = ecs_rig.ecs.update_container_instances_state(
        cluster="rig", containerInstances=[one.arn, "nobody"], status="DRAINING"
    )
    assert {failure["reason"] for failure in answer["failures"]} == {"REGISTERING", "MISSING"}
    assert one.status == "REGISTERING"
    with pytest.raises(ClientError, match="at most 10"):
        ecs_rig.ecs.update_container_instances_state(
            cluster="rig", containerInstances=[str(n) for n in range(11)], status="DRAINING"
        )


# The life of a task.


def test_a_task_passes_all_states_and_describing_it_changes_nothing(ecs_rig):
    ecs_rig.host()
    slow = ("provisioning", "pending", "activating", "to_agent", "deprovisioning")
    for name in slow:
        setattr(ecs_rig.delays, name, 600)
    group = ecs_rig.target_group("web", delay_s=2, kind="ip")
    web = ecs_rig.service("web", group=group, network_mode="awsvpc")
    until(lambda: ecs_rig.tasks_of(web), 5, "a task")
    (task,) = ecs_rig.tasks_of(web)

    def pauses_in(state: str, before: str) -> None:
        until(lambda: describe(ecs_rig, task)["lastStatus"] == state, 5, state)
        stays(lambda: describe(ecs_rig, task)["lastStatus"] == state, 0.2, state)
        setattr(ecs_rig.delays, before, 0)

    pauses_in("PROVISIONING", before="provisioning")
    pauses_in("PENDING", before="pending")
    pauses_in("ACTIVATING", before="activating")
    until(lambda: describe(ecs_rig, task)["lastStatus"] == "RUNNING", 5, "running")
    ecs_rig.ecs.update_service(cluster="rig", service="web", desiredCount=0)
    until(lambda: describe(ecs_rig, task)["lastStatus"] == "DEACTIVATING", 5, "deactivating")
    pauses_in("STOPPING", before="to_agent")
    pauses_in("DEPROVISIONING", before="deprovisioning")
    until(lambda: ended(task), 5, "stopped")


@pytest.mark.parametrize(("needs", "end", "code"), [(0.5, "ended", 0), (9, "killed", 137)])
def test_stop_task_gives_sigterm_and_sigkill_after_the_stop_timeout(ecs_rig, needs, end, code):
    job = ecs_rig.run("job", on=ecs_rig.host(), stop_timeout=2, ends_after=needs)
    ecs_rig.settle()
    shown = stop(ecs_rig, job)
    assert (shown["desiredStatus"], shown["lastStatus"]) == ("STOPPED", "RUNNING")
    until(lambda: ended(job), 5, "stopped")
    assert (job.end, job.exit_code, job.stop_code) == (end, code, "UserInitiated")
    assert job.ended_at - job.told_at == pytest.approx(min(needs, 2), abs=0.1)
    assert (job.stopped_reason, describe(ecs_rig, job)["containers"][0]["exitCode"]) == ("as the test pleases", code)
    assert stop(ecs_rig, job, "again")["stoppedReason"] == "as the test pleases"


def test_without_a_stop_timeout_the_agents_counts_and_is_a_second_at_least(ecs_rig):
    job = ecs_rig.run("job", on=ecs_rig.host(stop_timeout=0.1), ends_after=9)
    ecs_rig.settle()
    stop(ecs_rig, job)
    until(lambda: ended(job), 5, "stopped")
    assert job.end == "killed" and job.ended_at - job.told_at == pytest.approx(1, abs=0.1)


def test_an_essential_container_that_ends_ends_its_task(ecs_rig):
    job = ecs_rig.run("job", on=ecs_rig.host(), completes_after=0.3)
    until(lambda: ended(job), 5, "stopped")
    assert (job.end, job.exit_code, job.stop_code) == ("completed", 0, "EssentialContainerExited")
