"""What the tests of deploy/ on a real API server share: installing the chart, and being its pod."""

import yaml

from rig import until
from rig.access import make_account, request_token
from rig.helm import CHART
from rig.objects import RIG


def install(helm, rig, values: dict | None = None, release: str = "spotkeeper") -> list[dict]:
    """On nodes of this rig only. Returns what was installed."""
    selector = {RIG: rig.id} | (values or {}).get("daemonsetNodeSelector", {})
    given = {"fullnameOverride": f"spotkeeper-{rig.id}"} | (values or {}) | {"daemonsetNodeSelector": selector}
    helm.run("install", release, CHART, values=given)
    return list(filter(None, yaml.safe_load_all(helm.run("get", "manifest", release))))


def daemons(rig, name: str = "") -> dict:
    return rig.kube.get("daemonsets", name or f"spotkeeper-{rig.id}")["status"]


def until_daemons(rig, wanted: int, name: str = "") -> None:
    until(
        lambda: daemons(rig, name).get("desiredNumberScheduled") == daemons(rig, name).get("numberReady") == wanted,
        20,
        f"{wanted} agents wanted and Ready",
    )


def account_of(rig, pod: dict):
    """As the kubelet mounts it into that pod: a token bound to it."""
    name = pod["spec"]["serviceAccountName"]
    kube = rig.control_plane.kube(namespace=rig.namespace)
    token = request_token(kube, name, pod)
    user = f"system:serviceaccount:{rig.namespace}:{name}"
    return make_account(kube, user, token, rig.folder / f"{pod['metadata']['name']}-account")


def environment_of(pod: dict) -> dict[str, str]:
    """What its container finds in its environment."""
    fields = {
        "spec.nodeName": pod["spec"]["nodeName"],
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
    }
    [container] = pod["spec"]["containers"]
    return {
        one["name"]: one["value"] if "value" in one else fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
        for one in container["env"]
    }


def pod_on(rig, node) -> dict:
    """The agent's pod on that node."""
    until(
        lambda: rig.kube.list("pods", "k8s-app=aws-node-termination-handler", f"spec.nodeName={node.name}"),
        20,
        "its pod",
    )
    [pod] = rig.kube.list("pods", "k8s-app=aws-node-termination-handler", f"spec.nodeName={node.name}")
    return pod


def rights(rules: list[dict]) -> set[tuple[str, str]]:
    return {(verb, resource) for rule in rules for verb in rule["verbs"] for resource in rule["resources"]}
