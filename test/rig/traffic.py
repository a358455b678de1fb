"""What a Service's clients see: its Ready endpoints, in every version of its EndpointSlices that a watch shows."""

import threading
import time

from .history import Watch
from .kube import Kube

_SERVICE = "kubernetes.io/service-name"


class Traffic:
    """From its making on. Several slices of a Service count together; `at_least()` is of the whole time."""

    def __init__(self, kube: Kube, service: str):
        self.service = service
        self._lock = threading.Lock()
        self._slices: dict[str, int] = {}
        self._counts: list[tuple[float, int]] = []
        self._watch = Watch(kube.within(kube.namespace), "endpointslices", self._see)

    def ready(self) -> int:
        """Its Ready endpoints now."""
        return self.samples()[-1][1]

    def samples(self) -> list[tuple[float, int]]:
        """(Unix seconds, Ready endpoints from then on), oldest first."""
        with self._lock:
            return list(self._counts) or [(time.time(), 0)]

    def at_least(self) -> int:
        """The fewest Ready endpoints that there ever were."""
        return min(count for _, count in self.samples())

    def gap_s(self, below: int = 1) -> float:
        """For how long in all it had fewer Ready endpoints than that."""
        samples = self.samples()
        ends = [at for at, _ in samples[1:]] + [time.time()]
        return sum(end - at for (at, count), end in zip(samples, ends) if count < below)

    def stop(self) -> None:
        self._watch.stop()

    def _see(self, now: float, kind: str, slice_object: dict) -> None:
        metadata = slice_object["metadata"]
        if metadata.get("labels", {}).get(_SERVICE) != self.service:
            return
        endpoints = slice_object.get("endpoints") or []
        ready = 0 if kind == "DELETED" else sum(bool(e["conditions"].get("ready")) for e in endpoints)
        with self._lock:
            self._slices[metadata["uid"]] = ready
            self._counts.append((now, sum(self._slices.values())))
