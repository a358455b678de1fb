"""N hosts x 4 pods behind closed budgets, announced at once, 120 s: `spotkeeper drain --selector … --deadline 2m`

A Deployment of four for each host, spread over the hosts, behind a budget that allows nothing; graces of 30 s. There
is room elsewhere, and on the doomed hosts. Each storm has a control plane of its own. Marked, landed, told and requests
are read from the API server's audit log.

With `--via sqs` it is heard of through a queue, by one replica of `spotkeeper queue` with its default settings.
"""

from . import storm_by_queue
from .context import Context, Result
from .doomed import Cluster, Run
from .figure import Figure

NAME = "storm"
_MARKED_S = {50: 1, 200: 2, 500: 5, 1000: 10}
_MEMORY_MB = {200: 40, 1000: 64}
_CPU_S = {200: 1.5}
_REQUESTS = 12


def measure(context: Context) -> Result:
    figures: list[Figure] = []
    notes: list[str] = []
    if context.via == "sqs":
        return storm_by_queue.measure(context, _MARKED_S, _MEMORY_MB, _REQUESTS)
    for hosts in context.hosts or [50, 200]:
        _storm(context, hosts, False, figures, notes)
    for hosts in context.hosts or [200]:
        _storm(context, hosts, True, figures, notes)
    return Result(figures, notes)


def _storm(context: Context, hosts: int, default_qps: bool, figures: list[Figure], notes: list[str]) -> None:
    if default_qps and not context.wants_default_qps or not default_qps and not context.wants_raised_qps:
        return
    runs = [_run(hosts, default_qps) for _ in range(context.runs)]
    called = f"{hosts} hosts" + (", controllers at 20/30 QPS" if default_qps else "")
    figures += _figures(called, hosts, default_qps, runs)
    notes += [f"{called}: {run.words()}" for run in runs]


def _run(hosts: int, default_qps: bool) -> Run:
    with Cluster(hosts, default_qps=default_qps) as cluster:
        cluster.fill()
        return cluster.drain()


def _figures(called: str, hosts: int, default_qps: bool, runs: list[Run]) -> list[Figure]:
    bars = not default_qps  # there only that nobody is untold
    requests = [sum(run.requests.values()) / hosts for run in runs]
    marked = [run.marked_after(run.noticed) for run in runs]
    return [
        Figure(f"{called}: all marked, from the notice", marked, "s", bars and _MARKED_S.get(hosts) or None),
        Figure("… from the command's start", [run.marked_after(run.began) for run in runs], "s", None),
        Figure("… pods that landed on doomed hosts", [run.landed for run in runs], "", 0 if bars else None, "worst"),
        Figure("… pods untold", [run.untold for run in runs], "", 0, "worst"),
        Figure("… API requests per host", requests, "", _REQUESTS if bars else None),
        Figure("… CPU time of the process", [run.cpu_s for run in runs], "s", bars and _CPU_S.get(hosts) or None),
        Figure("… peak memory (VmHWM)", [run.peak_mb for run in runs], "MB", bars and _MEMORY_MB.get(hosts) or None),
    ]
