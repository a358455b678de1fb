"""Kubernetes objects as dictionaries: the smallest ones that do what a test wants. Pure."""

from .stages import COMPLETES_AFTER, ENDS_AFTER, READY_AFTER

RIG = "rig.spotkeeper.io/id"  # label of a rig's nodes, and node selector of its pods: rigs do not meet
IMAGE = "registry.invalid/app:1"  # nobody pulls it


def node(
    name: str,
    rig: str,
    instance_id: str,
    zone: str = "us-east-1a",
    labels: dict | None = None,
    taints: list | None = None,
    unschedulable: bool = False,
    cpu: str = "64",
    memory: str = "256Gi",
    pods: int = 110,
    provider_id: str | None = None,
) -> dict:
    """A worker as EKS names it: `spec.providerID` is aws:///ZONE/INSTANCE-ID."""
    room = {"cpu": cpu, "memory": memory, "pods": str(pods)}
    known = {
        RIG: rig,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": zone[:-1],
        "node.kubernetes.io/instance-type": "m5.large",
        "eks.amazonaws.com/capacityType": "SPOT",
    }
    spec = {"providerID": provider_id if provider_id is not None else f"aws:///{zone}/{instance_id}"}
    if taints:
        spec["taints"] = taints
    if unschedulable:
        spec["unschedulable"] = True
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": known | (labels or {})},
        "spec": spec,
        "status": {"capacity": room, "allocatable": room},
    }


def pod_template(
    app: str,
    rig: str,
    grace: int = 30,
    ends_after: float | None = None,
    ready_after=None,
    completes_after: float | None = None,
    labels: dict | None = None,
    annotations: dict | None = None,
    empty_dir: bool = False,
    claim: str | None = None,
    host_port: int | None = None,
    node_selector: dict | None = None,
    **spec,
) -> dict:
    """metadata and spec of a pod. Times in seconds; what they do stands in stages.py.

    `ready_after`: a number or "never". `claim`: name of a PersistentVolumeClaim to mount. Everything else (tolerations,
    priorityClassName, hostNetwork, restartPolicy …) goes into the spec as it is.
    """
    times = {READY_AFTER: ready_after, ENDS_AFTER: ends_after, COMPLETES_AFTER: completes_after}
    notes = {key: str(value) for key, value in times.items() if value is not None} | (annotations or {})
    container: dict = {"name": "app", "image": IMAGE, "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    volumes = []
    if empty_dir:
        volumes.append({"name": "scratch", "emptyDir": {}})
    if claim:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
    if volumes:
        container["volumeMounts"] = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes]
    if host_port:
        container["ports"] = [{"containerPort": host_port, "hostPort": host_port}]
    return {
        "metadata": {"labels": {"app": app} | (labels or {}), "annotations": notes},
        "spec": {
            "terminationGracePeriodSeconds": grace,
            "containers": [container],
            "volumes": volumes,
            "nodeSelector": {RIG: rig} | (node_selector or {}),
        }
        | spec,
    }


def _workload(kind: str, version: str, name: str, spec: dict) -> dict:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _selector(name: str) -> dict:
    return {"matchLabels": {"app": name}}


def deployment(name: str, template: dict, replicas: int, strategy: dict | None = None, **spec) -> dict:
    """`spec`: more of the Deployment's own (minReadySeconds, progressDeadlineSeconds …)."""
    spec |= {"replicas": replicas, "selector": _selector(name), "template": template}
    return _workload("Deployment", "apps/v1", name, spec | ({"strategy": strategy} if strategy else {}))


def stateful_set(name: str, template: dict, replicas: int) -> dict:
    spec = {
        "replicas": replicas,
        "selector": _selector(name),
        "serviceName": name,
        "template": template,
        "podManagementPolicy": "Parallel",
    }
    return _workload("StatefulSet", "apps/v1", name, spec)


def daemon_set(name: str, template: dict) -> dict:
    return _workload("DaemonSet", "apps/v1", name, {"selector": _selector(name), "template": template})


def job(name: str, template: dict, completions: int = 1, backoff_limit: int = 6, **spec) -> dict:
    """`spec`: more of the Job's own (podFailurePolicy …)."""
    template["spec"]["restartPolicy"] = "Never"
    counts = {"completions": completions, "parallelism": completions, "backoffLimit": backoff_limit}
    return _workload("Job", "batch/v1", name, counts | {"template": template} | spec)


def pod(name: str, template: dict, node_name: str | None = None, mirror: bool = False) -> dict:
    """A bare pod; with `mirror` the API's picture of a static pod, which only its kubelet can end."""
    metadata = {"name": name, **template["metadata"]}
    if mirror:
        metadata["annotations"] = metadata["annotations"] | {"kubernetes.io/config.mirror": "rig"}
    spec = template["spec"] | ({"nodeName": node_name} if node_name else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def pdb(name: str, labels: dict, min_available=None, max_unavailable=None, unhealthy: str | None = None) -> dict:
    """`unhealthy`: unhealthyPodEvictionPolicy, IfHealthyBudget or AlwaysAllow."""
    spec: dict = {"selector": {"matchLabels": labels}}
    if min_available is not None:
        spec["minAvailable"] = min_available
    if max_unavailable is not None:
        spec["maxUnavailable"] = max_unavailable
    if unhealthy:
        spec["unhealthyPodEvictionPolicy"] = unhealthy
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}


def service(name: str, labels: dict, **spec) -> dict:
    """`spec`: more of the Service's own (type, externalTrafficPolicy …)."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": 80}]} | spec,
    }


def claim(name: str, mode: str, volume: str) -> dict:
    """A claim for one volume and no other. `mode`: ReadWriteOnce, ReadWriteMany …"""
    spec = {
        "accessModes": [mode],
        "resources": {"requests": {"storage": "1Gi"}},
        "volumeName": volume,
        "storageClassName": "",
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def volume(name: str, mode: str, claim_ref: tuple[str, str]) -> dict:
    """Kept for the claim (namespace, name)."""
    spec = {
        "accessModes": [mode],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": f"/data/{name}"},
        "claimRef": {"namespace": claim_ref[0], "name": claim_ref[1]},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def attachment(name: str, volume: str, node: str) -> dict:
    """The volume is attached to the node. Nobody's but the test's: no controller detaches a volume of no driver."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttachment",
        "metadata": {"name": name},
        "spec": {"attacher": "rig.spotkeeper.io", "nodeName": node, "source": {"persistentVolumeName": volume}},
    }


def admission_policy(name: str, expressions: list[str]) -> dict:
    """Pods for which one of these CEL expressions is false can be neither created nor changed so."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": expression} for expression in expressions],
        },
    }


def admission_binding(policy: str, namespace: str) -> dict:
    """Puts the policy in force in one namespace."""
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": policy},
        "spec": {"policyName": policy, "validationActions": ["Deny"], "matchResources": where},
    }


def is_ready(pod_object: dict) -> bool:
    """Ready and not told to go: what a Service sends traffic to."""
    conditions = pod_object.get("status", {}).get("conditions", [])
    return "deletionTimestamp" not in pod_object["metadata"] and any(
        c["type"] == "Ready" and c["status"] == "True" for c in conditions
    )
