"""What happened to a rig's pods and nodes, and when: one watch each, so no test has to look at the right moment."""

import contextlib
import dataclasses
import json
import threading
import time

import requests

from .kube import ApiError, Kube, path_of
from .objects import is_ready
from .process import until


@dataclasses.dataclass
class PodStory:
    """One pod (by UID). Times are Unix seconds as seen by the watch, a few milliseconds after the write."""

    name: str
    uid: str
    app: str = ""
    node: str = ""
    created_at: float | None = None
    ready_at: float | None = None
    told_at: float | None = None  # its deletionTimestamp was written
    grace: int | None = None  # … with this deletionGracePeriodSeconds (the last one)
    disrupted: bool = False  # has the condition DisruptionTarget
    gone_at: float | None = None
    versions: list[dict] = dataclasses.field(default_factory=list, repr=False)  # all that were seen

    @property
    def last(self) -> dict:
        """The object as last seen."""
        return self.versions[-1]


def first_version(versions: list[dict], holds) -> int | None:
    """The resourceVersion of the first of them for which it holds. All objects of a cluster are counted by one row of
    numbers (etcd's revision), so that it says exactly what was written before what."""
    found = next((version for version in versions if holds(version)), None)
    return version_of(found) if found else None


def version_of(obj: dict) -> int:
    return int(obj["metadata"]["resourceVersion"])


class Watch(threading.Thread):
    """Feeds `see(time, type, object)` with one resource: what is there first, then every change."""

    def __init__(self, kube: Kube, resource: str, see):
        super().__init__(name=f"watch-{resource}", daemon=True)
        self._kube, self._resource, self._see = kube, resource, see
        self._over = False
        self._stream: requests.Response | None = None
        self._there: dict[str, dict] = {}
        self._version = self._list()
        self.start()

    def _list(self) -> str:
        answer = self._kube.request("GET", path_of(self._resource, self._kube.namespace)).json()
        now = {item["metadata"]["uid"]: item for item in answer["items"]}
        for item in now.values():
            self._see(time.time(), "ADDED", item)
        for item in [item for uid, item in self._there.items() if uid not in now]:
            self._see(time.time(), "DELETED", item)  # while the API server was away
        self._there = now
        return answer["metadata"]["resourceVersion"]

    def run(self) -> None:
        while not self._over:
            try:
                self._stream = self._kube.watch(self._resource, self._version)
                for line in self._stream.iter_lines(chunk_size=None):
                    event = json.loads(line)
                    if event["type"] == "ERROR":  # too old: the API server has been away
                        self._version = self._list()
                        break
                    self._there[event["object"]["metadata"]["uid"]] = event["object"]
                    if event["type"] == "DELETED":
                        del self._there[event["object"]["metadata"]["uid"]]
                    self._version = event["object"]["metadata"]["resourceVersion"]
                    self._see(time.time(), event["type"], event["object"])
            except (requests.RequestException, ApiError, AttributeError, ValueError, OSError):
                if not self._over:
                    time.sleep(0.1)  # the API server is away: again

    def stop(self) -> None:
        self._over = True
        if self._stream is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):  # the watch may end just now by itself
                self._stream.raw.shutdown()  # unlike close(), wakes the thread that reads
            self.join(2)


class History:
    """Of all pods of a namespace and of all nodes. A few milliseconds behind the API: see `catch_up`."""

    def __init__(self, kube: Kube):
        self._kube = kube
        self._lock = threading.Lock()
        self._pods: dict[str, PodStory] = {}
        self._nodes: dict[str, list[tuple[float, dict]]] = {}
        self._watches = [
            Watch(kube.within(kube.namespace), "pods", self._see_pod),
            Watch(kube.within(kube.namespace), "nodes", self._see_node),
        ]

    def pods(self, app: str | None = None, node: str | None = None) -> list[PodStory]:
        """Copies, oldest first; also of pods that are gone."""
        with self._lock:
            stories = [dataclasses.replace(story, versions=list(story.versions)) for story in self._pods.values()]
        return [s for s in stories if app in (None, s.app) and node in (None, s.node)]

    def pod(self, name: str) -> PodStory:
        """The last pod of that name."""
        found = [story for story in self.pods() if story.name == name]
        assert found, f"there never was a pod {name}"
        return found[-1]

    def catch_up(self, at_most: float = 5) -> None:
        """Returns when the watches have told all that lists of pods and nodes show now. Rig's waiting helpers end
        with it."""
        answer = self._kube.request("GET", path_of("pods", self._kube.namespace)).json()
        listed = {pod["metadata"]["uid"]: int(pod["metadata"]["resourceVersion"]) for pod in answer["items"]}
        as_of = int(answer["metadata"]["resourceVersion"])
        nodes = {node["metadata"]["name"]: version_of(node) for node in self._kube.list("nodes")}

        def told() -> bool:
            with self._lock:
                seen = {name: version_of(versions[-1][1]) for name, versions in self._nodes.items()}
                known = {uid: int(story.last["metadata"]["resourceVersion"]) for uid, story in self._pods.items()}
                there = [uid for uid, story in self._pods.items() if not story.gone_at]
            nothing_missed = all(known.get(uid, 0) >= version for uid, version in listed.items())
            nobody_left = all(uid in listed or known[uid] > as_of for uid in there)
            return nothing_missed and nobody_left and all(seen.get(name, 0) >= nodes[name] for name in nodes)

        until(told, at_most, "the watches of pods and nodes up to date")

    def node(self, name: str) -> list[tuple[float, dict]]:
        """Every version of the node that was seen, with its time."""
        with self._lock:
            return list(self._nodes.get(name, []))

    def cordoned_at(self, name: str) -> float | None:
        """When the node became unschedulable last (None: it is schedulable)."""
        since = None
        for seen_at, node in self.node(name):
            if not node["spec"].get("unschedulable"):
                since = None
            elif since is None:
                since = seen_at
        return since

    def stop(self) -> None:
        for watch in self._watches:
            watch.stop()

    def _see_pod(self, now: float, kind: str, pod: dict) -> None:
        meta = pod["metadata"]
        with self._lock:
            story = self._pods.setdefault(meta["uid"], PodStory(meta["name"], meta["uid"], created_at=now))
            story.app = meta.get("labels", {}).get("app", story.app)
            story.node = pod["spec"].get("nodeName", story.node)
            story.versions.append(pod)
            if is_ready(pod) and story.ready_at is None:
                story.ready_at = now
            if "deletionTimestamp" in meta:
                story.told_at = story.told_at or now
                # The last write of a kubelet has grace 0: that is the end, not what the pod was given.
                story.grace = meta.get("deletionGracePeriodSeconds") or story.grace
            conditions = pod.get("status", {}).get("conditions", [])
            story.disrupted |= any(c["type"] == "DisruptionTarget" and c["status"] == "True" for c in conditions)
            if kind == "DELETED":
                story.gone_at = now

    def _see_node(self, now: float, kind: str, node: dict) -> None:
        with self._lock:
            self._nodes.setdefault(node["metadata"]["name"], []).append((now, node))
