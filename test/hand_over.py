"""What tests of the hand-over share: short notices, and what must be true when it is over."""

from rig import until
from rig.stages import READY_AFTER

RELEASED = "spotkeeper.io/released"

# Environment of an agent whose notice is 25 to 40 s away: a budget may hold a pod back until 12 s before the end of
# what is left. (Told later than 10 s before the host's end counts as untold.)
SHORT = {"TAINT_NODE": "true", "ENOUGH_GRACE": 12}


def start(rig, name: str, replicas: int, on, **options) -> None:
    """A Deployment whose pods are Ready, however long that takes."""
    rig.deployment(name, replicas, on, **options)
    rig.until_running(name, replicas, at_most=30, on=on)


def start_alone(rig, name: str, on, **options) -> None:
    """A Deployment of one pod, which is Ready; no other ever will be."""
    rig.deployment(name, 1, on, ready_after="never", **options)
    rig.kube.patch("pods", rig.pods(name)[0]["metadata"]["name"], {"metadata": {"annotations": {READY_AFTER: "0.1"}}})
    rig.until_running(name, 1, on=on)


def released(rig, app: str) -> list[dict]:
    """Its pods that are out of their Deployment now."""
    return [pod for pod in rig.pods(app) if RELEASED in pod["metadata"]["labels"]]


def orphans(rig, app: str) -> list[str]:
    """Its pods that nobody owns."""
    return [pod["metadata"]["name"] for pod in rig.pods(app) if not pod["metadata"].get("ownerReferences")]


def until_released(rig, app: str, pods: int = 1, at_most: float = 8) -> None:
    """So many of its pods are out of their ReplicaSet, and as many others were started."""
    until(lambda: min(len(released(rig, app)), len(orphans(rig, app))) >= pods, at_most, f"{pods} of {app} released")


def until_settled(rig, node, app: str, replicas: int, at_most: float = 15) -> None:
    """None on the node, as many as are wanted Ready elsewhere, each owned, none more."""
    rig.until_gone_from(node, app, at_most)

    def settled() -> bool:
        pods = rig.pods(app)
        assert len(pods) == replicas, f"{len(pods)} pods of {app}"
        assert not released(rig, app) and not orphans(rig, app)
        return len(rig.pods(app, ready=True)) == replicas

    until(settled, at_most, f"{app} as it was, elsewhere")
    rig.history.catch_up()


def until_it_scales(rig, app: str, replicas: int) -> None:
    """Its ReplicaSet is not frozen: it makes as many pods as it is told to."""
    rig.kube.patch("deployments", app, {"spec": {"replicas": replicas}})
    until(lambda: len(rig.pods(app)) == replicas, 15, f"{app} scaled to {replicas}")


def of_app(result: dict, app: str) -> list[dict]:
    """The post-mortem's pods of the app."""
    return [pod for pod in result["pods"] if pod["pod"].partition("/")[2].startswith(app)]


def is_handed_over(result: dict, app: str) -> bool:
    pods = of_app(result, app)
    return bool(pods) and all(p["mode"] == "hand-over" and p["outcome"] == "moved" for p in pods)


def why_not(result: dict, app: str) -> str:
    """Why none of the app's pods was handed over: as the plan says it."""
    pods = of_app(result, app)
    assert pods and all(pod["mode"] != "hand-over" for pod in pods), pods
    reasons = {pod["why"].partition("not handed over: ")[2] for pod in pods}
    assert len(reasons) == 1, reasons
    return reasons.pop()


def releases(rig, agent) -> int:
    """How many pods' metadata it has tried to change."""
    return len(rig.api_requests(user=agent.user, verb="patch", resource="pods"))


def evictions_refused(rig, agent) -> int:
    return len(rig.api_requests(user=agent.user, verb="create", resource="pods/eviction", code=429))


def counts(result: dict) -> tuple[int, int, int]:
    """Moved, untold, overruled."""
    return result["moved"], result["untold"], result["overruled"]
