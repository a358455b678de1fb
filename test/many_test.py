"""`spotkeeper drain` of many hosts by hand: all at once, from a file, and in waves for planned work."""

import json
import re
import signal

import pytest

from rig import Rig, stays, until
from rig.objects import RIG


def pool(rig: Rig, hosts: int = 6) -> list:
    """Hosts of a pool with one pod of each of two Deployments; and room elsewhere."""
    nodes = [rig.node(f"n{i}", labels={"pool": "old"}, pods=2) for i in range(hosts)]
    rig.deployment("web", replicas=hosts)
    rig.deployment("api", replicas=hosts)
    rig.node("spare")
    return nodes


def of_pool(rig: Rig) -> str:
    return f"pool=old,{RIG}={rig.id}"


def most_at_once(nodes: list, since: float = 0) -> int:
    """How many were cordoned and not empty yet, at most, by the watches: from cordon to the last pod's end."""
    moments = []
    for node in nodes:
        cordoned = node.cordoned_at()
        if cordoned is None:
            continue
        gone = [story.gone_at or float("inf") for story in node._history.pods(node=node.name)]
        moments += [(cordoned, 1), (max(gone, default=cordoned), -1)]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def test_waves_of_two_respect_budgets_and_wait_for_replacements(rig, person):
    nodes = pool(rig)
    rig.pdb("web", max_unavailable=1)
    result = person.run("drain", "-l", of_pool(rig), "--max-unavailable", "2", "-o", "json", timeout=120)
    assert result.returncode == 0, result.stderr
    rig.history.catch_up()
    assert most_at_once(nodes) == 2
    items = json.loads(result.stdout)["items"]
    assert {item["node"] for item in items} == {node.name for node in nodes}
    assert all(item["overruled"] == 0 and item["deadline"] is None for item in items)
    assert sum(item["moved"] for item in items) >= 12
    assert all(node.is_cordoned() for node in nodes)
    deleted = rig.api_table(user="rig-admin", verb="delete", resource="pods")
    assert not deleted, "no budget was overruled"
    rig.until_running("web", 6, on=rig.nodes[-1])


def test_the_next_host_waits_until_pods_without_a_budget_run_again(rig, person):
    nodes = [rig.node(f"n{i}", labels={"pool": "old"}, pods=1) for i in range(2)]
    rig.deployment("web", replicas=2, ready_after=3)
    rig.until_running("web", 2)
    rig.node("spare")
    result = person.run("drain", "-l", of_pool(rig), "--max-unavailable=1", timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "waits for replacements: " in result.stdout
    rig.history.catch_up()
    stories = rig.history.pods("web")
    told = sorted(story.told_at for story in stories if story.told_at)
    ready = sorted(story.ready_at for story in stories if story.ready_at)
    assert len(told) == 2 and len(ready) == 4, stories
    assert told[1] > ready[2], "the first one's replacement was Ready before the second was told"
    assert {node.is_cordoned() for node in nodes} == {True}


@pytest.mark.parametrize("limit, at_once", [("50%", 2), ("30%", 1), ("1%", 1)])
def test_shares_are_rounded_down_and_at_least_one(rig, person, limit, at_once):
    nodes = pool(rig, 5)
    assert person.run("drain", "-l", of_pool(rig), "--max-unavailable", limit, timeout=120).returncode == 0
    rig.history.catch_up()
    assert most_at_once(nodes) == at_once


def test_a_host_that_is_cordoned_already_counts_and_goes_first(rig, person):
    nodes = pool(rig, 3)
    rig.pdb("api", max_unavailable=0)
    nodes[2].cordon()
    process = person.start("drain", "-l", of_pool(rig), "--max-unavailable", "1", "--on-interrupt", "undo")
    until(lambda: nodes[2].annotation(), 10, "marked by us")
    stays(lambda: not nodes[0].is_cordoned() and not nodes[1].is_cordoned(), 3, "the others are left alone")
    process.terminate()
    process.communicate(timeout=15)
    assert process.returncode == 130
    assert nodes[2].is_cordoned() and nodes[2].annotation() is None, "its cordon was somebody else's"


def test_a_host_that_does_not_finish_stops_the_rest(rig, person):
    nodes = pool(rig, 4)
    rig.pdb("web", max_unavailable=0)
    result = person.run("drain", "-l", of_pool(rig), "--max-unavailable=2", "--timeout=5s", timeout=60)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    words = r"n\d-\S+: not drained within --timeout 5.0 s; 2 hosts are not begun: n2-\S+, n3-"
    assert re.search(words, last), result.stderr
    assert [node.is_cordoned() for node in nodes] == [True, True, False, False]
    assert not any(story.told_at for story in rig.history.pods("web")), "no budget was overruled"


def test_an_interruption_in_the_middle_of_a_wave_is_asked_about_and_nobody_else_begins(rig, person):
    nodes = pool(rig, 4)
    rig.pdb("web", max_unavailable=0)
    rig.kube.patch("poddisruptionbudgets", "web", {"spec": {"maxUnavailable": 4}})
    until(lambda: rig._budget("web").get("disruptionsAllowed"), 10, "the budget is open")
    terminal = person.at_terminal("drain", "-l", of_pool(rig), "--max-unavailable=1")
    until(nodes[1].is_cordoned, 30, "the second wave")
    rig.kube.patch("poddisruptionbudgets", "web", {"spec": {"maxUnavailable": 0}})
    terminal.press("\x03")
    terminal.wait_for("[u/l/c]?")
    before = [node.is_cordoned() for node in nodes]
    stays(lambda: [node.is_cordoned() for node in nodes] == before, 3, "nothing new is begun while it is asked")
    terminal.press("u\n")
    assert terminal.end() == 130
    assert [node.is_cordoned() for node in nodes] == [False] * 4, "what this drain has cordoned is undone"
    assert all(node.annotation() is None for node in nodes)
    assert "not begun" in terminal.text


@pytest.mark.parametrize("answer, cordoned", [("undo", 0), ("leave", 2)])
def test_sigterm_in_a_wave_undoes_or_leaves_those_that_had_begun(rig, person, answer, cordoned):
    nodes = pool(rig, 4)
    rig.pdb("web", max_unavailable=0)
    process = person.start("drain", "-l", of_pool(rig), "--max-unavailable=2", "--on-interrupt", answer)
    until(lambda: nodes[0].is_cordoned() and nodes[1].is_cordoned(), 15, "two of them cordoned")
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert sum(node.is_cordoned() for node in nodes) == cordoned
    assert "2 hosts are not begun" in errors
    assert "0 of 2 hosts drained" in output or "post-mortem of" in output


def test_hosts_from_a_file_with_a_deadline_are_marked_at_once(rig, person, tmp_path):
    nodes = pool(rig, 12)
    lines = [node.name if i % 2 else node.instance_id for i, node in enumerate(nodes)]
    hosts = tmp_path / "hosts.txt"
    some = "\n".join(f"{line}  # soon" for line in lines[:11])
    hosts.write_text(f"# the old pool\n\n{some}\nnode/{lines[11]}\n")
    result = person.run("drain", "-f", str(hosts), "--deadline", "60s", timeout=90)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "12 of 12 hosts drained; pods: " in result.stdout
    marks = [node.cordoned_at() for node in nodes]
    first_told = min(story.told_at for node in nodes for story in rig.history.pods(node=node.name) if story.told_at)
    assert max(marks) < first_told, "all are marked before any is drained"
    listed = rig.api_requests(user="rig-admin", verb="get", resource="nodes")
    assert len([r for r in listed if "spotkeeper" in r.user_agent]) <= 12, "not one GET a host to find it"


def test_a_plan_and_an_undo_take_a_file_too_and_stdin(rig, person, tmp_path):
    nodes = [rig.node(f"n{i}") for i in range(2)]
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("".join(f"{node.name}\n" for node in nodes))
    document = json.loads(person.run("plan", "-f", str(hosts), "-o", "json").stdout)
    assert [item["node"] for item in document["items"]] == [node.name for node in nodes]
    assert person.run("drain", "-f", str(hosts), "--timeout", "10s").returncode == 0
    assert all(node.is_cordoned() for node in nodes)
    undone = person.run("drain", "--undo", "-f", "-", stdin=hosts.read_text())
    assert undone.returncode == 0 and undone.stdout.count("uncordoned") == 2, undone.stderr
    assert not any(node.is_cordoned() for node in nodes)


@pytest.mark.parametrize(
    "content, words",
    [
        ("a b\n", ["hosts.txt:1: ", "one host a line", "'a b'"]),
        ("# nobody\n", ["hosts.txt: no host is in it"]),
        ("{node}\n\nno-such-node # here\n", ["hosts.txt:3: host 'no-such-node'", "kubectl get nodes"]),
        (None, ["hosts.txt: No such file or directory"]),
        ("\n" * (1 << 20) + "\n", ["hosts.txt: is larger than 1 MiB"]),
    ],
)
def test_a_bad_file_is_one_clear_line(rig, person, tmp_path, content, words):
    node = rig.node("n1")
    hosts = tmp_path / "hosts.txt"
    if content is not None:
        hosts.write_text(content.replace("{node}", node.name))
    result = person.run("drain", "-f", str(hosts))
    assert result.returncode == 2 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr
    assert not node.is_cordoned()


def test_a_terminal_shows_one_line_a_host(rig, person):
    pool(rig, 5)
    rig.pdb("web", max_unavailable=1)
    terminal = person.at_terminal("drain", "-l", of_pool(rig), "--max-unavailable=3")
    assert terminal.end(60) == 0
    frames = terminal.raw.split("\x1b[J")
    assert any("5 hosts: " in frame and "to come" in frame for frame in frames)
    assert all(len(frame.split("\n")) <= 8 for frame in frames[:-1]), "the sum, a line a host that drains, a note"
    assert all(len(line) <= 80 for line in terminal.text.splitlines()), terminal.text
    assert "5 of 5 hosts drained" in terminal.text
