"""ECS hosts: by hand, rebalance recommendations, our own daemon task, and what can be switched on."""

import json
import signal
import subprocess

import pytest

from ecs_host import MARGIN, by_hand, gone, host_with, start, told_before_end
from rig.agent import check_post_mortem
from rig.aws.signing import actions_of
from rig.binaries import REPOSITORY, spotkeeper
from rig.process import stays, until


def by_name(document: dict) -> dict:
    return {row["pod"].split("/")[0]: row for row in document["pods"]}


@pytest.fixture
def host(ecs_rig):
    """A service without room, a daemon and a standalone task."""
    host = ecs_rig.host(slots=4)
    ecs_rig.service("web", count=1, minimum=100, maximum=199, stop_timeout=4)
    ecs_rig.service("logs", daemon=True)
    ecs_rig.run("job", on=host, stop_timeout=2)
    ecs_rig.settle()
    return host


@pytest.mark.parametrize("by", ["arn", "id", "instance"])
def test_a_plan_shows_when_how_and_what_is_in_the_way(ecs_rig, host, by):
    named = {"arn": host.arn, "id": host.id, "instance": host.ec2_id}[by]
    result = by_hand(ecs_rig, "plan", named)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert host.ec2_id in lines[0] and host.id in lines[0]
    web = next(line for line in lines if line.startswith("web/"))
    assert "+113s" in web and "service web (minimumHealthyPercent 100) leaves no room" in web, web
    job = next(line for line in lines if line.startswith("job/"))
    assert "last-moment" in job and "+115s" in job, job
    assert host.status == "ACTIVE" and not ecs_rig.aws.calls_of("StopTask")


def test_a_plan_for_programs(ecs_rig, host):
    document = json.loads(by_hand(ecs_rig, "plan", host.ec2_id, "-o", "json").stdout)
    rows = by_name(document)
    assert rows["logs"]["mode"] == "stays" and "daemon" in rows["logs"]["why"]
    assert rows["web"]["grace_s"] == 4 and rows["job"]["mode"] == "last-moment"


def test_a_drain_by_hand_ends_with_a_post_mortem(ecs_rig, host):
    result = by_hand(ecs_rig, "drain", host.ec2_id, "--deadline", "12s", "-o", "json")
    assert result.returncode == 0, result.stderr
    rows = by_name(check_post_mortem(json.loads(result.stdout)))
    assert rows["web"]["outcome"] == rows["job"]["outcome"] == "moved"
    assert host.status == "DRAINING"
    undone = by_hand(ecs_rig, "drain", host.arn, "--undo")
    assert undone.returncode == 0 and "ACTIVE again" in undone.stdout
    assert host.status == "ACTIVE"
    again = by_hand(ecs_rig, "drain", host.ec2_id, "--undo")
    assert again.returncode == 0 and "nothing taken back" in again.stdout


def test_a_drain_without_a_deadline_kills_nothing(ecs_rig, host):
    result = by_hand(ecs_rig, "drain", host.ec2_id, "--timeout", "3s")
    assert result.returncode == 1
    assert not ecs_rig.aws.calls_of("StopTask")
    assert host.status == "DRAINING", "what is marked stays marked"


@pytest.mark.parametrize("before", ["ACTIVE", "DRAINING"])
def test_an_interrupted_drain_takes_back_only_what_it_has_set(ecs_rig, host, before):
    if before == "DRAINING":
        ecs_rig.drain(host)
    line = [spotkeeper(), "drain", "--platform", "ecs", "--cluster", "rig", host.ec2_id, "--on-interrupt", "undo"]
    drain = subprocess.Popen(line, env=ecs_rig.aws.environment(), stdout=subprocess.PIPE, text=True)
    until(lambda: host.status == "DRAINING" and ecs_rig.aws.calls_of("DescribeTasks"), 10, "DRAINING")
    drain.send_signal(signal.SIGINT)
    output, _ = drain.communicate(timeout=15)
    assert drain.returncode == 130
    assert host.status == before, output


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("plan", "i-0123456789abcdef0"), ["i-0123456789abcdef0", "cluster rig"]),
        (("drain", "nobody", "--deadline", "2m"), ["nobody", "rig"]),
        (("drain", "i-1", "--selector", "a=b"), ["expected either"]),
        (("drain", "--selector", "a=b"), ["--selector", "Kubernetes only"]),
    ],
)
def test_wrong_hosts_are_one_line_and_status_2(ecs_rig, arguments, words):
    ecs_rig.host()
    result = by_hand(ecs_rig, *arguments)
    assert result.returncode == 2, result.stderr
    [line] = result.stderr.splitlines()
    assert all(word in line for word in words), line


def test_a_recommendation_is_soft_and_the_notice_after_it_hard(ecs_rig):
    """containers-roadmap spot#22: the agent should handle rebalance, two minutes are short."""
    one = ecs_rig.host(slots=3)
    web = ecs_rig.service("web", count=1, minimum=0, stop_timeout=2)
    job = ecs_rig.run("job", on=one, stop_timeout=2)
    ecs_rig.settle()
    ecs_rig.host(slots=1)
    [mine] = ecs_rig.tasks_of(web)
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds, env={"ENABLE_REBALANCE_DRAINING": "true"})
    imds.announce(rebalance=True)
    until(lambda: one.status == "DRAINING", 8, "DRAINING")
    gone(mine, at_most=8)
    stays(lambda: job.told_at is None, 3, "left alone: nothing is certain yet")
    imds.announce(spot=True, time_in_s=12)
    gone(job, at_most=15)
    assert told_before_end(job, imds.deadline) >= 2 + MARGIN - 0.5
    assert agent.post_mortem(at_most=15)["kind"] == "SpotInterruption"


def test_as_a_daemon_task_it_lives_to_the_end_of_the_drain(ecs_rig):
    """ECS ends daemons when the replica tasks have left; standalone tasks are still to be told then."""
    one = ecs_rig.host(slots=4)
    web = ecs_rig.service("web", count=1, minimum=0, stop_timeout=1)
    ours = ecs_rig.service("spotkeeper", daemon=True, stop_timeout=120, ends_after=0.1)
    job = ecs_rig.run("job", on=one, stop_timeout=2)
    ecs_rig.settle()
    [own] = ecs_rig.tasks_of(ours)
    imds = ecs_rig.imds(one)
    agent = start(ecs_rig, one, imds, task=own)
    imds.announce(spot=True, time_in_s=12)
    gone(*ecs_rig.tasks_of(web)[:1], at_most=8)
    gone(job, at_most=15)
    assert not job.untold
    assert own.arn not in [call.params["task"] for call in ecs_rig.aws.calls_of("StopTask")]
    rows = by_name(agent.post_mortem(at_most=15))
    assert rows["spotkeeper"]["outcome"] in ("stays", "moved")


def test_told_to_end_in_a_recommendations_drain_it_still_hears_the_interruption(ecs_rig):
    """DRAINING makes ECS stop a daemon last: us."""
    host, [job] = host_with(ecs_rig, 2)
    [own] = [ecs_rig.run("spotkeeper", on=host, stop_timeout=120)]
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds, task=own, env={"ENABLE_REBALANCE_DRAINING": "true"})
    agent.wait_for_log("run spotkeeper as a systemd unit")
    imds.announce(rebalance=True)
    until(lambda: host.status == "DRAINING", 8, "DRAINING")
    agent.signal(signal.SIGTERM)
    agent.wait_for_log("it is finished first")
    imds.announce(spot=True, time_in_s=12)
    gone(job, at_most=15)
    assert not job.untold
    assert agent.post_mortem(at_most=15)["kind"] == "SpotInterruption"


def test_the_instance_is_deregistered_when_its_drain_is_over(ecs_rig):
    host, [task] = host_with(ecs_rig, 20)
    imds = ecs_rig.imds(host)
    start(ecs_rig, host, imds, env={"ECS_DEREGISTER": "true"})
    imds.announce(spot=True, time_in_s=15)
    gone(task, at_most=8)
    [call] = until(lambda: ecs_rig.aws.calls_of("DeregisterContainerInstance"), 5, "deregistered")
    assert call.params["force"] is True
    assert host.status == "INACTIVE"


def test_the_instance_is_deregistered_before_its_end_though_a_task_still_ends(ecs_rig):
    host = ecs_rig.host()
    ecs_rig.run("slow", on=host, stop_timeout=60, ends_after=60)
    ecs_rig.settle()
    imds = ecs_rig.imds(host)
    start(ecs_rig, host, imds, env={"ECS_DEREGISTER": "true"})
    imds.announce(spot=True, time_in_s=10)
    [call] = until(lambda: ecs_rig.aws.calls_of("DeregisterContainerInstance"), 12, "deregistered")
    assert 0 < imds.deadline - call.at <= 3


def test_replacements_first_by_a_new_deployment(ecs_rig):
    one, _ = ecs_rig.hosts(2, slots=4)
    ecs_rig.service("web", count=1, minimum=100, maximum=200, stop_timeout=2)
    ecs_rig.service("logs", daemon=True)
    ecs_rig.settle()
    imds = ecs_rig.imds(one)
    start(ecs_rig, one, imds, env={"ECS_FORCE_NEW_DEPLOYMENT": "true"})
    imds.announce(spot=True, time_in_s=15)
    until(lambda: one.status == "DRAINING", 5, "DRAINING")
    on_host = {task.service.name for task in ecs_rig.tasks_on(one) if task.service}

    def begun():
        return {call.params["service"] for call in ecs_rig.aws.calls_of("UpdateService")}

    until(lambda: begun() == on_host - {"logs"}, 10, "a new deployment of each service")
    stays(lambda: begun() == on_host - {"logs"}, 2, "the daemon service left alone")
    assert all(call.params["forceNewDeployment"] for call in ecs_rig.aws.calls_of("UpdateService"))


def test_the_policy_we_ship_is_enough_and_no_more(ecs_rig, host):
    """With the instance role's own keys, which may do what deploy/iam/ecs-agent.json says."""
    policy = json.loads((REPOSITORY / "deploy/iam/ecs-agent.json").read_text())
    group = ecs_rig.target_group("shop", delay_s=1)
    ecs_rig.service("shop", count=1, minimum=100, maximum=199, stop_timeout=2, group=group)
    ecs_rig.settle()
    left = {"name": "spotkeeper.drain", "value": "RebalanceRecommendation//old", "targetId": host.arn}
    ecs_rig.ecs.put_attributes(cluster=ecs_rig.cluster, attributes=[left])
    ecs_rig.key_of(host).actions = actions_of(policy)
    ecs_rig.model.filter_rows = "none"
    imds = ecs_rig.imds(host)
    before = len(ecs_rig.aws.calls)
    more = {"ECS_DEREGISTER": "true", "ECS_FORCE_NEW_DEPLOYMENT": "true", "ECS_CLUSTER": ecs_rig.cluster}
    more |= {"ENABLE_REBALANCE_DRAINING": "true"}
    agent = start(ecs_rig, host, imds, env=more, introspection=False, keys=False)
    imds.announce(rebalance=True)
    until(lambda: host.status == "DRAINING", 8, "DRAINING")
    imds.announce(spot=True, time_in_s=15)
    until(lambda: ecs_rig.aws.calls_of("DeregisterContainerInstance"), 20, "all done")
    calls = ecs_rig.aws.calls[before:]
    assert not agent.steps("denied") and not [call for call in calls if "AccessDenied" in call.error]
    assert {f"{call.service}:{call.action}" for call in calls} == set(actions_of(policy))
    secret = ecs_rig.key_of(host).secret
    assert secret not in agent.output(), "no secret in the log"


def test_auto_finds_an_ecs_host_by_its_introspection(ecs_rig):
    host, _ = host_with(ecs_rig, 2)
    imds = ecs_rig.imds(host)
    agent = start(ecs_rig, host, imds, command=("agent",))
    assert agent.wait_for_message("container instance found")["container_instance"] == host.arn


def test_the_whole_of_a_notice_at_true_speed_is_not_needed_to_know_its_moments(ecs_rig):
    """stopTimeout 30, 60 and 120 in a notice of two minutes, as `plan` lays them out."""
    host, _ = host_with(ecs_rig, 30, 60, 120)
    rows = by_name(json.loads(by_hand(ecs_rig, "plan", host.ec2_id, "-o", "json").stdout))
    late = {name: row["latest"] for name, row in rows.items()}
    assert late["job-30"] > late["job-60"] > late["job-120"]
