"""Many objects at once, written into etcd past the API server, which finds them there as if it had written them.

The API server stores protobuf and reads JSON as well. 20,000 pods take seconds so, and minutes by POST: for a cluster
that is only there to be big. No admission, no defaults, no controller: objects are as they are given here.
"""

import base64
import datetime
import json
import uuid

import requests

_FOLDERS = {"Node": "minions", "Pod": "pods", "EndpointSlice": "endpointslices"}
_PER_TRANSACTION, _BYTES = 120, 500_000  # etcd's own limits are 128 operations and 1.5 MB


def write(etcd: str, objects: list[dict]) -> None:
    """`objects`: Nodes, Pods, EndpointSlices, complete but for uid and creationTimestamp."""
    with requests.Session() as session:
        session.trust_env = False
        puts: list[dict] = []
        size = 0
        for one in objects:
            value = json.dumps(_stamped(one))
            if puts and (len(puts) == _PER_TRANSACTION or size + len(value) > _BYTES):
                _put(session, etcd, puts)
                puts, size = [], 0
            puts.append({"requestPut": {"key": _text(_key(one)), "value": _text(value)}})
            size += len(value)
        if puts:
            _put(session, etcd, puts)


def _put(session: requests.Session, etcd: str, puts: list[dict]) -> None:
    session.post(f"{etcd}/v3/kv/txn", json={"success": puts}, timeout=30).raise_for_status()


def _key(one: dict) -> str:
    metadata = one["metadata"]
    scope = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"/registry/{_FOLDERS[one['kind']]}/{scope}{metadata['name']}"


def _stamped(one: dict) -> dict:
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return one | {"metadata": one["metadata"] | {"uid": str(uuid.uuid4()), "creationTimestamp": now}}


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
