"""A handle of one node of a rig."""

import dataclasses

from . import objects
from .history import History
from .kube import Kube

TAINT = "aws-node-termination-handler/spot-itn"
STATE = "spotkeeper.io/state"


@dataclasses.dataclass(frozen=True)
class Node:
    """`name` is the name in the API: the one a test gave, and the rig's id, so that rigs never share a node."""

    name: str
    instance_id: str
    _kube: Kube = dataclasses.field(repr=False, compare=False)
    _history: History = dataclasses.field(repr=False, compare=False)

    def object(self) -> dict:
        return self._kube.get("nodes", self.name)

    def pods(self, app: str | None = None) -> list[dict]:
        """All pods on it, also those that are ending."""
        return self._kube.list("pods", labels=f"app={app}" if app else "", fields=f"spec.nodeName={self.name}")

    def cordon(self, unschedulable: bool = True) -> None:
        self._kube.patch("nodes", self.name, {"spec": {"unschedulable": unschedulable or None}})

    def uncordon(self) -> None:
        self.cordon(False)

    def add_taint(self, key: str, value: str = "", effect: str = "NoSchedule") -> None:
        """Bound to the version that was read, as careful writers do it: raises ApiError 409 when it is stale."""
        node = self.object()
        taints = node["spec"].get("taints", []) + [{"key": key, "value": value, "effect": effect}]
        version = {"resourceVersion": node["metadata"]["resourceVersion"]}
        self._kube.patch("nodes", self.name, {"metadata": version, "spec": {"taints": taints}})

    def is_cordoned(self) -> bool:
        return bool(self.object()["spec"].get("unschedulable"))

    def taints(self) -> list[dict]:
        """Without the one that Kubernetes itself adds to unschedulable nodes."""
        return [t for t in self.object()["spec"].get("taints", []) if t["key"] != "node.kubernetes.io/unschedulable"]

    def taint(self, key: str = TAINT) -> dict | None:
        return next((taint for taint in self.taints() if taint["key"] == key), None)

    def annotation(self, key: str = STATE) -> str | None:
        return self.object()["metadata"].get("annotations", {}).get(key)

    def label(self, key: str) -> str | None:
        return self.object()["metadata"]["labels"].get(key)

    def is_marked(self) -> bool:
        """Unschedulable, our taint, our record: the three parts of a mark."""
        node = self.object()
        keys = {taint["key"] for taint in node["spec"].get("taints", [])}
        return bool(
            node["spec"].get("unschedulable") and TAINT in keys and STATE in node["metadata"].get("annotations", {})
        )

    def cordoned_at(self) -> float | None:
        """Unix seconds; None: it is schedulable."""
        return self._history.cordoned_at(self.name)

    def is_ready(self) -> bool:
        return objects.is_ready(self.object())
