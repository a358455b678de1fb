"""The main job on real parts, live: a Spot notice, a node drained, every step with its reason, and the post-mortem."""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from rig import ControlPlane, Rig
from rig.binaries import MissingBinary, spotkeeper

from . import scenario, verdict
from .screen import Screen
from .timeline import Timeline
from .words import Names

_HEADING = """A real Kubernetes control plane and AWS's own metadata mock run on this machine. AWS takes back host n1:
its {pods} pods have {notice} seconds (in real life 120). spotkeeper's agent hears it, moves them, and says why.
Nothing else is staged. The kubelets are kwok's: pods start and end, but run no containers."""
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BEFORE_S = 3  # from the agent's start to the notice


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo-real", description=__doc__)
    parser.add_argument("--notice", type=int, default=60, metavar="SECONDS", help="length of the notice (AWS: 120)")
    options = parser.parse_args()
    if options.notice < 45:
        parser.error("--notice: at least 45, for the demo's slowest pods")
    for number in _INTERRUPTS:
        signal.signal(number, signal.default_int_handler)
    screen = Screen()
    try:
        spotkeeper()
    except MissingBinary as missing:
        print(f"demo: {missing}", file=sys.stderr)
        return 2
    try:
        return _show(screen, options.notice)
    except BrokenPipeError:  # the reader has seen enough: `make demo-real | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more at exit
        return 1


def _show(screen: Screen, notice: int) -> int:
    screen.line(screen.colour("spotkeeper: a Spot interruption, live", "bold"))
    screen.paragraph(_HEADING.format(pods=sum(app.pods for app in scenario.APPS), notice=notice))
    screen.line()
    screen.line("starting etcd, API server, controllers, scheduler, kubelets … (5 s)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="spotkeeper-demo."))
    try:
        with ControlPlane(folder) as plane, Rig(plane, folder / "demo", scenario.NAMESPACE) as rig:
            try:
                status = _interruption(screen, rig, notice)
            finally:
                _end_at_once(rig)
    except KeyboardInterrupt:
        screen.line("\nstopped, with all that was started")
        status = 130
    except AssertionError as error:  # a part that did not come up in time
        screen.line(screen.colour(f"{error}", "red"))
        status = 2
    if status in (1, 2):
        screen.line(f"The logs of all parts are in {folder}")
    else:
        shutil.rmtree(folder)
    return status


def _end_at_once(rig: Rig) -> None:
    """Nothing is left behind, however often one presses Ctrl-C. An agent that drains would want to finish first."""
    for number in _INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
    for agent in rig.agents:
        agent.kill()


def _interruption(screen: Screen, rig: Rig, notice: int) -> int:
    screen.line("starting nodes n1, n2, n3 and their pods …")
    doomed = scenario.build(rig)
    screen.line("\nOn n1 run:")
    for row in scenario.list_of_pods():
        screen.columns(["", *row], [0, 13, 11])
    imds = rig.imds(doomed, spot=True, time_in_s=notice + _BEFORE_S, after_s=_BEFORE_S)
    began = imds.deadline - notice
    agent = rig.agent(doomed, imds, {"TAINT_NODE": "true", "ENOUGH_GRACE": notice // 2})
    screen.line()
    screen.paragraph(
        f"spotkeeper agent runs on n1. TAINT_NODE=true; ENOUGH_GRACE={notice // 2}: a budget may hold a pod until "
        f"that many seconds of its grace are left (default 60, of a notice of 120). All else is default."
    )
    screen.line()
    timeline = Timeline(screen, rig, doomed, agent, began, imds.deadline)
    timeline.heading()
    timeline.add(began, "AWS", "n1", f"Spot notice: this host ends in {notice} s", "yellow")
    post_mortem = _watch(timeline, rig, doomed, agent, imds.deadline)
    names = Names(rig.namespace, rig.id)
    screen.line()
    if post_mortem is None:
        what = "runs still" if agent.exit_code is None else f"ended with status {agent.exit_code}"
        screen.line(screen.colour(f"The agent {what} and wrote no post-mortem. Its last lines:", "red"))
        screen.line("\n".join(agent.output().splitlines()[-10:]))
    else:
        screen.line(screen.colour("The agent's post-mortem, in seconds since it heard the notice:", "bold"))
        verdict.table(screen, post_mortem, names)
    return _close(screen, rig, doomed, imds.deadline, post_mortem, names)


def _watch(timeline: Timeline, rig: Rig, doomed, agent, deadline: float) -> dict | None:
    """Shows what happens until the agent is done and every app runs elsewhere; None: there was no post-mortem."""
    while True:
        timeline.look()
        reports = [line for line in agent.log_lines() if line.get("message") == "post-mortem"]
        over = time.time() > deadline + 2 or agent.exit_code is not None
        if over or (reports and all(_replaced(rig, doomed, app) for app in scenario.MOVING)):
            timeline.look(all_of_it=True)
            return reports[-1] if reports else None
        time.sleep(0.05)


def _replaced(rig: Rig, doomed, app: scenario.App) -> bool:
    stories = [s for s in rig.history.pods(app.name) if s.node != doomed.name and not s.told_at]
    return sum(bool(s.ready_at) for s in stories) >= app.pods


def _close(screen: Screen, rig: Rig, doomed, deadline: float, post_mortem: dict | None, names: Names) -> int:
    seen = verdict.of_the_cluster(rig, doomed, deadline)
    moving = sum(app.pods for app in scenario.MOVING)
    screen.line()
    if seen.cut_off or not post_mortem or post_mortem["untold"]:
        who = ", ".join(names.short(name) for name in seen.cut_off) or "none by the API's records"
        screen.paragraph(f"{len(seen.cut_off)} pods cut off, not told before the host ended: {who}. That is a defect.")
        return 1
    requests = len(rig.api_requests(user=rig.agents[0].user))
    last = max(s.gone_at for s in rig.history.pods(node=doomed.name) if s.gone_at)
    screen.paragraph(
        f"0 pods cut off: by the API's own records all {moving} pods were told in time, and {seen.left} had ended "
        f"{deadline - last:.0f} s before the host or earlier. Budgets overruled: {post_mortem['overruled']}, at the "
        f"last moment that left its pod the grace it needs. The agent made {requests} API requests."
    )
    return 0
