"""Several processes drain one host, or one after another does: one owner at a time, and nobody is left untold."""

import json
import signal
import time

import pytest

from rig import Rig, stays, until
from rig.person import Person

LOOK = 5  # s: a process that waits looks so often whether the holder has ended
LEASE = 45  # s: a holder that has not renewed its record for so long is taken for dead
APPS = ("free", "shy", "slow")


@pytest.fixture
def second_person(rig):
    """Somebody else, by whose name the audit log knows what the second process did."""
    account = rig.account("second")
    with Person(rig.control_plane.kubeconfig(account.user, account.token)) as person:
        person.user = account.user
        yield person


def pool(rig: Rig, hosts: int) -> list:
    """On each host a pod without a budget, one behind a closed budget, and one whose budget lets one go at a time."""
    nodes = [rig.node(f"n{i}", pods=3) for i in range(hosts)]
    rig.deployment("free", replicas=hosts)
    rig.stateful_set("shy", replicas=hosts)
    rig.deployment("slow", replicas=hosts, ready_after=2)  # long enough to be seen released
    for app in APPS:
        rig.until_running(app, hosts)
    rig.pdb("shy", max_unavailable=0)
    rig.pdb("slow", max_unavailable=1)
    rig.node("spare")
    return nodes


def are_held_by(nodes: list, process) -> bool:
    """By the records on them; a holder is called HOSTNAME/PID."""
    records = [json.loads(node.annotation() or "{}") for node in nodes]
    return all(record.get("holder", {}).get("id", "").endswith(f"/{process.pid}") for record in records)


def stories(rig: Rig, nodes: list, *apps: str) -> list:
    """Of the pods that were on these hosts before they were drained."""
    rig.history.catch_up()
    names = {node.name for node in nodes}
    return [story for app in apps or APPS for story in rig.history.pods(app) if story.node in names]


def told(rig: Rig, nodes: list, *apps: str) -> int:
    return sum(story.told_at is not None for story in stories(rig, nodes, *apps))


def evictions(rig: Rig, user: str) -> int:
    return len(rig.api_requests(user=user, verb="create", resource="pods/eviction"))


def check_nobody_untold(rig: Rig, nodes: list) -> None:
    assert len(stories(rig, nodes)) == len(APPS) * len(nodes)
    untold = [story.name for story in stories(rig, nodes) if story.told_at is None]
    assert not untold, untold
    assert all(node.is_cordoned() for node in nodes)


def test_of_two_drains_one_evicts_and_the_second_goes_on_when_it_is_killed(rig, person, second_person):
    nodes = pool(rig, 2)
    arguments = ("drain", *(node.name for node in nodes), "--deadline", "45s", "--enough-grace", "8")
    first = person.start(*arguments)
    until(lambda: are_held_by(nodes, first), 15, "held by the first")
    second = second_person.start(*arguments)
    until(lambda: told(rig, nodes, "free", "slow") == 4, 20, "the first has told those that may go")
    stays(lambda: are_held_by(nodes, first), LOOK + 2, "held by the first")
    assert evictions(rig, second_person.user) == 0
    first.kill()
    killed = time.monotonic()
    first.communicate(timeout=5)
    until(lambda: are_held_by(nodes, second), LOOK + 5, "taken over by the second")
    print(f"taken over {time.monotonic() - killed:.1f} s after a kill")
    before = evictions(rig, "rig-admin")
    output, errors = second.communicate(timeout=60)
    assert second.returncode == 0, output + errors
    assert f"/{first.pid} drains it" in output + errors, "it has said who holds the host"
    assert "taken over from" in output + errors
    check_nobody_untold(rig, nodes)
    assert before == evictions(rig, "rig-admin") > 0 and evictions(rig, second_person.user) > 0


def test_who_is_stopped_for_long_is_taken_over_from_and_asks_nobody_when_it_wakes(rig, person, second_person):
    nodes = pool(rig, 2)
    names = [node.name for node in nodes]
    first = person.start("drain", *names, "--deadline", "100s", "--enough-grace", "10")
    until(lambda: told(rig, nodes, "free", "slow") == 4, 20, "the first has told those that may go")
    first.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    second = second_person.start("drain", *names, "--deadline", "75s", "--enough-grace", "10")
    stays(lambda: not are_held_by(nodes, second), LEASE - 10, "the first's")
    until(lambda: are_held_by(nodes, second), 10 + LOOK + 5, "taken over by the second")
    print(f"taken over {time.monotonic() - stopped:.1f} s after a stop")
    before = evictions(rig, "rig-admin")
    first.send_signal(signal.SIGCONT)
    output, errors = second.communicate(timeout=60)
    assert second.returncode == 0, output + errors
    check_nobody_untold(rig, nodes)
    output, errors = first.communicate(timeout=20)
    assert f"/{second.pid} drains it" in output + errors, "it has seen whose they are"
    assert evictions(rig, "rig-admin") == before, "it asked nobody"


@pytest.mark.parametrize("moment", ["marked", "released", "first told", "half told", "last moment"])
def test_killed_at_some_moment_and_started_again_nobody_is_untold(rig, person, moment):
    nodes = pool(rig, 3)
    arguments = ("drain", *(node.name for node in nodes), "--deadline", "22s", "--enough-grace", "8")
    first = person.start(*arguments)
    reached = {
        "marked": lambda: are_held_by(nodes, first),
        "released": lambda: rig.kube.list("pods", labels="spotkeeper.io/released"),
        "first told": lambda: told(rig, nodes) >= 1,
        "half told": lambda: told(rig, nodes) >= 5,
        "last moment": lambda: told(rig, nodes, "shy") >= 1,
    }
    until(reached[moment], 30, moment, every=0.005)
    first.kill()
    first.communicate(timeout=5)
    again = person.run(*arguments, "-o", "json", timeout=60)
    assert again.returncode == 0, again.stdout + again.stderr
    document = json.loads(again.stdout)
    assert all(item["untold"] == 0 for item in document["items"])
    check_nobody_untold(rig, nodes)
    assert not rig.kube.list("pods", labels="spotkeeper.io/released")
    for app in APPS:
        rig.until_running(app, 3)
