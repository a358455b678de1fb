"""one ECS host, three services and two standalone tasks, stopTimeout 30, 60 and 120 s, a notice of 120 s

The rig's model of ECS (test/rig/aws) moves what DRAINING moves. The same host twice, side by side: with the agent, and
with the ECS agent's ECS_ENABLE_SPOT_INSTANCE_DRAINING alone. A task is untold that was sent no SIGTERM before its host
ended.
"""

import contextlib
import pathlib
import tempfile
import time

from ecs_host import crowded, sleep_to, start, told_before_end
from rig.aws.ecs_rig import EcsRig

from .context import Context, Result
from .figure import Figure

NAME = "ecs"


def measure(context: Context) -> Result:
    notice, stop_timeouts = (20, (3, 6, 20)) if context.quick else (120, (30, 60, 120))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with_agent, without = (stack.enter_context(EcsRig(_made(folder / name))) for name in ("agent", "own-way"))
        ours, our_tasks, _ = crowded(with_agent, stop_timeouts)
        theirs, their_tasks, _ = crowded(without, stop_timeouts)
        our_imds, their_imds = with_agent.imds(ours), without.imds(theirs)
        agent = start(with_agent, ours, our_imds)
        without.agent(theirs, imds=their_imds, drains=True)
        began = time.time()
        sleep_to(began + 5)
        idle = agent.rss_mb()
        for imds in (our_imds, their_imds):
            imds.announce(spot=True, time_in_s=notice)
        sleep_to(our_imds.deadline - 0.5)
        peak, cpu = agent.peak_rss_mb(), agent.cpu_s()
        sleep_to(max(our_imds.deadline, their_imds.deadline))
        calls = sum(call.at >= began for call in with_agent.aws.calls)
        with_agent.end_host(ours)
        without.end_host(theirs)
        untold = sum(task.untold for task in our_tasks)
        told = [f"{task.definition.family} {told_before_end(task, our_imds.deadline):.0f} s" for task in our_tasks if task.told_at]
        figures = [
            Figure("tasks untold at the host's end, of 5", [untold], "", 0, "worst"),
            Figure("… the ECS agent's own way", [sum(task.untold for task in their_tasks)], "", None),
            Figure("AWS calls of the drain", [calls], "", None),
            Figure("memory (RSS), waiting", [idle], "MB", 10),
            Figure("… its peak", [peak], "MB", 14),
            Figure("CPU time of the process", [cpu], "s", None),
        ]
    return Result(figures, [f"told before the end: {', '.join(told)}"])


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir()
    return folder
