"""A cluster with doomed hosts, and the command that drains all of them; a control plane of its own each time."""

import contextlib
import dataclasses
import os
import pathlib
import secrets
import time

from rig import ControlPlane, objects, until
from rig.access import Account, AgentAccess
from rig.binaries import spotkeeper
from rig.process import Process

from . import bulk
from .audited import Audited

NOTICE_S = 120
REPLICAS = 4
DOOMED = "bench=doomed"
_NAMESPACE, _POOL = "storm", "storm"
_PER_NAMESPACE = 200  # Deployments: each eviction lists the budgets of its namespace
_READY = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "",
          "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}  # fmt: skip
DEFAULT_QPS, DEFAULT_BURST = 20, 30  # of kube-controller-manager


@dataclasses.dataclass(frozen=True)
class Run:
    """One drain of all doomed hosts. Times are Unix seconds, of the audit log where not said otherwise."""

    hosts: int
    began: float  # the command was started, by our own clock
    noticed: float  # the last request before the marks was answered: from here on it is a notice
    marked: list[float]  # of each host
    untold: int
    landed: int
    requests: dict[tuple[str, str, int], int]
    cpu_s: float
    peak_mb: float
    took_s: float
    status: int

    def marked_after(self, since: float) -> float:
        """Seconds until all of them were; a host that never was counts as the whole notice and more."""
        return max(self.marked) - since if len(self.marked) == self.hosts else 2 * NOTICE_S

    def words(self) -> str:
        table = sorted(self.requests.items(), key=lambda item: -item[1])
        counted = ", ".join(f"{count} {verb} {what} {code}" for (verb, what, code), count in table)
        return f"status {self.status} after {self.took_s:.1f} s; {counted}"


def node(name: str, doomed: bool, pods: int = 110, instance: str | None = None) -> dict:
    """A Ready node as it is in the API."""
    labels = {"bench": "doomed" if doomed else "spare"}
    made = objects.node(name, _POOL, instance or f"i-0{secrets.token_hex(8)}", labels=labels, pods=pods)
    made["status"]["conditions"] = [_READY]
    return made


class Cluster:
    """`with Cluster(50) as cluster:` `cluster.fill()`, and once `cluster.drain()`. `instances`: ids of the hosts."""

    def __init__(
        self, hosts: int, pods_per_host: int = 4, default_qps: bool = False, instances: list[str] | None = None
    ):
        self.hosts, self._default_qps = hosts, default_qps
        self._instances = instances or [""] * hosts
        self._pods_per_host = pods_per_host
        self._pods = hosts * pods_per_host
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Cluster":
        self.plane = self._stack.enter_context(ControlPlane.temporary())
        self.folder = pathlib.Path(self.plane.folder)
        self.kube = self.plane.kube(namespace=_NAMESPACE)
        self.kube.create("namespaces", {"metadata": {"name": _NAMESPACE}})
        self._within = self.kube
        self.account = _account(self)
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def fill(self) -> None:
        """So many pods on each doomed host, of Deployments of four behind closed budgets; then room elsewhere."""
        names = [f"doomed-{i}" for i in range(self.hosts)]
        hosts = zip(names, self._instances, strict=True)
        bulk.write(self.plane.etcd, [node(name, True, self._pods_per_host, instance) for name, instance in hosts])
        until(lambda: len(self.kube.list("nodes")) == self.hosts, 30, "nodes in the API")
        for i in range(self._pods // REPLICAS):
            self._deployment(i)
        until(self._all_ready, 60 + self._pods / 4, "every pod Ready", every=1)
        until(self._budgets_count, 60 + self._pods / 4, "every budget in force", every=1)
        for name in names:  # from now on a pod that goes elsewhere might just as well land here again
            room = {"pods": "110"}
            self.kube.patch("nodes/status", name, {"status": {"capacity": room, "allocatable": room}})
        spares = max(3, self.hosts // 10)
        bulk.write(self.plane.etcd, [node(f"spare-{i}", doomed=False) for i in range(spares)])
        if self._default_qps:
            self.plane.restart_controllers(DEFAULT_QPS, DEFAULT_BURST)
        self.calm_down()

    def calm_down(self) -> None:
        """Nothing but a few renewals is asked of the API server any more."""
        last = [0, 0.0]

        def calm() -> bool:
            size = self.plane.audit.mark()
            calm = size - last[0] < 30_000
            last[0] = size
            return calm

        until(calm, 120, "the cluster is calm", every=2)

    def drain(self, *arguments: str) -> Run:
        """All doomed hosts at once, and what became of it."""
        since, there = self.plane.audit.mark(), self.doomed_pods()
        config = self.plane.kubeconfig(self.account.user, self.account.token)
        environment = {"KUBECONFIG": str(config), "PATH": os.environ["PATH"]}
        command = [spotkeeper(), "drain", "-l", DOOMED, "--deadline", f"{NOTICE_S}s", *arguments]
        began = time.time()
        process = Process("drain", command, self.folder, environment)
        peak, cpu = _watch_over(process, at_most=NOTICE_S + 30)
        took = time.time() - began
        status = process.wait()
        audited = Audited(self.plane.audit.path, since, self.account.user)
        noticed = audited.noticed() or began
        figures = {"cpu_s": cpu, "peak_mb": peak, "took_s": took, "status": status}
        return self.judge(audited, there, began, noticed, noticed, **figures)

    def doomed_pods(self) -> set[tuple[str, str]]:
        there = {
            (pod["metadata"]["namespace"], pod["metadata"]["name"])
            for pod in self.kube.list("pods", everywhere=True)
            if pod["spec"].get("nodeName", "").startswith("doomed-")
        }
        assert len(there) == self._pods, f"{len(there)} pods on {self.hosts} doomed hosts, not {self._pods}"
        return there

    def judge(
        self, audited: Audited, there: set[tuple[str, str]], began: float, noticed: float, announced: float, **figures
    ) -> Run:
        """What the audit log says. `announced`: when the notices' two minutes began; `noticed`: when they were heard."""
        marked = audited.marked()
        landed = audited.bound(lambda host: host.startswith("doomed-"), after=noticed)
        told = audited.told()
        until_at_least = announced + NOTICE_S - 10  # every pod's grace is 30 s
        untold = sum(told.get(pod, until_at_least + 1) > until_at_least for pod in there | landed)
        mine = {name: at for name, at in marked.items() if name.startswith("doomed-")}
        return Run(
            hosts=self.hosts,
            began=began,
            noticed=noticed,
            marked=list(mine.values()),
            untold=untold,
            landed=len(landed),
            requests=audited.requests(),
            **figures,
        )

    def _deployment(self, number: int) -> None:
        name, space = f"web-{number}", number // _PER_NAMESPACE
        if space and number % _PER_NAMESPACE == 0:
            self._within = self.kube.within(f"{_NAMESPACE}-{space}")
            self.kube.create("namespaces", {"metadata": {"name": self._within.namespace}})
        template = objects.pod_template(name, _POOL)
        self._within.create("deployments", objects.deployment(name, template, REPLICAS))
        self._within.create("poddisruptionbudgets", objects.pdb(name, {"app": name}, max_unavailable=0))

    def _all_ready(self) -> bool:
        return self._sum("deployments", "readyReplicas") == self._pods

    def _budgets_count(self) -> bool:
        return self._sum("poddisruptionbudgets", "currentHealthy") == self._pods

    def _sum(self, resource: str, status: str) -> int:
        return sum(one.get("status", {}).get(status, 0) for one in self.kube.list(resource, everywhere=True))


def _watch_over(process: Process, at_most: float) -> tuple[float, float]:
    """Peak memory (MB) and CPU time (s) of a child up to its end. (The peak that wait4 knows includes its parent's.)"""
    peak, end = 0.0, time.monotonic() + at_most
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        with contextlib.suppress(RuntimeError):  # it ends just now
            peak = max(peak, process.peak_rss_mb())
        if time.monotonic() > end:
            process.stop()
            raise AssertionError(f"the drain did not end within {at_most} s: {process.stdout}")
        time.sleep(0.05)
    return peak, process.cpu_s()  # of a zombie: its figures stay until it is waited for


def _account(cluster: Cluster) -> Account:
    """A service account with the agent's rights, and that of a person: to list nodes."""
    account = AgentAccess(cluster.kube, "bench", cluster.folder).grant("drainer")
    rule = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}
    kube = cluster.kube
    kube.create("clusterroles", {"metadata": {"name": "bench-lists-nodes"}, "rules": [rule]})
    kube.create(
        "clusterrolebindings",
        {
            "metadata": {"name": "bench-lists-nodes"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "bench-lists-nodes"},
            "subjects": [{"kind": "ServiceAccount", "name": "drainer", "namespace": _NAMESPACE}],
        },
    )
    return account
