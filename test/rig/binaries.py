"""Where the real parts are. A missing one is a failure that says how to get it, never a skip."""

import os
import pathlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("SPOTKEEPER_CACHE") or pathlib.Path.home() / ".cache/spotkeeper")


class MissingBinary(AssertionError):
    """Fails the test that needed it."""


def binary(name: str) -> pathlib.Path:
    """A part of the rig: from $KUBEBUILDER_ASSETS if it is there, else the one that tools/setup built."""
    for folder in filter(None, [os.environ.get("KUBEBUILDER_ASSETS"), CACHE / "bin"]):
        path = pathlib.Path(folder) / name
        if os.access(path, os.X_OK):
            return path
    raise MissingBinary(f"{name} is missing: run tools/setup test")


def spotkeeper() -> pathlib.Path:
    """The executable under test: $SPOTKEEPER_BINARY, or the release build."""
    path = pathlib.Path(os.environ.get("SPOTKEEPER_BINARY") or REPOSITORY / "build/release/spotkeeper")
    if not os.access(path, os.X_OK):
        raise MissingBinary(f"{path} is missing: run make build (or set SPOTKEEPER_BINARY)")
    return path.resolve()


def crds() -> list[pathlib.Path]:
    """CustomResourceDefinitions of Prometheus' operator, as tools/setup fetched them."""
    found = sorted((CACHE / "crds").glob("*.yaml"))
    if not found:
        raise MissingBinary(f"{CACHE / 'crds'} is empty: run tools/setup test")
    return found
