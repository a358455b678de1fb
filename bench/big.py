"""a cluster of 1,000 nodes and 20,000 pods, ten hosts doomed: `spotkeeper drain --selector … --deadline 2m`

What is only there to be big is written into etcd (bulk.py): 990 nodes with 20 Running pods each, and the EndpointSlices
of 200 Services; 200 budgets guard them. The ten doomed hosts have 20 pods each, of Deployments that real controllers
made, behind closed budgets, as in storm.py.
"""

from rig import objects, until

from . import bulk
from .context import Context, Result
from .doomed import Cluster, Run, node
from .figure import Figure

NAME = "big"
_DOOMED, _NODES, _PODS_PER_NODE, _APPS = 10, 1000, 20, 200
_NAMESPACE = "others"


def measure(context: Context) -> Result:
    runs = [_run(100 if context.quick else _NODES) for _ in range(context.runs)]
    first = [1000 * (min(run.marked) - run.noticed) for run in runs]
    figures = [
        Figure("first mark, from the notice", first, "ms", 100),
        Figure("all marked, from the notice", [run.marked_after(run.noticed) for run in runs], "s", None),
        Figure("pods untold", [run.untold for run in runs], "", 0, "worst"),
        Figure("peak memory (VmHWM)", [run.peak_mb for run in runs], "MB", 40),
        Figure("CPU time of the process", [run.cpu_s for run in runs], "s", None),
    ]
    notes = ["--quick: 100 nodes, 2,000 pods"] if context.quick else []
    return Result(figures, notes + [run.words() for run in runs])


def _run(nodes: int) -> Run:
    with Cluster(_DOOMED, pods_per_host=_PODS_PER_NODE) as cluster:
        cluster.fill()
        others = [f"other-{i}" for i in range(nodes - _DOOMED)]
        kube = cluster.plane.kube(namespace=_NAMESPACE)
        kube.create("namespaces", {"metadata": {"name": _NAMESPACE}})
        bulk.write(cluster.plane.etcd, [_node(name) for name in others])
        hosts = [host for host in others for _ in range(_PODS_PER_NODE)]
        pods = [_pod(number, host) for number, host in enumerate(hosts)]
        bulk.write(cluster.plane.etcd, pods)
        bulk.write(cluster.plane.etcd, [_slice(f"app-{i}", pods) for i in range(_APPS)])
        for i in range(_APPS):
            kube.create("poddisruptionbudgets", objects.pdb(f"app-{i}", {"app": f"app-{i}"}, min_available=1))
        until(lambda: len(kube.list("pods")) == len(pods), 60, "pods in the API")
        assert len(kube.list("endpointslices")) == _APPS
        cluster.calm_down()
        return cluster.drain()


def _node(name: str) -> dict:
    """With the images that a kubelet reports: most of what a node weighs."""
    made = node(name, doomed=False)
    made["metadata"]["labels"].pop("rig.spotkeeper.io/id")  # nothing is scheduled here
    images = [f"registry.example.com/team/service-{i}@sha256:{i:064x}" for i in range(40)]
    made["status"]["images"] = [{"names": [image], "sizeBytes": 123456789} for image in images]
    return made


def _pod(number: int, host: str) -> dict:
    """Running and Ready; about as long as a Deployment's pod is in a real cluster (4 KB)."""
    app = f"app-{number % _APPS}"
    name = f"{app}-6b8d9c5f7-{number}"
    made = objects.pod(name, objects.pod_template(app, "elsewhere", labels={"pod-template-hash": "6b8d9c5f7"}), host)
    made["metadata"]["namespace"] = _NAMESPACE
    made["metadata"]["annotations"] = {f"example.com/annotation-{i}": "some words " * 6 for i in range(10)}
    container = made["spec"]["containers"][0]
    container["env"] = [{"name": f"SETTING_{i}", "value": "its value, which is of some length"} for i in range(20)]
    now = "2026-01-01T00:00:00Z"
    made["status"] = {
        "phase": "Running",
        "startTime": now,
        "podIP": f"10.{1 + number // 65536}.{number // 256 % 256}.{number % 256}",
        "podIPs": [{"ip": f"10.{1 + number // 65536}.{number // 256 % 256}.{number % 256}"}],
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": now}
            for kind in ("Initialized", "ContainersReady", "Ready", "PodScheduled")
        ],
        "containerStatuses": [
            {"name": "app", "image": objects.IMAGE, "imageID": f"registry.invalid/app@sha256:{number:064x}",
             "containerID": f"containerd://{number:064x}", "ready": True, "restartCount": 0,
             "state": {"running": {"startedAt": now}}}
        ],
    }  # fmt: skip
    return made


def _slice(app: str, pods: list[dict]) -> dict:
    """The endpoints of a Service without a selector: nobody but us keeps them."""
    mine = [pod for pod in pods if pod["metadata"]["labels"]["app"] == app]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{app}-x", "namespace": _NAMESPACE, "labels": {"kubernetes.io/service-name": app}},
        "addressType": "IPv4",
        "ports": [{"port": 80, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": {"kind": "Pod", "namespace": _NAMESPACE, "name": pod["metadata"]["name"]},
            }
            for pod in mine
        ],
    }
