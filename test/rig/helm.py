"""helm and kubectl, as a person runs them: on this repository's chart and manifests, against the rig's API server."""

import os
import pathlib
import subprocess

import yaml

from .binaries import REPOSITORY, binary
from .control_plane import ControlPlane

CHART = REPOSITORY / "deploy/helm/spotkeeper"
KUSTOMIZE = REPOSITORY / "deploy/kustomize"

# The values that queue mode cannot do without.
QUEUE_MODE = {"enableSqsTerminationDraining": True, "queueURL": "https://sqs.us-east-1.amazonaws.com/1/q"}


def flags(values: dict | pathlib.Path | None, folder: pathlib.Path) -> list:
    """`--values FILE`, for values that are in a file already or are written into one."""
    if isinstance(values, dict):
        file = folder / f"values-{len(list(folder.glob('values-*')))}.yaml"
        file.write_text(yaml.safe_dump(values))
        values = file
    return ["--values", values] if values else []


class Helm:
    """Everything helm keeps, it keeps in `folder`. Without a control plane it can only render."""

    def __init__(self, folder: pathlib.Path, plane: ControlPlane | None = None, namespace: str = "kube-system"):
        self._folder, self.namespace = folder, namespace
        self._env = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        for what in ("CACHE", "CONFIG", "DATA"):
            self._env[f"HELM_{what}_HOME"] = str(folder / f"helm-{what.lower()}")
        self._env["KUBECONFIG"] = str(plane.kubeconfig()) if plane else "/nowhere"

    def try_(self, *arguments, values: dict | pathlib.Path | None = None) -> subprocess.CompletedProcess:
        command = [binary("helm"), *arguments, *flags(values, self._folder)]
        if arguments[0] not in ("lint", "package", "repo"):
            command += ["--namespace", self.namespace]
        done = subprocess.run(command, env=self._env, text=True, capture_output=True, check=False, timeout=120)
        done.stderr = "".join(
            line for line in done.stderr.splitlines(True) if "found symbolic link in path" not in line
        )
        return done

    def run(self, *arguments, values: dict | pathlib.Path | None = None) -> str:
        done = self.try_(*arguments, values=values)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def render(self, values: dict | pathlib.Path | None = None, *more, release: str = "spotkeeper") -> list[dict]:
        """All that would be installed, without what only `helm test` makes."""
        text = self.run("template", release, CHART, "--no-hooks", *more, values=values)
        return [document for document in yaml.safe_load_all(text) if document]

    def refusal(self, values: dict) -> str:
        """What it says about values that are refused."""
        done = self.try_("template", "spotkeeper", CHART, values=values)
        assert done.returncode != 0, "refused"
        return done.stderr.replace("\n\nUse --debug flag to render out invalid YAML\n", "")


class Kubectl:
    """kubectl as the cluster's administrator."""

    def __init__(self, plane: ControlPlane):
        self._kubeconfig = plane.kubeconfig()

    def try_(self, *arguments, text: str | None = None) -> subprocess.CompletedProcess:
        command = [binary("kubectl"), "--kubeconfig", self._kubeconfig, *arguments]
        return subprocess.run(command, input=text, text=True, capture_output=True, check=False, timeout=120)

    def run(self, *arguments, text: str | None = None) -> str:
        done = self.try_(*arguments, text=text)
        assert done.returncode == 0, done.stderr
        return done.stdout


def find(objects: list[dict], kind: str, name: str = "") -> dict:
    """The one object of that kind (and of that name)."""
    found = [one for one in objects if one["kind"] == kind and name in ("", one["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} objects of kind {kind} {name}"
    return found[0]


def kinds(objects: list[dict]) -> list[str]:
    return sorted(one["kind"] for one in objects)


def pod_of(objects: list[dict]) -> dict:
    """The pod's spec of the one DaemonSet or Deployment."""
    [workload] = [one for one in objects if one["kind"] in ("DaemonSet", "Deployment")]
    return workload["spec"]["template"]["spec"]


def env_of(objects: list[dict]) -> dict:
    """The environment of its one container: a value, or where it is from."""
    [container] = pod_of(objects)["containers"]
    names = [one["name"] for one in container["env"]]
    assert len(names) == len(set(names)), "each name once"
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}
