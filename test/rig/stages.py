"""What the fake kubelets (kwok) do, as kwok Stages. Only these apply: a kind named here has none of kwok's own.

Annotations on a pod, all in seconds as a decimal number:

    rig.spotkeeper.io/ready-after      Ready that long after it was started ("never": Running, but never Ready)
    rig.spotkeeper.io/ends-after       how long its application needs to end once it is told (default 0.2); as with
                                       a real kubelet it is killed when its grace is over
    rig.spotkeeper.io/completes-after  ends by itself, with success, after that long

Of kwok 0.8.0 (pod_controller.go): a delay starts anew with every new resourceVersion, so every patch would prolong
it. A delay of 2 s or more is therefore an absolute time, made from a timestamp of the pod (whole seconds, cut off):
up to one second later than exact. A shorter one is a plain delay.
"""

import json

READY_AFTER = "rig.spotkeeper.io/ready-after"
ENDS_AFTER = "rig.spotkeeper.io/ends-after"
COMPLETES_AFTER = "rig.spotkeeper.io/completes-after"


def _annotation(name: str) -> str:
    return f'.metadata.annotations["{name}"]'


def _exists(key: str) -> dict:
    return {"key": key, "operator": "Exists"}


def _absent(key: str) -> dict:
    return {"key": key, "operator": "DoesNotExist"}


def _is(key: str, *values: str) -> dict:
    return {"key": key, "operator": "In", "values": list(values)}


def _is_not(key: str, *values: str) -> dict:
    return {"key": key, "operator": "NotIn", "values": list(values)}


def _after(seconds: str, since: str) -> dict:
    """A delay of `seconds` (a jq expression) counted from `since` (a jq expression of a timestamp in Unix seconds)."""
    jq = f'{seconds} as $s | if $s < 2 then "\\($s)s" else ({since} + $s + 1 | todate) end'
    return {"durationFrom": {"expressionFrom": jq}}


def _stage(name: str, kind: str, when: list, then: dict, delay: dict | None = None) -> dict:
    spec = {"resourceRef": {"apiGroup": "v1", "kind": kind}, "selector": {"matchExpressions": when}, "next": then}
    if delay:
        spec["delay"] = delay
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def _status(text: str) -> dict:
    return {"statusTemplate": "{{ $now := Now }}\n" + text}


def _readiness(ready: str) -> str:
    """Conditions and containers of a running pod. `ready`: True or False."""
    return f"""
conditions:
- {{type: Initialized, status: "True", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: ContainersReady, status: "{ready}", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: Ready, status: "{ready}", lastTransitionTime: {{{{ $now | Quote }}}}}}
containerStatuses:
{{{{ range .spec.containers }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  ready: {ready.lower()}
  restartCount: 0
  state: {{running: {{startedAt: {{{{ $now | Quote }}}}}}}}
{{{{ end }}}}
"""


_ADDRESSES = """
phase: Running
startTime: {{ $now | Quote }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
{{ end }}
{{ with PodIPsWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ index . 0 | Quote }}
podIPs:
- ip: {{ index . 0 | Quote }}
{{ end }}
"""

_NODE_READY = """
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }},
   message: {{ .message | Quote }}, lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ NodeName | Quote }}}
phase: Running
"""

_PHASE, _TOLD = ".status.phase", ".metadata.deletionTimestamp"
_READY = '.status.conditions.[] | select(.type == "Ready") | .status'
_LIVES = [_absent(_TOLD), _is(_PHASE, "Running")]
_STARTS = [_absent(_TOLD), _is(_PHASE, "Pending")]
_NEEDS = f'([({_annotation(ENDS_AFTER)} // "0.2" | tonumber), .metadata.deletionGracePeriodSeconds] | min)'
_ENDS = _after(_NEEDS, "(.metadata.deletionTimestamp | fromdate) - .metadata.deletionGracePeriodSeconds")
_STARTED = "(.status.startTime | fromdate)"

STAGES = [
    _stage("node-ready", "Node", [_is_not(_READY, "True")], _status(_NODE_READY)),
    _stage(
        "pod-starts-ready",
        "Pod",
        [*_STARTS, _absent(_annotation(READY_AFTER))],
        _status(_readiness("True") + _ADDRESSES),
    ),
    _stage(
        "pod-starts", "Pod", [*_STARTS, _exists(_annotation(READY_AFTER))], _status(_readiness("False") + _ADDRESSES)
    ),
    _stage(
        "pod-gets-ready",
        "Pod",
        [*_LIVES, _is(_READY, "False"), _exists(_annotation(READY_AFTER)), _is_not(_annotation(READY_AFTER), "never")],
        _status(_readiness("True")),
        _after(f"({_annotation(READY_AFTER)} | tonumber)", _STARTED),
    ),
    _stage(
        "pod-completes",
        "Pod",
        [*_LIVES, _exists(_annotation(COMPLETES_AFTER))],
        _status("phase: Succeeded\n"),
        _after(f"({_annotation(COMPLETES_AFTER)} | tonumber)", _STARTED),
    ),
    # A told pod goes away when it has ended. One with finalizers (of a Job) first reports its end, as a kubelet does:
    # the Job's controller counts it and takes its finalizer off.
    _stage("pod-ends", "Pod", [_exists(_TOLD), _absent(".metadata.finalizers.[]")], {"delete": True}, _ENDS),
    _stage(
        "pod-ends-and-says-so",
        "Pod",
        [_exists(_TOLD), _exists(".metadata.finalizers.[]"), _is_not(_PHASE, "Failed", "Succeeded")],
        _status("phase: Failed\n"),
        _ENDS,
    ),
]


def stages_yaml() -> str:
    """The text of kwok's --config file (JSON documents are YAML)."""
    return "\n---\n".join(json.dumps(stage) for stage in STAGES)
