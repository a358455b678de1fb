"""The emulated control plane against the real one: the same scripts, the same answers and outcomes.

The real one is right. All chosen histories run on both at once, some at a time, before the first test compares.
"""

import concurrent.futures
import json
import subprocess
import traceback

import agent_test
import pytest
import world_histories  # noqa: F401: registers its histories
import world_histories_of_reading  # noqa: F401
import world_histories_of_workloads  # noqa: F401
from world_witness import HISTORIES, Witness

from rig import ControlPlane, Process, Rig, WorldPlane, until
from rig.binaries import binary

AT_A_TIME = 6


@pytest.fixture(scope="module")
def planes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planes")
    (folder / "real").mkdir()
    with ControlPlane(folder / "real") as real, WorldPlane(folder / "world") as world:
        yield {"real": real, "world": world}


def _run(name: str, plane, folder) -> list:
    """What the history saw; an exception is the last thing it saw."""
    record: list = []
    try:
        with Rig(plane, folder, name) as rig:
            HISTORIES[name](Witness(rig, record))
    except Exception:
        record.append(("broken off", traceback.format_exc()))
    return record


@pytest.fixture(scope="module")
def records(request, planes, tmp_path_factory):
    """(history, plane) → the record."""
    folder = tmp_path_factory.mktemp("histories")
    mine = [item for item in request.session.items if item.function is test_the_world_behaves_as_the_real_control_plane]
    chosen = {item.callspec.params["name"] for item in mine}
    jobs = [(name, plane) for name in HISTORIES if name in chosen for plane in planes]
    with concurrent.futures.ThreadPoolExecutor(2 * AT_A_TIME) as pool:
        futures = {
            (name, plane): pool.submit(_run, name, planes[plane], folder / plane / name) for name, plane in jobs
        }
        return {key: future.result() for key, future in futures.items()}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", HISTORIES)
def test_the_world_behaves_as_the_real_control_plane(name, records):
    real, world = records[name, "real"], records[name, "world"]
    for record in (real, world):
        assert "broken off" not in dict(record), dict(record)["broken off"]
    assert world == real


def test_a_watch_from_before_what_is_kept_is_expired(tmp_path):
    """Not comparable: a real API server keeps a minute of events, whatever one does."""
    with WorldPlane(tmp_path) as plane:
        kube = plane.kube()
        plane.forget_events(2)
        line = next(kube.watch("pods", "1").iter_lines(chunk_size=None))
        assert json.loads(line) == {
            "type": "ERROR",
            "object": {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": "too old resource version: 1 (2)",
                "reason": "Expired",
                "code": 410,
            },
        }
        kube.close()


# spotkeeper's own executable on the emulated cluster: scenarios of agent_test.py.


@pytest.fixture(scope="module")
def control_plane(planes):
    return planes["world"]


def test_the_agent_drains_an_emulated_node(rig):
    agent_test.test_ordinary_pods_are_moved(rig)


def test_the_agent_respects_an_emulated_budget_until_force(rig):
    agent_test.test_a_closed_budget_holds_its_pod_back_until_force_and_no_longer(rig)


def test_the_agent_meets_a_budget_that_opens(rig):
    agent_test.test_a_budget_that_opens_lets_its_pod_go_at_once(rig)


def test_the_agent_tells_what_it_may_not_do(rig):
    agent_test.test_a_denied_verb_is_named_and_nobody_is_cut_off(rig, "create", "pods/eviction")


def test_the_agent_moves_a_stateful_set(rig):
    node = rig.node("n1")
    spare = rig.node("n2")
    rig.stateful_set("db", replicas=2, on=node, ends_after=1)
    agent = rig.agent(node, rig.imds(node, spot=True, time_in_s=25), agent_test.SHORT)
    rig.until_gone_from(node, "db", at_most=15)
    rig.until_running("db", 2, on=spare)
    result = agent.post_mortem()
    assert (result["moved"], result["untold"]) == (2, 0)


# kubectl


@pytest.fixture
def kubectl(rig):
    def run(*arguments, at_most: float = 20) -> str:
        command = [binary("kubectl"), "--kubeconfig", rig.control_plane.kubeconfig(), "-n", rig.namespace]
        env = {"HOME": str(rig.folder), "PATH": "/usr/bin:/bin"}
        done = subprocess.run([*command, *arguments], env=env, capture_output=True, text=True, timeout=at_most)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    return run


def test_kubectl_looks_around(rig, kubectl):
    node = rig.node("n1")
    rig.deployment("web", replicas=2, on=node)
    rig.pdb("web", max_unavailable=1)
    name = rig.pods("web")[0]["metadata"]["name"]
    assert name in kubectl("get", "pods")
    assert node.name in kubectl("get", "po", name, "-o", "jsonpath={.spec.nodeName}")
    assert "Running" in kubectl("describe", "pod", name)
    assert "web" in kubectl("describe", "node", node.name)
    kubectl("describe", "deployment", "web")
    assert "Allowed disruptions:" in kubectl("describe", "pdb", "web")
    assert "n1" in kubectl("get", "nodes,deploy,rs,pdb", "-o", "name")


def test_kubectl_drains_scales_and_deletes(rig, kubectl):
    node, spare = rig.node("n1"), rig.node("n2")
    rig.daemon_set("shipper")
    rig.deployment("web", replicas=3, on=node)
    rig.pdb("web", max_unavailable=1)
    kubectl("cordon", node.name)
    assert node.is_cordoned()
    kubectl("drain", node.name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=30s", at_most=40)
    assert len(rig.pods("web", on=spare)) == 3
    kubectl("uncordon", node.name)
    kubectl("scale", "deployment/web", "--replicas=1")
    until(lambda: len(rig.pods("web")) == 1, 5, "scaled")
    kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    kubectl("taint", "node", node.name, "a=b:NoSchedule")
    assert node.taint("a")
    kubectl("label", "node", node.name, "x=y")
    assert node.label("x") == "y"
    kubectl("delete", "pod", rig.pods("web")[0]["metadata"]["name"], "--timeout=15s")
    kubectl("delete", "deployment", "web", "--timeout=15s")
    until(lambda: not rig.pods("web"), 5, "swept")


def test_kubectl_watches(rig):
    node = rig.node("n1")
    command = [binary("kubectl"), "--kubeconfig", rig.control_plane.kubeconfig(), "-n", rig.namespace]
    watch = Process("kubectl", [*command, "get", "pods", "-w", "-o", "name"], rig.folder, {"HOME": str(rig.folder)})
    rig.pod("seen", on=node)
    until(lambda: "pod/seen" in watch.output(), 10, "seen by kubectl")
    watch.stop()
