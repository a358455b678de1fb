"""The storm heard of through SQS: one replica of the queue's Deployment, default settings, instances that bear the tag.

All notices are put into the queue at once. "Marked" counts from the last message that was received; two minutes from
the first notice. The AWS of it is the rig's (test/rig/aws), in this process, which takes its share of the machine.
"""

import contextlib
import dataclasses
import time

from rig import until
from rig.access import AgentAccess
from rig.aws.queue_rig import QueueRig
from rig.binaries import spotkeeper
from rig.process import Process

from .audited import Audited
from .context import Context, Result
from .doomed import NOTICE_S, Cluster, Run
from .figure import Figure


@dataclasses.dataclass(frozen=True)
class Heard:
    """A Run, and what only a queue has."""

    run: Run
    received_in_s: float  # from the first notice to the last message received
    left: int  # messages, at the end
    calls: int  # of AWS
    idle_mb: float


def measure(context: Context, marked_s: dict, memory_mb: dict, requests: int) -> Result:
    figures: list[Figure] = []
    notes: list[str] = []
    for hosts in context.hosts or [50, 200]:
        heard = [_storm(hosts) for _ in range(context.runs)]
        runs = [one.run for one in heard]
        asked = [sum(run.requests.values()) / hosts for run in runs]
        figures += [
            Figure(f"{hosts} hosts by SQS: all marked, from the last message",
                   [run.marked_after(run.noticed) for run in runs], "s", marked_s.get(hosts)),
            Figure("… from the first notice", [run.marked_after(run.began) for run in runs], "s", None),
            Figure("… messages received within", [one.received_in_s for one in heard], "s", None),
            Figure("… pods that landed on doomed hosts", [run.landed for run in runs], "", 0, "worst"),
            Figure("… pods untold", [run.untold for run in runs], "", 0, "worst"),
            Figure("… messages left", [one.left for one in heard], "", 0, "worst"),
            Figure("… API requests per host", asked, "", requests),
            Figure("… AWS calls per host", [one.calls / hosts for one in heard], "", None),
            Figure("… CPU time of the process", [run.cpu_s for run in runs], "s", None),
            Figure("… memory (RSS), waiting", [one.idle_mb for one in heard], "MB", None),
            Figure("… peak memory (VmHWM)", [run.peak_mb for run in runs], "MB", memory_mb.get(hosts, 40)),
        ]  # fmt: skip
        notes += [f"{hosts} hosts by SQS: {run.words()}" for run in runs]
    return Result(figures, notes)


def _storm(hosts: int) -> Heard:
    with contextlib.ExitStack() as stack:
        queue = QueueRig(_no_node)
        stack.callback(queue.stop)
        instances = queue.instances(hosts)
        cluster = stack.enter_context(Cluster(hosts, instances=instances))
        cluster.fill()
        account = AgentAccess(cluster.kube, "bench", cluster.folder).grant("queue", of="spotkeeper-queue")
        environment = queue.aws.environment() | {
            "NODE_NAME": "elsewhere",
            "ENABLE_SQS_TERMINATION_DRAINING": "true",
            "QUEUE_URL": queue.url,
            "AWS_ENDPOINT": queue.aws.url,
            "JSON_LOGGING": "true",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(cluster.plane.port),
        }
        environment.pop("AWS_ENDPOINT_URL")
        since, there = cluster.plane.audit.mark(), cluster.doomed_pods()
        process = Process("queue", [spotkeeper(), "--service-account-dir", account.folder], cluster.folder, environment)
        stack.callback(process.stop)
        until(lambda: queue.polling, 30, "it polls")
        idle, calls = process.rss_mb(), len(queue.aws.calls)
        began = time.time()
        for instance in instances:
            queue.announce_spot(instance)
        with contextlib.suppress(AssertionError):  # what is left then is a figure
            until(lambda: queue.left() == 0, NOTICE_S + 15, "every message done", every=0.25)
        process.check_alive()
        took, peak, cpu = time.time() - began, process.peak_rss_mb(), process.cpu_s()
        left, calls = queue.left(), len(queue.aws.calls) - calls
        firsts: dict[str, float] = {}
        for one in queue.received:
            firsts.setdefault(one.message_id, one.at)
        last = max(firsts.values()) if len(firsts) == hosts else began + NOTICE_S
        status = process.stop(at_most=30)
        audited = Audited(cluster.plane.audit.path, since, account.user)
        figures = {"cpu_s": cpu, "peak_mb": peak, "took_s": took, "status": status}
        run = cluster.judge(audited, there, began, last, began, **figures)
    return Heard(run, last - began, left, calls, idle)


def _no_node(*_, **__):
    raise AssertionError("nodes are the cluster's")
