"""What a row needs: rigs on one control plane, and whether it has to be quick."""

import dataclasses
import pathlib

from rig import ControlPlane, Rig

from .figure import Figure


@dataclasses.dataclass
class Result:
    """What a row found. `notes` are lines for people, below its figures."""

    figures: list[Figure]
    notes: list[str] = dataclasses.field(default_factory=list)


class Context:
    """`plane` starts when the first row asks for it: the size of a file needs no cluster."""

    def __init__(
        self,
        quick: bool,
        hosts: list[int] | None = None,
        runs: int = 1,
        controllers: str = "both",
        via: str = "command",
    ):
        self.quick, self.via = quick, via
        self.hosts, self.runs = hosts, runs  # of storms
        self.wants_raised_qps, self.wants_default_qps = controllers != "default", controllers != "raised"
        self._plane: ControlPlane | None = None
        self._rigs = 0

    @property
    def plane(self) -> ControlPlane:
        if self._plane is None:
            self._plane = ControlPlane.temporary()
            self._plane.__enter__()
        return self._plane

    def rig(self, name: str) -> Rig:
        """A new one, for a `with`."""
        self._rigs += 1
        return Rig(self.plane, pathlib.Path(self.plane.folder) / f"{name}-{self._rigs}", name)

    def __enter__(self) -> "Context":
        return self

    def __exit__(self, *error) -> None:
        if self._plane is not None:
            self._plane.__exit__(*error)
