"""What an ECS host's drain tells people and programs: journal, post-mortem, metrics; by the agent and by hand."""

import json

import pytest

from ecs_host import by_hand, crowded, gone, start
from rig.agent import check_post_mortem
from rig.process import until

@pytest.fixture
def host(ecs_rig):
    """A service with room elsewhere, a service without, a daemon and a standalone task."""
    host = ecs_rig.host(slots=5)
    ecs_rig.service("web", count=1, minimum=0, stop_timeout=2)
    ecs_rig.service("db", count=1, minimum=100, maximum=199, stop_timeout=3)
    ecs_rig.service("logs", daemon=True)
    ecs_rig.run("job", on=host, stop_timeout=2)
    ecs_rig.settle()
    ecs_rig.host(slots=2)
    return host


def test_the_journal_of_a_drain_by_hand(ecs_rig, host):
    done = by_hand(ecs_rig, "drain", host.ec2_id, "--deadline", "12s")
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines() if line.lstrip().startswith("+")]
    of = {name: [text for _, who, text in lines if who.startswith(name + "/")] for name in ("web", "db", "logs", "job")}
    assert any("DRAINING: nothing new is placed on it" in " ".join(line) for line in lines), done.stdout
    assert any("standalone task" in text for text in of["job"]), of
    assert "overruled: service db (minimumHealthyPercent 100) has held it to its last moment" in of["db"], of
    for name in ("web", "db", "job"):
        steps = [text.split(":")[0] for text in of[name]]
        assert steps[0] == "planned" and steps.index("told") < steps.index("gone"), (name, steps)
    assert any("all tasks have left" in " ".join(line) for line in lines), done.stdout
    # Then the post-mortem, a table with all of them.
    table = done.stdout[done.stdout.index("TASK  ") :]
    assert all(name + "/" in table for name in of), table
    assert "overruled service db (minimumHealthyPercent 100)" in table and "a daemon service's task" in table, table
    assert table.splitlines()[-1] == "3 moved, 0 still ending, 0 untold, 1 stay; 1 overruled a service", table
    [stopped] = [task for task in ecs_rig.tasks if task.service and task.service.name == "db" and task.stopped_reason]
    assert "its service does not let it go" in stopped.stopped_reason


def test_many_hosts_have_a_row_each(ecs_rig):
    hosts = ecs_rig.hosts(4, slots=2)
    for host in hosts:
        ecs_rig.run("job", on=host, stop_timeout=2)
    ecs_rig.settle()
    done = by_hand(ecs_rig, "drain", *[host.ec2_id for host in hosts], "--deadline", "9s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 hosts drained; tasks: 4 moved, 0 still ending, 0 untold" in done.stdout, done.stdout


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_post_mortem_of_a_drain_by_hand_is_a_document(ecs_rig, host, form):
    """The journal goes to stderr then."""
    done = by_hand(ecs_rig, "drain", host.ec2_id, "--deadline", "10s", "-o", form)
    assert done.returncode == 0 and "+0.0s" in done.stderr, done.stderr
    if form == "yaml":
        assert "schema: spotkeeper.io/post-mortem/v1" in done.stdout and "outcome: moved" in done.stdout, done.stdout
        return
    document = check_post_mortem(json.loads(done.stdout))
    assert document["node"] == host.ec2_id and document["kind"] == "Manual"
    rows = {row["pod"].split("/")[0]: row for row in document["pods"]}
    assert (rows["db"]["owner"], rows["job"]["owner"]) == ("Service/db", "none")
    assert rows["db"]["overruled_budgets"] == ["service db (minimumHealthyPercent 100)"]
    assert rows["logs"]["outcome"] == "stays" and rows["job"]["told_after_ms"] is not None


def test_the_agents_metrics_count_what_it_asked_of_aws(ecs_rig):
    host, tasks, _ = crowded(ecs_rig, stop_timeouts=(2, 3, 20))
    imds = ecs_rig.imds(host)
    more = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": "0"}
    agent = start(ecs_rig, host, imds, env=more)
    ecs_rig.aws.faults.throttle("ecs", "UpdateContainerInstancesState", times=1)
    imds.announce(spot=True, time_in_s=14)
    gone(*tasks, at_most=25)
    agent.post_mortem(at_most=10)

    def counted(family: str, **labels: str) -> float:
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        found = agent.metrics().items()
        return sum(value for key, value in found if key.startswith(family) and all(one in key for one in wanted))

    def requests(action: str, code: int = 200) -> float:
        return counted("spotkeeper_aws_requests_total", service="ecs", action=action, code=str(code))

    assert requests("UpdateContainerInstancesState", 400) == 1, "throttled"
    assert requests("UpdateContainerInstancesState") == 1
    assert requests("StopTask") == len(ecs_rig.aws.calls_of("StopTask")) == 3
    assert counted("spotkeeper_notices_total", kind="SpotInterruption", source="imds") == 1
    assert counted("spotkeeper_journal_entries_total", step="told") == len(tasks)
    assert counted("spotkeeper_journal_entries_total", step="finished") == 1
    until(lambda: counted("spotkeeper_imds_polls_total", outcome="notice") >= 1, 5, "polls")
