"""What one user did, and what became of nodes and pods, out of the API server's audit log: read once, afterwards."""

import collections
import json
import pathlib
from collections.abc import Callable

from .records import unix

Pod = tuple[str, str]  # namespace, name


class Audited:
    """Everything after `since` (AuditLog.mark). Times: when the API server had answered, in Unix seconds."""

    def __init__(self, path: pathlib.Path, since: int, user: str):
        self._user = user
        entries: dict[str, dict] = {}  # a watch is written twice
        with path.open("rb") as log:
            log.seek(since)
            for line in log:
                if line.endswith(b"\n"):
                    entry = json.loads(line)
                    entries[entry["auditID"]] = entry
        self._entries = list(entries.values())

    def noticed(self) -> float | None:
        """When the question for rights was answered: after that the hosts are marked, and nothing is asked before."""
        asked = (e for e in self._entries if self._is_mine(e) and _resource(e) == "selfsubjectrulesreviews")
        return min((_answered(e) for e in asked), default=None)

    def marked(self) -> dict[str, float]:
        """The first successful PATCH of each node by the user."""
        found: dict[str, float] = {}
        for entry in self._entries:
            patched = _resource(entry) == "nodes" and entry["verb"] == "patch" and _code(entry) == 200
            if patched and self._is_mine(entry):
                name = entry["objectRef"]["name"]
                found[name] = min(found.get(name, _answered(entry)), _answered(entry))
        return found

    def told(self) -> dict[Pod, float]:
        """When each pod's deletion was written, by whomever."""
        found: dict[Pod, float] = {}
        for entry in self._entries:
            evicted = _resource(entry) == "pods/eviction" and _code(entry) == 201
            if evicted or (_resource(entry) == "pods" and entry["verb"] == "delete" and _code(entry) in (200, 202)):
                pod = _pod(entry)
                found[pod] = min(found.get(pod, _answered(entry)), _answered(entry))
        return found

    def bound(self, to: Callable[[str], bool], after: float) -> set[Pod]:
        """Pods that the scheduler put on such nodes."""
        return {
            _pod(entry)
            for entry in self._entries
            if _resource(entry) == "pods/binding"
            and _code(entry) == 201
            and _answered(entry) > after
            and to(entry["requestObject"]["target"]["name"])
        }

    def requests(self) -> dict[tuple[str, str, int], int]:
        """The user's, counted by verb, resource and answer."""
        mine = (entry for entry in self._entries if self._is_mine(entry))
        return dict(collections.Counter((entry["verb"], _resource(entry), _code(entry)) for entry in mine))

    def _is_mine(self, entry: dict) -> bool:
        return entry["user"].get("username") == self._user


def _resource(entry: dict) -> str:
    ref = entry.get("objectRef") or {}
    return ref.get("resource", "") + (f"/{ref['subresource']}" if ref.get("subresource") else "")


def _code(entry: dict) -> int:
    return (entry.get("responseStatus") or {}).get("code", 0)


def _answered(entry: dict) -> float:
    return unix(entry["stageTimestamp"])


def _pod(entry: dict) -> Pod:
    return entry["objectRef"]["namespace"], entry["objectRef"]["name"]
