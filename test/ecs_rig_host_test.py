"""The ECS model's own tests: a host's end, its targets at load balancers, its ECS agent. Each rule once."""

import pytest
import requests
from botocore.exceptions import ClientError

from rig.process import stays, until


def describe(rig, task) -> dict:
    return rig.ecs.describe_tasks(cluster=rig.cluster, tasks=[task.arn])["tasks"][0]


# The end of a host.


def test_a_hosts_end_cuts_off_what_runs_there_and_tells_who_was_untold(ecs_rig):
    one, two = ecs_rig.host(), ecs_rig.host()
    told = ecs_rig.run("told", on=one, stop_timeout=20, ends_after=15)
    untold, elsewhere = ecs_rig.run("untold", on=one), ecs_rig.run("elsewhere", on=two)
    ecs_rig.settle()
    ecs_rig.ecs.stop_task(cluster="rig", task=told.arn)
    until(lambda: told.told_at, 5, "told")
    assert set(ecs_rig.end_host(one)) == {told, untold}
    assert (told.end, told.untold, untold.end, untold.untold) == ("cut off", False, "cut off", True)
    until(lambda: told.last == untold.last == "STOPPED", 5, "known to ECS")
    assert (untold.stop_code, untold.stopped_reason) == (
        "TerminationNotice",
        f"Host EC2 (instance {one.ec2_id}) terminated.",
    )
    assert "exitCode" not in describe(ecs_rig, untold)["containers"][0]
    assert told.stop_code == "UserInitiated" and ecs_rig.running(elsewhere)
    assert one.arn not in ecs_rig.ecs.list_container_instances(cluster="rig")["containerInstanceArns"]


def test_a_services_tasks_are_replaced_after_the_hosts_end(ecs_rig):
    one, two = ecs_rig.hosts(2)
    web = ecs_rig.service("web", count=2)
    ecs_rig.settle()
    ecs_rig.end_host(one)
    until(lambda: sum(task.last == "RUNNING" for task in ecs_rig.tasks_on(two)) == 2, 5, "both on the other host")
    assert len(ecs_rig.tasks_of(web)) == 3


def test_deregistering_by_force_orphans_tasks_which_die_untold_with_the_host(ecs_rig):
    one, two = ecs_rig.hosts(2)
    job = ecs_rig.run("job", on=one)
    ecs_rig.settle()
    with pytest.raises(ClientError, match="Found running tasks"):
        ecs_rig.ecs.deregister_container_instance(cluster="rig", containerInstance=one.arn)
    shown = ecs_rig.ecs.deregister_container_instance(cluster="rig", containerInstance=one.arn, force=True)
    assert shown["containerInstance"]["status"] == "INACTIVE" and two.status == "ACTIVE"
    assert describe(ecs_rig, job)["lastStatus"] == "STOPPED" and job.end == ""
    assert ecs_rig.end_host(one) == [job] and job.untold


def test_the_agents_own_way_leaves_three_to_die_untold(ecs_rig):
    """Issue 7's host, ten times as fast: one service has no room, two tasks belong to no service."""
    one = ecs_rig.host(slots=5)
    web = ecs_rig.service("web", minimum=0, stop_timeout=3, ends_after=2)
    api = ecs_rig.service("api", minimum=0, stop_timeout=6, ends_after=3)
    stuck = ecs_rig.service("stuck", minimum=100, maximum=150, stop_timeout=12)
    jobs = [ecs_rig.run(f"job{seconds}", on=one, stop_timeout=seconds) for seconds in (3, 12)]
    ecs_rig.settle()
    ecs_rig.host()
    imds = ecs_rig.imds(one)
    agent = ecs_rig.agent(one, imds=imds, drains=True)
    imds.announce(spot=True, time_in_s=12)
    until(lambda: agent.drained_at, 5, "drained")
    moved = [task for service in (web, api) for task in ecs_rig.tasks_of(service) if task.instance is one]
    until(lambda: all(task.last == "STOPPED" for task in moved), 10, "two services moved")
    assert {task.end for task in moved} == {"ended"}
    cut_off = ecs_rig.end_host(one)
    assert set(cut_off) == {*jobs, ecs_rig.tasks_of(stuck)[0]} and all(task.untold for task in cut_off)


# Target groups.


def health(rig, group, target=None):
    targets = {"Targets": [{"Id": target.id, "Port": target.port}]} if target else {}
    shown = rig.elb.describe_target_health(TargetGroupArn=group, **targets)["TargetHealthDescriptions"]
    return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason")) for one in shown]


@pytest.mark.parametrize("kind", ["ip", "instance"])
def test_a_task_gets_sigterm_when_its_deregistration_delay_is_over(ecs_rig, kind):
    ecs_rig.host()
    group = ecs_rig.target_group("web", delay_s=2, kind=kind)
    ecs_rig.delays.target_initial = 1
    web = ecs_rig.service("web", group=group, network_mode="awsvpc" if kind == "ip" else "bridge")
    until(lambda: health(ecs_rig, group) == [("initial", "Elb.RegistrationInProgress")], 5, "initial")
    ecs_rig.settle()
    assert health(ecs_rig, group) == [("healthy", None)]
    (task,) = ecs_rig.tasks_of(web)
    ecs_rig.ecs.update_service(cluster="rig", service="web", desiredCount=0)
    until(lambda: task.last == "DEACTIVATING", 5, "deactivating")
    assert health(ecs_rig, group) == [("draining", "Target.DeregistrationInProgress")] and task.told_at is None
    until(lambda: task.last == "STOPPED", 5, "stopped")
    assert 2 <= task.told_at - task.stopping_at < 5
    assert (health(ecs_rig, group), health(ecs_rig, group, task.targets[0])) == (
        [],
        [("unused", "Target.NotRegistered")],
    )


def test_deregistering_a_target_early_shortens_deactivating(ecs_rig):
    ecs_rig.host()
    group = ecs_rig.target_group("web", delay_s=3)
    web = ecs_rig.service("web", group=group)
    ecs_rig.settle()
    (task,) = ecs_rig.tasks_of(web)
    (target,) = task.targets
    ecs_rig.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": target.id, "Port": target.port}])
    assert health(ecs_rig, group) == [("draining", "Target.DeregistrationInProgress")]
    until(lambda: health(ecs_rig, group) == [], 5, "deregistered")
    assert ecs_rig.running(task)
    ecs_rig.ecs.stop_task(cluster="rig", task=task.arn)
    until(lambda: task.told_at, 5, "told")
    assert task.told_at - task.stopping_at < 2


def test_a_replacement_behind_a_load_balancer_counts_when_its_target_is_healthy(ecs_rig):
    ecs_rig.hosts(2)
    ecs_rig.delays.target_initial = 1
    web = ecs_rig.service("web", group=ecs_rig.target_group("web", delay_s=0))
    ecs_rig.settle()
    (old,) = ecs_rig.tasks_of(web)
    ecs_rig.drain(old.instance)
    until(lambda: old.desired == "STOPPED", 5, "stopped")
    assert old.stopping_at >= ecs_rig.tasks_of(web)[1].started_at + 0.9


# The ECS agent.


def test_introspection(ecs_rig):
    one, two = ecs_rig.hosts(2)
    job, _ = ecs_rig.run("job", on=one), ecs_rig.run("job", on=two)
    ecs_rig.settle()
    agent = ecs_rig.agent(one, registered=False)

    def get(path):
        return requests.get(agent.url + path, timeout=5)

    assert get("/v1/metadata").json()["ContainerInstanceArn"] is None
    agent.registered = True
    shown = get("/v1/metadata").json()
    assert (shown["Cluster"], shown["ContainerInstanceArn"]) == ("rig", one.arn) and "v1." in shown["Version"]
    (task,) = get("/v1/tasks").json()["Tasks"]
    assert (task["Arn"], task["KnownStatus"], task["Family"]) == (job.arn, "RUNNING", "job")
    assert get(f"/v1/tasks?taskarn={job.arn}").json() == task
    own = requests.get(agent.task_metadata_url(job) + "/task", timeout=5).json()
    assert (own["TaskARN"], own["Cluster"]) == (job.arn, "rig")
    ecs_rig.end_host(one)
    with pytest.raises(requests.ConnectionError):
        get("/v1/metadata")


def test_the_hosts_role_is_known_to_its_metadata_service_and_to_aws(ecs_rig):
    one = ecs_rig.host()
    imds = ecs_rig.imds(one)
    roles = "latest/meta-data/iam/security-credentials/"
    got = imds.get(roles + imds.get(roles, imds.token()).text.strip(), imds.token()).json()
    keys = {"aws_access_key_id": got["AccessKeyId"], "aws_secret_access_key": got["SecretAccessKey"]}
    ecs_rig.aws.client("ecs", **keys, aws_session_token=got["Token"]).list_clusters()
    assert ecs_rig.aws.calls[-1].access_key == got["AccessKeyId"]
    assert imds.get("latest/meta-data/instance-id", imds.token()).text == one.ec2_id


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Stands for the executable: it writes when it is told, and ends half a second later."""
    path = tmp_path / "program"
    script = "#!/bin/sh\ntrap 'echo told; sleep 0.5; exit 3' TERM\necho began\nwhile :; do sleep 0.05; done\n"
    path.write_text(script)
    path.chmod(0o755)
    monkeypatch.setenv("SPOTKEEPER_BINARY", str(path))


def test_a_process_that_is_a_daemon_task_is_told_last_and_ends_as_its_container(ecs_rig, program):
    one = ecs_rig.host()
    daemon, web = ecs_rig.service("spotkeeper", daemon=True), ecs_rig.service("web", minimum=0)
    ecs_rig.settle()
    (task,) = ecs_rig.tasks_of(daemon)
    process = ecs_rig.spotkeeper(one, ecs_rig.imds(one), ecs_rig.agent(one), task=task)
    process.wait_for_log("began")
    ecs_rig.drain(one)
    until(lambda: task.last == "STOPPED", 10, "stopped")
    assert "told" in process.output() and (process.exit_code, task.end, task.exit_code) == (3, "ended", 3)
    assert task.told_at >= ecs_rig.tasks_of(web)[0].stopped_at


def test_processes_of_a_host_end_with_it(ecs_rig, program):
    one = ecs_rig.host()
    job = ecs_rig.run("job", on=one)
    ecs_rig.settle()
    imds, agent = ecs_rig.imds(one), ecs_rig.agent(one)
    unit, contained = ecs_rig.spotkeeper(one, imds, agent), ecs_rig.spotkeeper(one, imds, agent, task=job)
    stays(lambda: unit.exit_code is None and contained.exit_code is None, 0.3, "alive")
    ecs_rig.end_host(one)
    assert (unit.exit_code, contained.exit_code, job.end) == (-9, -9, "cut off")
    assert "told" not in unit.output()


def test_the_agents_own_draining_leaves_standalone_tasks_to_die_untold(ecs_rig):
    one, _ = ecs_rig.hosts(2)
    job = ecs_rig.run("job", on=one)
    web = ecs_rig.service("web", count=2)
    ecs_rig.settle()
    imds = ecs_rig.imds(one)
    agent = ecs_rig.agent(one, imds=imds, drains=True)
    stays(lambda: one.status == "ACTIVE", 1.2, "ACTIVE without a notice")
    imds.announce(spot=True, time_in_s=5)
    until(lambda: one.status == "DRAINING" and agent.drained_at, 3, "drained by its agent")
    until(lambda: all(task.last == "STOPPED" for task in ecs_rig.tasks_of(web) if task.instance is one), 5, "moved")
    assert ecs_rig.end_host(one) == [job] and job.untold


def test_the_agents_own_draining_tries_again_each_second_and_is_known_by_its_name(ecs_rig):
    one = ecs_rig.host()
    ecs_rig.aws.faults.throttle("ecs", "UpdateContainerInstancesState", times=2)
    agent = ecs_rig.agent(one, imds=ecs_rig.imds(one, spot=True, time_in_s=30), drains=True)
    until(lambda: agent.drained_at, 15, "drained")
    calls = ecs_rig.aws.calls_of("UpdateContainerInstancesState")
    assert [call.error for call in calls] == ["ThrottlingException"] * 2 + [""] and one.status == "DRAINING"
    assert 1.9 <= calls[2].at - calls[0].at < 6
    assert all(call.headers["user-agent"].startswith("Amazon ECS Agent") for call in calls)
