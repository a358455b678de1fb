"""What was asked of the API server, read from its audit log (level Metadata, every request of everybody)."""

import collections
import dataclasses
import json
import pathlib

# Without RequestReceived; a watch is written when it starts and again when it ends: counted once, by its auditID.
# With its body where the scheduler binds a pod: that says to which node.
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Request", "resources": [{"group": "", "resources": ["pods/binding"]}]},
        {"level": "Metadata"},
    ],
}


@dataclasses.dataclass(frozen=True)
class Request:
    """One request. `resource` holds the subresource too ("pods/eviction"); `code` is the answer's HTTP status."""

    user: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    received_at: str
    user_agent: str
    uri: str


class AuditLog:
    """`mark()` says how far the log has been written; `requests(since=mark)` are those after it."""

    def __init__(self, path: pathlib.Path):
        self.path = path

    def mark(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def requests(self, since: int = 0, **wanted) -> list[Request]:
        """Those whose fields are as wanted: `requests(user="ann", verb="create", resource="pods/eviction")`."""
        found: dict[str, Request] = {}
        with self.path.open("rb") as log:
            log.seek(since)
            for line in log:
                if line.endswith(b"\n"):
                    entry = json.loads(line)
                    request = _request(entry)
                    if all(getattr(request, key) == value for key, value in wanted.items()):
                        found[entry["auditID"]] = request
        return list(found.values())

    def table(self, since: int = 0, **wanted) -> collections.Counter:
        """Counts by (verb, resource, code), for people and for benchmarks."""
        return collections.Counter((r.verb, r.resource, r.code) for r in self.requests(since, **wanted))


def _request(entry: dict) -> Request:
    ref = entry.get("objectRef") or {}
    resource = ref.get("resource", "") + (f"/{ref['subresource']}" if ref.get("subresource") else "")
    return Request(
        user=entry["user"].get("username", ""),
        verb=entry["verb"],
        resource=resource,
        namespace=ref.get("namespace", ""),
        name=ref.get("name", ""),
        code=(entry.get("responseStatus") or {}).get("code", 0),
        received_at=entry["requestReceivedTimestamp"],
        user_agent=entry.get("userAgent", ""),
        uri=entry["requestURI"],
    )
