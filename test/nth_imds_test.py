"""aws-node-termination-handler's own end-to-end tests of IMDS mode, told again for our agent.

The first part has one test for each of NTH's scripts, under its name, with the same options and the same assertions.
The second shows what we do where NTH has a defect, and what is beside it. The scripts about webhook, metrics and
Kubernetes events are not here.
"""

import subprocess
import time

import pytest

from rig import stays, until
from rig.binaries import spotkeeper
from rig.imds import Imds, rfc3339
from rig.node import STATE

PREFIX = "aws-node-termination-handler/"
SPOT_ITN, MAINTENANCE = PREFIX + "spot-itn", PREFIX + "scheduled-maintenance"
ASG, REBALANCE = PREFIX + "asg-lifecycle-termination", PREFIX + "rebalance-recommendation"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
OFF = {"ENABLE_SPOT_INTERRUPTION_DRAINING": "false", "ENABLE_SCHEDULED_EVENT_DRAINING": "false"}
EVENTS = {"command": "events"}
DRY_RUN_WORDS = "would have been cordoned and drained"


class Scene:
    """A node with one pod of a Deployment, as in NTH's tests, and a metadata service."""

    def __init__(self, rig, **notice):
        self.rig = rig
        self.node = rig.node("worker")
        self.app = rig.deployment("regular-pod-test", on=self.node)
        self.imds = rig.imds(self.node, **notice)

    def handler(self, env, **more):
        return self.rig.agent(self.node, self.imds, env, **more)

    def until_cordoned(self, taint=None):
        until(self.node.is_cordoned, 15, "node cordoned")
        if taint:
            until(lambda: self.node.taint(taint), 5, f"node tainted {taint}")

    def until_evicted(self):
        self.rig.until_gone_from(self.node, self.app, at_most=30)

    def never_evicted(self, for_s=4):
        stays(lambda: len(self.node.pods(self.app)) == 1, for_s, "pod not evicted")
        assert self.rig.history.pods(self.app)[0].told_at is None


# NTH's scripts


def test_asg_lifecycle_imds(rig):
    scene = Scene(rig, command="asglifecycle")
    rig.node("spare")  # replacements have two minutes, too, and here is where they may come
    agent = scene.handler(OFF | {"TAINT_NODE": "true", "ENABLE_ASG_LIFECYCLE_DRAINING": "true"})
    scene.until_cordoned(ASG)
    scene.until_evicted()
    # NTH finds another event at every poll, and drains and posts again every 2 s.
    stays(lambda: len(agent.steps("notice")) == 1, 6, "one notice")


def test_cordon_only(rig):
    scene = Scene(rig, spot=True)
    scene.handler({"CORDON_ONLY": "true"})
    scene.until_cordoned()
    scene.never_evicted()


def test_imds_v2(rig):
    scene = Scene(rig, spot=True, time_in_s=30, v2_only=True)
    scene.handler({"ENABLE_SPOT_INTERRUPTION_DRAINING": "true", "ENABLE_SCHEDULED_EVENT_DRAINING": "true"})
    scene.until_cordoned()
    scene.until_evicted()


def test_maintenance_event_cancellation(rig):
    scene = Scene(rig, **EVENTS)
    agent = scene.handler({"TAINT_NODE": "true", "ENABLE_SPOT_INTERRUPTION_DRAINING": "false"})
    scene.until_cordoned(MAINTENANCE)
    scene.until_evicted()
    scene.imds.announce(**EVENTS, arguments=("--state=canceled",))
    until(lambda: not scene.node.is_cordoned(), 20, "node uncordoned")
    assert scene.node.taint(MAINTENANCE) is None and scene.node.annotation(STATE) is None
    assert not [key for key in scene.node.object()["metadata"]["labels"] if key.startswith(PREFIX)]
    rig.until_running(scene.app, 1, on=scene.node)
    # NTH uncordons again at every poll for as long as the cancelled event is listed.
    stays(lambda: len(agent.steps("undone")) == 1, 6, "taken back once")


def test_maintenance_event_dry_run(rig):
    scene = Scene(rig, **EVENTS)
    agent = scene.handler({"DRY_RUN": "true", "ENABLE_SPOT_INTERRUPTION_DRAINING": "false"})
    agent.wait_for_log(DRY_RUN_WORDS, at_most=20)
    assert not scene.node.is_cordoned()
    scene.never_evicted(2)


def test_maintenance_event_reboot(rig):
    scene = Scene(rig, **EVENTS)
    env = {"TAINT_NODE": "true", "ENABLE_SPOT_INTERRUPTION_DRAINING": "false"}
    agent = scene.handler(env)
    scene.until_cordoned(MAINTENANCE)
    assert scene.node.label(PREFIX + "event-id").startswith("instance-event-")
    assert scene.node.label(PREFIX + "action") == "UncordonAfterReboot"
    marked = int(scene.node.label(PREFIX + "action-time"))
    scene.until_evicted()
    agent.kill()
    scene.imds.stop()
    until(lambda: time.time() > marked + 6, 10, "a boot after the mark")
    uptime = rig.folder / "uptime"
    uptime.write_text("5.01 10000")
    served = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": "0"}
    agent = scene.handler(env | served | {"UPTIME_FROM_FILE": uptime})
    until(lambda: not scene.node.is_cordoned(), 15, "node uncordoned")
    assert scene.node.taint(MAINTENANCE) is None
    assert scene.node.label(PREFIX + "action") is None
    counted = 'actions_total{node_action="uncordon",node_status="success"'
    until(lambda: any(name.startswith(counted) for name in agent.metrics()), 5, "the uncordon counted, as NTH does")
    rig.until_running(scene.app, 1, on=scene.node)


def test_maintenance_event(rig):
    scene = Scene(rig, **EVENTS)
    scene.handler({"TAINT_NODE": "true", "ENABLE_SPOT_INTERRUPTION_DRAINING": "false"})
    scene.until_cordoned(MAINTENANCE)
    scene.until_evicted()


def test_rebalance_recommendation_drain(rig):
    scene = Scene(rig, rebalance=True)
    scene.handler(OFF | {"ENABLE_REBALANCE_DRAINING": "true", "TAINT_NODE": "true"})
    scene.until_cordoned(REBALANCE)
    scene.until_evicted()


def test_rebalance_recommendation_dry_run(rig):
    scene = Scene(rig, rebalance=True)
    agent = scene.handler(OFF | {"ENABLE_REBALANCE_DRAINING": "true", "TAINT_NODE": "true", "DRY_RUN": "true"})
    agent.wait_for_log(DRY_RUN_WORDS, at_most=20)
    assert not scene.node.is_cordoned()


def test_rebalance_recommendation(rig):
    """In NTH the success of the cordon may mark the interruption as done that follows."""
    scene = Scene(rig, rebalance=True)
    scene.handler({"ENABLE_REBALANCE_MONITORING": "true", "TAINT_NODE": "true"})
    scene.until_cordoned(REBALANCE)
    scene.never_evicted()
    scene.imds.announce(spot=True, rebalance=True, time_in_s=30)
    until(lambda: scene.node.taint(SPOT_ITN), 10, "tainted for the interruption")
    scene.until_evicted()


def test_spot_interruption_dry_run(rig):
    scene = Scene(rig, spot=True)
    agent = scene.handler({"DRY_RUN": "true"})
    agent.wait_for_log(DRY_RUN_WORDS, at_most=20)
    assert not scene.node.is_cordoned()


def test_spot_interruption(rig):
    scene = Scene(rig, spot=True, time_in_s=30)
    scene.handler({"TAINT_NODE": "true", "ENABLE_OUT_OF_SERVICE_TAINT": "true"})
    scene.until_cordoned(SPOT_ITN)
    scene.until_evicted()
    until(lambda: scene.node.taint(OUT_OF_SERVICE), 40, "tainted out-of-service")


def test_spot_interruption_test_host_networking_off(rig):
    """There is no network of a pod's own on the rig: the same options and assertions."""
    scene = Scene(rig, spot=True, time_in_s=30)
    scene.handler({"TAINT_NODE": "true"})
    scene.until_cordoned(SPOT_ITN)
    scene.until_evicted()


# NTH's defects


def test_with_the_api_server_cache_pods_are_evicted_all_the_same(rig):
    """NTH lists no pod then, evicts nobody, and says that the node is drained."""
    scene = Scene(rig, spot=True, time_in_s=30)
    agent = scene.handler({"USE_APISERVER_CACHE": "true"})
    scene.until_evicted()
    agent.wait_for_log("--use-apiserver-cache: without effect here")


def test_an_event_that_has_not_rebooted_the_host_is_not_forgotten_by_a_restart(rig):
    """NTH ignores the event for the whole life of the new process."""
    scene = Scene(rig, **EVENTS)
    rig.pdb(scene.app, max_unavailable=0)
    env = {"ENABLE_SPOT_INTERRUPTION_DRAINING": "false"}
    agent = scene.handler(env)
    scene.until_cordoned()
    agent.kill()
    scene.handler(env)
    stays(scene.node.is_cordoned, 3, "still cordoned")
    rig.kube.delete("poddisruptionbudgets", scene.app)
    scene.until_evicted()


def test_an_event_whose_time_has_come_is_drained_for_under_budgets(rig):
    scene = Scene(rig, **EVENTS)
    rig.pdb(scene.app, max_unavailable=0)
    scene.handler({"ENABLE_SPOT_INTERRUPTION_DRAINING": "false"})
    scene.until_cordoned()
    scene.never_evicted()


def test_what_ends_the_host_at_a_known_time_leaves_nobody_untold(rig):
    """NTH retries to the end, and the host goes down with the pod on it."""
    not_before = time.time() + 30
    scene = Scene(rig, **EVENTS, arguments=("--code=instance-stop", f"--not-before={rfc3339(not_before)}"))
    rig.pdb(scene.app, max_unavailable=0)
    scene.handler({"ENABLE_SPOT_INTERRUPTION_DRAINING": "false", "ENOUGH_GRACE": 8})
    scene.until_cordoned()
    story = rig.told(scene.app, at_most=35)
    assert 7 <= not_before - story.told_at <= 16


def test_an_event_that_was_cancelled_while_nobody_listened_is_taken_back(rig):
    """NTH undoes only events that the same process has heard of."""
    scene = Scene(rig, **EVENTS)
    env = {"TAINT_NODE": "true", "ENABLE_SPOT_INTERRUPTION_DRAINING": "false"}
    agent = scene.handler(env)
    scene.until_cordoned(MAINTENANCE)
    scene.until_evicted()
    agent.kill()
    scene.imds.announce(**EVENTS, arguments=("--state=canceled",))
    scene.handler(env)
    until(lambda: not scene.node.is_cordoned(), 15, "node uncordoned")
    assert scene.node.taint(MAINTENANCE) is None


def test_told_to_end_it_does_not_wait_for_maintenance_that_may_take_days(rig):
    scene = Scene(rig, **EVENTS)
    rig.pdb(scene.app, max_unavailable=0)
    agent = scene.handler({"ENABLE_SPOT_INTERRUPTION_DRAINING": "false"})
    until(lambda: agent.steps("held"), 15, "held by its budget")
    assert agent.terminate(at_most=10) == 0
    assert scene.node.is_cordoned() and scene.node.annotation(STATE)


@pytest.mark.parametrize("kind", ["labels of NTH", "foreign cordon"])
def test_only_a_cordon_that_says_so_is_undone_after_a_reboot(rig, kind):
    node = rig.node("worker")
    labels = {PREFIX + "event-id": "instance-event-1"}
    if kind == "labels of NTH":
        labels |= {PREFIX + "action": "UncordonAfterReboot", PREFIX + "action-time": str(int(time.time()) - 60)}
    rig.kube.patch("nodes", node.name, {"metadata": {"labels": labels}})
    node.cordon()
    node.add_taint(MAINTENANCE, "instance-event-1")
    uptime = rig.folder / "uptime"
    uptime.write_text("5.01 10000")
    agent = rig.agent(node, rig.imds(node), {"TAINT_NODE": "true", "UPTIME_FROM_FILE": uptime})
    if kind == "labels of NTH":
        until(lambda: not node.is_cordoned(), 10, "node uncordoned")
        assert node.taint(MAINTENANCE) is None and node.label(PREFIX + "event-id") is None
    else:
        agent.wait_for_message("node found")
        stays(node.is_cordoned, 2, "somebody else's cordon")


# Beside NTH


def test_a_hibernation_leaves_no_two_minutes(rig):
    scene = Scene(rig, spot=True, action="hibernate")
    rig.pdb(scene.app, max_unavailable=0)
    scene.handler({})
    begin = time.time()
    story = rig.told(scene.app, at_most=8)
    assert story.told_at - begin < 8 and story.grace <= 10
    scene.until_evicted()
    scene.imds.announce()  # it has woken up
    until(lambda: not scene.node.is_cordoned(), 10, "node uncordoned")


def test_a_stopped_instance_that_starts_again_is_uncordoned(rig):
    scene = Scene(rig, spot=True, action="stop", time_in_s=6)
    agent = scene.handler({"ENOUGH_GRACE": 1})
    scene.until_evicted()
    until(lambda: scene.imds.seconds_left() < -1, 12, "stopped")
    agent.kill()
    scene.imds.announce()
    uptime = rig.folder / "uptime"
    uptime.write_text("1.5 2.0")
    scene.handler({"UPTIME_FROM_FILE": uptime})
    until(lambda: not scene.node.is_cordoned(), 10, "node uncordoned")
    rig.until_running(scene.app, 1, on=scene.node)


def test_a_recommendation_that_comes_to_nothing_is_taken_back(rig):
    scene = Scene(rig, rebalance=True)
    scene.handler({"ENABLE_REBALANCE_MONITORING": "true", "REBALANCE_TRUST": "8s"})
    scene.until_cordoned()
    until(lambda: not scene.node.is_cordoned(), 20, "uncordoned")
    assert scene.node.annotation(STATE) is None


def test_a_soft_signal_moves_only_what_needs_longer_and_clears_itself(rig):
    scene = Scene(rig)
    rig.deployment("slow", on=scene.node, grace=600)
    spare = rig.node("spare")
    scene.imds.announce(rebalance=True)
    scene.handler({"ENABLE_REBALANCE_SOFT_SIGNAL": "true", "REBALANCE_TRUST": "15s"})
    until(lambda: scene.node.taint(REBALANCE), 10, "tainted")
    assert scene.node.taint(REBALANCE)["effect"] == "PreferNoSchedule"
    rig.until_gone_from(scene.node, "slow")
    rig.until_running("slow", 1, on=spare)
    assert len(scene.node.pods(scene.app)) == 1 and not scene.node.is_cordoned()
    until(lambda: not scene.node.taint(REBALANCE), 25, "taint cleared")
    assert scene.node.annotation(STATE) is None and not scene.node.is_cordoned()


def test_after_a_soft_signal_an_interruption_drains(rig):
    scene = Scene(rig, rebalance=True)
    scene.handler({"ENABLE_REBALANCE_SOFT_SIGNAL": "true"})
    until(lambda: scene.node.taint(REBALANCE), 10, "tainted")
    scene.imds.announce(spot=True, rebalance=True, time_in_s=30)
    scene.until_cordoned()
    scene.until_evicted()


@pytest.mark.parametrize("life", ["spot", "on-demand"])
def test_a_node_says_what_it_is(rig, life):
    node = rig.node("worker")
    imds = Imds(rig.folder, "life", values={"instance-life-cycle": life})
    try:
        rig.agent(node, imds, {"LIFECYCLE_LABEL": "lifecycle", "TAINT_SPOT_NODES": "true"})
        until(lambda: node.label("lifecycle"), 10, "labelled")
        assert node.label("lifecycle") == ("Ec2Spot" if life == "spot" else "OnDemand")
        taint = node.taint("spotInstance")
        assert (taint and taint["effect"]) == ("PreferNoSchedule" if life == "spot" else None)
    finally:
        imds.stop()


def run(*arguments, env=None):
    done = subprocess.run([spotkeeper(), *arguments], env=env or {}, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def test_started_as_nth_is_it_is_the_agent():
    """With a flag, or with NODE_NAME alone: it gets so far as to look for its cluster."""
    for arguments, env in [(["--node-name", "x"], {}), (["-node-name=x"], {}), ([], {"NODE_NAME": "x"})]:
        code, said = run(*arguments, env=env)
        assert code == 2 and said.startswith("spotkeeper agent: "), said
        assert "KUBERNETES_SERVICE_HOST" in said


def test_started_without_anything_it_says_how_it_is_used():
    code, said = run()
    assert code == 2 and "Usage:" in said


def test_queue_mode_without_a_queue_is_refused_in_one_line():
    code, said = run(env={"NODE_NAME": "x", "ENABLE_SQS_TERMINATION_DRAINING": "true"})
    assert code == 2 and "QUEUE_URL" in said and said.count("\n") == 1


@pytest.mark.parametrize("name, value", [("HEARTBEAT_INTERVAL", "30"), ("HEARTBEAT_UNTIL", "60")])
def test_heartbeats_are_refused_on_the_node_in_one_line(name, value):
    code, said = run(env={"NODE_NAME": "x", name: value})
    assert code == 2 and name in said and said.count("\n") == 1


def test_the_configuration_is_said_at_the_start(rig):
    scene = Scene(rig)
    agent = scene.handler({"GRACE_PERIOD": "7", "QUEUE_URL": "http://x", "MANAGED_TAG": "t", "WORKERS": "3"})
    said = agent.wait_for_message("configuration")
    assert (said["node-name"], said["cordon-only"]) == (scene.node.name, "false")
    assert said["pod-termination-grace-period"] == "7"
    agent.wait_for_log("--queue-url, --managed-tag: for queue mode only")
    agent.wait_for_log("--grace-period (GRACE_PERIOD) is deprecated")
    plain = rig.agent(scene.node, scene.imds, {"JSON_LOGGING": "false"})
    plain.wait_for_log(f"node-name: {scene.node.name}")
