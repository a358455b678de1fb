"""The end of the demo: the agent's post-mortem as a table, and what the API's own records say about it."""

import dataclasses

from rig import Node, Rig

from .scenario import STAYS
from .screen import Screen
from .words import Names

_COLOURS = {"moved": "green", "ending": "yellow", "untold": "red", "stays": "dim"}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Of the pods that had to leave: how many the cluster saw leave in time, and the names of those cut off."""

    left: int
    cut_off: list[str]


def of_the_cluster(rig: Rig, doomed: Node, deadline: float) -> Verdict:
    """From the API's records, not from the agent: told is a deletion min(grace, 10 s) before the host's end."""
    stories = [s for s in rig.history.pods(node=doomed.name) if s.app != STAYS]
    cut_off = []
    for story in stories:
        latest = deadline - min(story.last["spec"]["terminationGracePeriodSeconds"], 10)
        if story.told_at is None or story.told_at > latest:
            cut_off.append(story.name)
    left = sum(bool(s.gone_at and s.gone_at <= deadline) for s in stories)
    return Verdict(left, cut_off)


def table(screen: Screen, post_mortem: dict, names: Names) -> None:
    rows = post_mortem["pods"]
    widths = [max(3, *(len(names.short(row["pod"])) for row in rows)), 5, 5, 5, 5, 7]
    screen.columns(
        ["POD", "GRACE", "ASKED", "TOLD", "GONE", "OUTCOME", "REMARK"], widths, {i: "bold" for i in range(7)}
    )
    for row in rows:
        times = [_seconds(row[key]) for key in ("asked_after_ms", "told_after_ms", "gone_after_ms")]
        cells = [
            names.short(row["pod"]),
            str(row["grace_s"]).rjust(5),
            *times,
            row["outcome"],
            names.short(row["remark"]),
        ]
        screen.columns(cells, widths, {5: _COLOURS.get(row["outcome"], "")})


def _seconds(ms: int | None) -> str:
    return ("-" if ms is None else f"{ms / 1000:.1f}").rjust(5)
