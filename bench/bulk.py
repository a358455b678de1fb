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


def write(etcd: str, objects: list[dict]) -> None:
    """`objects`: Nodes, Pods, EndpointSlices, complete but for uid and creationTimestamp.

    Each has a revision of its own, as the API server's writes have. A watch goes on after the revision it has seen last:
    of several objects of one transaction it would miss those that came after that one.
    """
    with requests.Session() as session:
        session.trust_env = False
        for one in objects:
            put = {"key": _text(_key(one)), "value": _text(json.dumps(_stamped(one)))}
            session.post(f"{etcd}/v3/kv/put", json=put, timeout=30).raise_for_status()


def _key(one: dict) -> str:
    metadata = one["metadata"]
    scope = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"/registry/{_FOLDERS[one['kind']]}/{scope}{metadata['name']}"


def _stamped(one: dict) -> dict:
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return one | {"metadata": one["metadata"] | {"uid": str(uuid.uuid4()), "creationTimestamp": now}}


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
