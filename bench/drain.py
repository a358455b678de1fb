"""one node, eight pods, three of them behind budgets that allow nothing, a notice of 120 s

Told: the deletion was written at least min(grace, 10 s) before the host's end, by the times of a watch of our own.
Three such drains run side by side, each on a node of its own with an agent of its own.
"""

import contextlib

from rig import Agent, Imds, Rig, until

from .context import Context, Result
from .figure import Figure

NAME = "drain"
_REQUESTS_BAR, _LATER_BAR = 60, 40


def measure(context: Context) -> Result:
    notice = 45 if context.quick else 120
    with contextlib.ExitStack() as stack:
        runs = [_begin(stack.enter_context(context.rig("drain")), notice) for _ in range(1 if context.quick else 3)]
        for _, agent, _ in runs:
            agent.post_mortem(at_most=notice + 10)
        for rig, _, imds in runs:
            until(lambda: _all_told(rig) or imds.seconds_left() < 0, notice, "the end")
        tables = [rig.api_table(user=agent.user) for rig, agent, _ in runs]
        untold = [_untold(rig, imds) for rig, _, imds in runs]
        untold_by_agent = [agent.post_mortem()["untold"] for _, agent, _ in runs]
        figures = [
            Figure("pods untold at the deadline, of 8", untold, "", 0, "worst"),
            Figure("the same by the agent's own post-mortem", untold_by_agent, "", 0, "worst"),
            Figure("time from told to the host's end, of the last told", [_least(r, i) for r, _, i in runs], "s", None),
            Figure("API requests, the agent's start included", [t.total() for t in tables], "", _REQUESTS_BAR, "worst"),
            Figure("memory (RSS) after the drain", [agent.rss_mb() for _, agent, _ in runs], "MB", 14),
            Figure("its peak", [agent.peak_rss_mb() for _, agent, _ in runs], "MB", None),
        ]
    notes = [f"requests of the first run: {_counted(tables[0])} (a later bar, of design.md, is {_LATER_BAR})"]
    if context.quick:
        notes.append(f"--quick: a notice of {notice} s, one run")
    return Result(figures, notes)


def _begin(rig: Rig, notice: int) -> tuple[Rig, Agent, Imds]:
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", replicas=3, on=node)
    rig.deployment("api", replicas=2, on=node)
    for name in ("shy-1", "shy-2", "shy-3"):
        rig.deployment(name, on=node)
        rig.pdb(name, max_unavailable=0)
    imds = rig.imds(node, spot=True, time_in_s=notice + 3, after_s=3)
    return rig, rig.agent(node, imds, {"TAINT_NODE": "true"}), imds


def _doomed(rig: Rig) -> list:
    stories = rig.history.pods(node=rig.nodes[0].name)
    assert len(stories) == 8, stories
    return stories


def _all_told(rig: Rig) -> bool:
    return all(story.told_at for story in _doomed(rig))


def _untold(rig: Rig, imds: Imds) -> int:
    def in_time(story) -> bool:
        least = min(story.last["spec"]["terminationGracePeriodSeconds"], 10)
        return bool(story.told_at) and imds.deadline - story.told_at >= least

    return sum(not in_time(story) for story in _doomed(rig))


def _least(rig: Rig, imds: Imds) -> float:
    return imds.deadline - max(story.told_at or imds.deadline for story in _doomed(rig))


def _counted(table: dict) -> str:
    return ", ".join(f"{count} {verb} {what} {code}" for (verb, what, code), count in sorted(table.items()))
