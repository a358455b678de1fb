"""The emulated control plane: spotkeeper-world, with what a Rig needs of a ControlPlane.

One rig, one script, two planes: whatever runs on the real one runs here, with fake kubelets that obey the same
annotations (stages.py).
"""

import json
import os
import pathlib

import requests
import yaml

from .audit import AuditLog
from .binaries import REPOSITORY, MissingBinary
from .control_plane import ADMIN
from .kube import Kube
from .process import Process, until


def world_binary() -> pathlib.Path:
    """$SPOTKEEPER_WORLD_BINARY, or the one of the release build."""
    built = REPOSITORY / "build/release/spotkeeper-world"
    path = pathlib.Path(os.environ.get("SPOTKEEPER_WORLD_BINARY") or built)
    if not os.access(path, os.X_OK):
        raise MissingBinary(f"{path} is missing: run tools/build release spotkeeper-world")
    return path.resolve()


class WorldPlane:
    """Starts in the constructor, stops in `stop()` or at the end of a `with`. `arguments`: of spotkeeper-world."""

    is_world = True

    def __init__(self, folder: pathlib.Path, arguments: tuple = ()):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.audit = AuditLog(folder / "audit.log")
        self._ca = folder / "no-ca.crt"
        self._ca.write_text("plain HTTP on loopback has no CA\n")
        flags = ["--administrator", ADMIN, "--audit-log", self.audit.path]
        self._process = Process("spotkeeper-world", [world_binary(), *flags, *arguments], folder)
        line = until(self._first_line, 10, "spotkeeper-world listening")
        self.server = json.loads(line)["url"]
        self.kubeconfig()

    def kube(self, user: str = ADMIN, namespace: str = "default") -> Kube:
        """The administrator's token is the name ADMIN; one that was not issued is answered with 401."""
        return Kube(self.server, self._ca, user, namespace)

    def kubeconfig(self, user: str = ADMIN, token: str | None = None) -> pathlib.Path:
        path = self.folder / f"{user.replace(':', '.')}.kubeconfig"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "rig",
                    "clusters": [{"name": "rig", "cluster": {"server": self.server}}],
                    "users": [{"name": user, "user": {"token": token or user}}],
                    "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": user}}],
                }
            )
        )
        path.chmod(0o600)
        return path

    def forget_events(self, version: int) -> None:
        """Those up to that version: a watch from before it is expired from now on."""
        requests.post(f"{self.server}/emulator/compact?version={version}", timeout=5).raise_for_status()

    def check_alive(self) -> None:
        self._process.check_alive()

    def stop(self) -> None:
        self._process.stop()

    def __enter__(self) -> "WorldPlane":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def _first_line(self) -> str:
        self.check_alive()
        text = self._process.stdout.read_text()
        return text.splitlines()[0] if "\n" in text else ""
