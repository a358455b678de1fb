"""`spotkeeper plan` and `spotkeeper drain`, as a person uses them from a laptop with a kubeconfig."""

import json
import subprocess

import pytest
import yaml

from rig import until
from rig.agent import check_post_mortem
from rig.objects import RIG
from rig.person import Person


@pytest.fixture
def cluster(rig):
    """Two nodes; on n1 a pod that may go, one behind a closed budget, and one that nobody owns."""
    node = rig.node("n1", labels={"lifecycle": "Ec2Spot"})
    rig.node("n2")
    rig.deployment("web", on=node)
    rig.deployment("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    rig.pod("alone", on=node)
    rig.service("web")
    return node


def by_app(document: dict) -> dict:
    return {pod["pod"].split("/")[1].split("-")[0]: pod for pod in document["pods"]}


@pytest.mark.parametrize("by", ["name", "instance", "kubectl"])
def test_a_plan_shows_when_how_and_what_is_in_the_way(rig, cluster, person, by):
    host = {"name": cluster.name, "instance": cluster.instance_id, "kubectl": f"node/{cluster.name}"}[by]
    result = person.run("plan", host)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert cluster.name in lines[0] and cluster.instance_id in lines[0]
    assert lines[1].split() == ["POD", "OWNER", "MODE", "EARLIEST", "LATEST", "GRACE", "IN", "THE", "WAY"]
    shy = next(line for line in lines if "/shy-" in line)
    assert "ReplicaSet/shy-" in shy and "now" in shy and "+87s" in shy and "allows no disruption" in shy
    alone = next(line for line in lines if "/alone" in line)
    assert " none " in alone and "nothing starts it again" in alone
    assert not cluster.is_cordoned()


def test_a_plan_for_programs(rig, cluster, person):
    document = json.loads(person.run("plan", cluster.name, "-o", "json", "--deadline", "60s").stdout)
    assert document["schema"] == "spotkeeper.io/plan/v1" and document["node"] == cluster.name
    pods = by_app(document)
    assert pods["shy"]["mode"] == "hand-over" and pods["shy"]["grace_s"] == 30
    assert pods["alone"]["mode"] == "at-once"
    assert "budget" in pods["shy"]["in_the_way"][0]
    same = yaml.safe_load(person.run("plan", cluster.name, "-o", "yaml", "--deadline", "60s").stdout)
    assert [p["pod"] for p in same["pods"]] == [p["pod"] for p in document["pods"]]
    assert pods["shy"]["latest"] < document["deadline"]


def test_without_a_deadline_there_is_no_last_moment(cluster, person):
    pods = by_app(json.loads(person.run("plan", cluster.name, "-ojson", "--deadline=none").stdout))
    assert all(pod["latest"] is None for pod in pods.values())


def test_a_selector_plans_every_node_it_selects(rig, cluster, person):
    document = json.loads(person.run("plan", "-l", f"lifecycle=Ec2Spot,{RIG}={rig.id}", "-o", "json").stdout)
    assert document["node"] == cluster.name


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["plan", "no-such-node"], ["no-such-node", "no node", "kubectl get nodes"]),
        (["drain", "i-0123456789abcdef0"], ["i-0123456789abcdef0", "no node"]),
        (["plan", "-l", "no=such"], ["--selector no=such", "--show-labels"]),
        (["plan", "-l", "a in (b"], ["400"]),
    ],
)
def test_a_host_that_is_not_there_is_one_clear_line(person, arguments, words):
    result = person.run(*arguments)
    assert result.returncode in (1, 2) and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr


def test_a_dry_run_changes_nothing(rig, cluster, person):
    result = person.run("drain", cluster.name, "--deadline", "30s", "--dry-run")
    assert result.returncode == 0 and "plan of" in result.stdout
    assert not cluster.is_cordoned() and cluster.annotation() is None
    assert all(not story.told_at for story in rig.history.pods(node=cluster.name))


def test_a_drain_with_a_deadline_overrules_at_the_last_moment(rig, cluster, person):
    rig.stateful_set("db", on=cluster)
    rig.pdb("db", max_unavailable=0)
    result = person.run("drain", cluster.name, "--deadline", "20s", "--enough-grace", "8")
    assert result.returncode == 0, result.stdout + result.stderr
    summary = "4 moved (1 once a replacement was Ready), 0 still ending, 0 untold, 0 stay; 1 overruled a budget"
    assert "overruled budget" in result.stdout and summary in result.stdout, result.stdout
    assert "\x1b[" not in result.stdout, "no colour and no cursor in a pipe"
    lines = result.stdout.splitlines()
    assert any("asked: " in line and "/web-" in line for line in lines), "progress, line by line"
    told = rig.told("db")
    assert told.told_at - rig.told("web").told_at > 5, "its budget held it for a while"
    assert cluster.is_cordoned() and json.loads(cluster.annotation())["notice"]["kind"] == "Manual"


def test_the_post_mortem_as_a_document_and_progress_beside_it(rig, cluster, person):
    result = person.run("drain", cluster.instance_id, "--deadline", "20s", "--enough-grace", "8", "-o", "json")
    assert result.returncode == 0, result.stderr
    document = check_post_mortem(json.loads(result.stdout))
    assert document["schema"] == "spotkeeper.io/post-mortem/v1" and document["moved"] == 3
    assert document["services"][0]["service"].endswith("/web")
    assert document["services"][0]["still_without"] is False
    assert "told: " in result.stderr


def test_a_withdrawn_drain_without_a_deadline_as_yaml(rig, cluster, person):
    result = person.run("drain", cluster.name, "--timeout", "3s", "-o", "yaml")
    document = check_post_mortem(yaml.safe_load(result.stdout))
    assert document["withdrawn"] is True and document["deadline"] is None
    assert by_app(document)["shy"]["outcome"] == "stays"


def test_a_drain_without_a_deadline_respects_budgets_until_its_timeout(rig, cluster, person):
    result = person.run("drain", cluster.name, "--timeout", "8s")
    assert result.returncode == 1
    assert "2 moved" in result.stdout and "left alone: the drain was withdrawn" in result.stdout
    assert not rig.history.pods("shy")[0].told_at
    assert cluster.is_cordoned(), "what is marked stays marked"
    undone = person.run("drain", "--undo", cluster.name)
    assert undone.returncode == 0 and "uncordoned" in undone.stdout
    assert not cluster.is_cordoned() and cluster.annotation() is None
    again = person.run("drain", "--undo", cluster.name)
    assert again.returncode == 0 and "bears no mark of ours" in again.stdout


def test_a_foreign_cordon_is_not_undone(rig, cluster, person):
    cluster.cordon()
    assert person.run("drain", cluster.name, "--timeout", "3s").returncode == 1
    assert "stays cordoned" in person.run("drain", "--undo", cluster.name).stdout
    assert cluster.is_cordoned()


@pytest.mark.parametrize("answer, cordoned", [("u", False), ("l", True)])
def test_at_ctrl_c_a_person_is_asked_and_nothing_is_half_done(rig, cluster, person, answer, cordoned):
    terminal = person.at_terminal("drain", cluster.name)
    terminal.wait_for("waits budget")
    terminal.press("\x03")
    terminal.wait_for("[u/l/c]?")
    rig.kube.patch("poddisruptionbudgets", "shy", {"spec": {"maxUnavailable": 1}})
    terminal.press("c\n")
    rig.until_gone_from(cluster, "shy", at_most=15)
    assert terminal.end() == 0, "it went on to the end"
    # Once more, to its end.
    assert person.run("drain", "--undo", cluster.name).returncode == 0
    rig.deployment("slow", on=cluster)
    rig.pdb("slow", max_unavailable=0)
    terminal = person.at_terminal("drain", cluster.name)
    terminal.wait_for("waits budget")
    terminal.press("\x03")
    terminal.wait_for("[u/l/c]?")
    terminal.press(f"{answer}\n")
    assert terminal.end() == 130
    assert cluster.is_cordoned() is cordoned
    assert (cluster.annotation() is not None) is cordoned
    assert not rig.history.pods("slow")[0].told_at
    assert "POD" in terminal.text, "the post-mortem is shown in any case"


def test_a_second_ctrl_c_leaves_everything_as_it_is(rig, cluster, person):
    terminal = person.at_terminal("drain", cluster.name)
    terminal.wait_for("waits budget")
    terminal.press("\x03")
    terminal.wait_for("[u/l/c]?")
    terminal.press("\x03")
    assert terminal.end() == 130
    assert cluster.is_cordoned()


def test_a_terminal_shows_a_board_that_fits(rig, cluster, person):
    rig.stateful_set("kept", on=cluster)
    rig.pdb("kept", max_unavailable=0)
    terminal = person.at_terminal("drain", cluster.name, "--deadline", "25s", "--enough-grace", "8")
    assert terminal.end(60) == 0
    assert "\x1b[" in terminal.raw and "░" in terminal.raw
    assert all(len(line) <= 80 for line in terminal.text.splitlines()), terminal.text
    assert "4 moved" in terminal.text


def test_no_colour_where_it_is_not_wanted(rig, cluster, person):
    terminal = person.at_terminal("drain", cluster.name, "--timeout", "3s", env={"NO_COLOR": "1"})
    terminal.end()
    assert "\x1b[3" not in terminal.raw and "\x1b[2m" not in terminal.raw


def test_sigterm_without_a_terminal_leaves_the_mark_and_ends(rig, cluster, person):
    process = person.start("drain", cluster.name)
    until(cluster.is_cordoned, 10, "cordoned")
    process.terminate()
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert cluster.is_cordoned() and "withdrawn" in output


def test_on_interrupt_undo_needs_no_terminal(rig, cluster, person):
    process = person.start("drain", cluster.name, "--on-interrupt", "undo")
    until(cluster.is_cordoned, 10, "cordoned")
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert not cluster.is_cordoned()


def test_a_person_with_too_few_rights_is_told_which(rig, cluster):
    account = rig.account("few", without=[("create", "pods/eviction"), ("list", "poddisruptionbudgets")])
    with Person(rig.control_plane.kubeconfig(account.user, account.token)) as person:
        result = person.run("drain", cluster.name, "--deadline", "20s", "--enough-grace", "8")
    assert "missing right pods/eviction create" in result.stderr
    assert 'resources: ["pods/eviction"], verbs: ["create"]' in result.stderr
    assert "missing right poddisruptionbudgets list" in result.stderr
    assert result.returncode == 0, result.stdout


def test_completion_knows_commands_flags_values_and_nodes(rig, cluster, person):
    def complete(*words: str) -> list[str]:
        return person.run("__complete", *words).stdout.split()

    assert complete("pl") == ["plan"]
    assert "--deadline" in complete("drain", "--de")
    assert complete("drain", "-o", "") == ["table", "json", "yaml"]
    assert complete("drain", "--on-interrupt", "u") == ["undo"]
    assert cluster.name in complete("plan", "n1")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(person, shell):
    result = person.run("completion", shell)
    assert result.returncode == 0 and "__complete" in result.stdout


def test_bash_completes(person):
    script = f"source <({person.binary} completion bash); COMP_WORDS=(spotkeeper dr); COMP_CWORD=1; _spotkeeper; echo ${{COMPREPLY[@]}}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=person.path_env, timeout=10)
    assert result.stdout.strip() == "drain", result.stderr
