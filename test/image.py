"""An image as a node's container runtime sees it: fetched, checked, unpacked, and started with a read-only root."""

import dataclasses
import json
import pathlib
import shlex
import subprocess
import tarfile

ACCOUNT = "var/run/secrets/kubernetes.io/serviceaccount"


@dataclasses.dataclass(frozen=True)
class Image:
    """One platform's, fetched by skopeo, which verifies each digest on the way."""

    folder: pathlib.Path

    @staticmethod
    def fetch(layout: pathlib.Path, tag: str, architecture: str, into: pathlib.Path) -> "Image":
        where = (f"oci:{layout}:{tag}", f"dir:{into}")
        done = subprocess.run(
            ["skopeo", "--insecure-policy", "--override-os", "linux", "--override-arch", architecture, "copy", *where],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Image(into)

    def config(self) -> dict:
        return json.loads(self._blob(self._manifest()["config"]).read_text())

    def compressed_size(self) -> int:
        return sum(layer["size"] for layer in self._manifest()["layers"])

    def entries(self) -> list[tarfile.TarInfo]:
        """Of its only layer, in order."""
        with self._layer() as archive:
            return archive.getmembers()

    def unpack(self, into: pathlib.Path) -> pathlib.Path:
        into.mkdir()
        with self._layer() as archive:
            archive.extractall(into, filter="fully_trusted")
        return into

    def _manifest(self) -> dict:
        return json.loads((self.folder / "manifest.json").read_text())

    def _blob(self, descriptor: dict) -> pathlib.Path:
        return self.folder / descriptor["digest"].removeprefix("sha256:")

    def _layer(self) -> tarfile.TarFile:
        (layer,) = self._manifest()["layers"]
        return tarfile.open(self._blob(layer), "r:gz")


def within(root: pathlib.Path, config: dict, account: pathlib.Path, arguments: list[str]) -> tuple[str, ...]:
    """A command that becomes the container: the image's entry point with these arguments and nothing of those that it
    is given. Its root is read-only, with the account and /proc mounted in it; it is the image's user, with no
    supplementary group, and can gain no right.
    """
    for folder in (ACCOUNT, "proc"):  # as a runtime makes the places for its mounts
        (root / folder).mkdir(parents=True)
    user, group = config["config"]["User"].split(":")
    become = ["setpriv", "--no-new-privs", "unshare", "--root", str(root), "--setuid", user, "--setgid", group]
    steps = [
        ["mount", "--bind", root, root],
        ["mount", "--bind", account, root / ACCOUNT],
        ["mount", "--rbind", "/proc", root / "proc"],
        ["mount", "-o", "remount,bind,ro", root],
        ["exec", *become, "--", *config["config"]["Entrypoint"], *arguments],
    ]
    script = " && ".join(shlex.join(map(str, step)) for step in steps)
    return ("unshare", "--mount", "sh", "-c", script, "sh")
