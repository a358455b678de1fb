"""The Helm chart, rendered: NTH's values become NTH's environment, and what else its chart does with them.

Nothing is installed here (deploy_install_test.py does that), so these tests need no control plane.
"""

import functools
import http.server
import pathlib
import shutil
import subprocess
import threading

import pytest
import yaml

from rig.binaries import REPOSITORY, spotkeeper
from rig.helm import CHART, Helm, env_of, find, kinds, pod_of

# What NTH's own chart sends with its default values, by name; "field:" is the downward API. Its deprecated twins
# CHECK_ASG_TAG_BEFORE_DRAINING and MANAGED_ASG_TAG are sent here where somebody sets them, and not always: they would
# cost a warning at each start.
BOTH = {
    "NODE_NAME": "field:spec.nodeName",
    "POD_NAME": "field:metadata.name",
    "NAMESPACE": "field:metadata.namespace",
    "CORDON_ONLY": "false",
    "DELETE_LOCAL_DATA": "true",
    "DRY_RUN": "false",
    "EMIT_KUBERNETES_EVENTS": "false",
    "ENABLE_OUT_OF_SERVICE_TAINT": "false",
    "ENABLE_PROMETHEUS_SERVER": "false",
    "EXCLUDE_FROM_LOAD_BALANCERS": "false",
    "IGNORE_DAEMON_SETS": "true",
    "JSON_LOGGING": "false",
    "LOG_FORMAT_VERSION": "1",
    "LOG_LEVEL": "info",
    "NODE_TERMINATION_GRACE_PERIOD": "120",
    "POD_TERMINATION_GRACE_PERIOD": "-1",
    "PROBES_SERVER_ENDPOINT": "/healthz",
    "PROBES_SERVER_PORT": "8080",
    "PROMETHEUS_SERVER_PORT": "9092",
    "TAINT_NODE": "false",
}
IMDS = BOTH | {
    "ENABLE_ASG_LIFECYCLE_DRAINING": "true",
    "ENABLE_PROBES_SERVER": "false",
    "ENABLE_REBALANCE_DRAINING": "false",
    "ENABLE_REBALANCE_MONITORING": "false",
    "ENABLE_SCHEDULED_EVENT_DRAINING": "true",
    "ENABLE_SPOT_INTERRUPTION_DRAINING": "true",
    "ENABLE_SQS_TERMINATION_DRAINING": "false",
    "METADATA_TRIES": "3",
    "UPTIME_FROM_FILE": "/proc/uptime",
}
QUEUE = BOTH | {
    "CHECK_TAG_BEFORE_DRAINING": "true",
    "COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS": "-1",
    "DELETE_SQS_MSG_IF_NODE_NOT_FOUND": "false",
    "ENABLE_PROBES_SERVER": "true",
    "ENABLE_SQS_TERMINATION_DRAINING": "true",
    "HEARTBEAT_INTERVAL": "-1",
    "HEARTBEAT_UNTIL": "-1",
    "MANAGED_TAG": "aws-node-termination-handler/managed",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/q",
    "SQS_MSG_VISIBILITY_TIMEOUT_SEC": "20",
    "USE_PROVIDER_ID": "false",
    "WORKERS": "10",
}
SPOT, SCHEDULED = "enableSpotInterruptionDraining", "enableScheduledEventDraining"
MONITORED = {"enablePrometheusServer": True, "podMonitor": {"create": True}}
TEMPLATE = '{"Content":"{{ .InstanceID }} {{ .StartTime }}"}'

# Values of NTH's end-to-end scripts of IMDS mode, and of its chart's manual: what they change in the environment.
ON_THE_NODE = {
    "asg-lifecycle-imds-test": (
        {"taintNode": True, "enableASGLifecycleDraining": True, SPOT: False, SCHEDULED: False, "daemonsetTolerations": ""},
        {
            "TAINT_NODE": "true",
            "ENABLE_SPOT_INTERRUPTION_DRAINING": "false",
            "ENABLE_SCHEDULED_EVENT_DRAINING": "false",
        },
    ),
    "cordon-only-test": ({"cordonOnly": True}, {"CORDON_ONLY": "true"}),
    "emit-events-test": ({"emitKubernetesEvents": True, SPOT: True, SCHEDULED: True}, {"EMIT_KUBERNETES_EVENTS": "true"}),
    "maintenance-event-dry-run-test": ({"dryRun": True}, {"DRY_RUN": "true"}),
    "maintenance-event-reboot-test": (
        {"taintNode": True, "procUptimeFile": "/uptime"},
        {"TAINT_NODE": "true", "UPTIME_FROM_FILE": "/uptime"},
    ),
    "prometheus-metrics-test": (
        {"taintNode": True, SCHEDULED: False} | MONITORED,
        {"TAINT_NODE": "true", "ENABLE_SCHEDULED_EVENT_DRAINING": "false", "ENABLE_PROMETHEUS_SERVER": "true"},
    ),
    "rebalance-recommendation-drain-test": (
        {"taintNode": True, SPOT: False, SCHEDULED: False, "enableRebalanceDraining": True},
        {
            "TAINT_NODE": "true",
            "ENABLE_SPOT_INTERRUPTION_DRAINING": "false",
            "ENABLE_SCHEDULED_EVENT_DRAINING": "false",
            "ENABLE_REBALANCE_DRAINING": "true",
        },
    ),
    "rebalance-recommendation-test": (
        {"taintNode": True, "enableRebalanceMonitoring": True},
        {"TAINT_NODE": "true", "ENABLE_REBALANCE_MONITORING": "true"},
    ),
    "spot-interruption-test": (
        {"taintNode": True, "enableOutOfServiceTaint": True, "daemonsetTolerations": ""},
        {"TAINT_NODE": "true", "ENABLE_OUT_OF_SERVICE_TAINT": "true"},
    ),
    "spot-interruption-test-events-on": (
        {
            "taintNode": True,
            "emitKubernetesEvents": True,
            "kubernetesEventsExtraAnnotations": "spot.itn.events/test=extra-annotation",
        },
        {
            "TAINT_NODE": "true",
            "EMIT_KUBERNETES_EVENTS": "true",
            "KUBERNETES_EVENTS_EXTRA_ANNOTATIONS": "spot.itn.events/test=extra-annotation",
        },
    ),
    "webhook-test": (
        {"webhookURL": "http://webhook-test-proxy.default.svc.cluster.local", "webhookTemplate": TEMPLATE},
        {"WEBHOOK_URL": "http://webhook-test-proxy.default.svc.cluster.local", "WEBHOOK_TEMPLATE": TEMPLATE},
    ),
    "webhook-http-proxy-test": (
        {"webhookURL": "http://x", "webhookTemplate": TEMPLATE, "webhookProxy": "tcp://squid.default:3128"},
        {"WEBHOOK_URL": "http://x", "WEBHOOK_TEMPLATE": TEMPLATE, "WEBHOOK_PROXY": "tcp://squid.default:3128"},
    ),
    "webhook-secret-test": ({"webhookURLSecretName": "webhooksecret"}, {"WEBHOOK_URL": "secret:webhooksecret/webhookurl"}),
    "the secret wins": (
        {"webhookURLSecretName": "webhooksecret", "webhookURL": "http://x"},
        {"WEBHOOK_URL": "secret:webhooksecret/webhookurl"},
    ),
    "a template's ConfigMap wins": (
        {
            "webhookTemplate": TEMPLATE,
            "webhookTemplateConfigMapName": "texts",
            "webhookTemplateConfigMapKey": "slack.tmpl",
            "webhookHeaders": '{"Content-type":"text/plain"}',
        },
        {"WEBHOOK_TEMPLATE_FILE": "/config/slack.tmpl", "WEBHOOK_HEADERS": '{"Content-type":"text/plain"}'},
    ),
    "the rest": (
        {
            "instanceMetadataURL": "http://imds.default:1338",
            "metadataTries": 5,
            "podTerminationGracePeriod": 1000000,
            "nodeTerminationGracePeriod": 90,
            "deleteLocalData": False,
            "ignoreDaemonSets": False,
            "excludeFromLoadBalancers": True,
            "jsonLogging": True,
            "logLevel": "DEBUG",
            "logFormatVersion": 2,
            "prometheusServerPort": 9100,
            "enableProbesServer": True,
            "probes": {"httpGet": {"path": "/live", "port": 8081}, "initialDelaySeconds": 1, "periodSeconds": 2},
            "awsRegion": "eu-central-1",
            "extraEnv": [{"name": "TAINT_EFFECT", "value": "NoExecute"}, {"name": "KUBE_API_QPS", "value": "50"}],
            # of queue mode: not sent
            "queueURL": "https://q",
            "workers": 5,
            "heartbeatInterval": 30,
            "awsAccessKeyID": "foo",
            "awsSecretAccessKey": "bar",
        },
        {
            "INSTANCE_METADATA_URL": "http://imds.default:1338",
            "METADATA_TRIES": "5",
            "POD_TERMINATION_GRACE_PERIOD": "1000000",
            "NODE_TERMINATION_GRACE_PERIOD": "90",
            "DELETE_LOCAL_DATA": "false",
            "IGNORE_DAEMON_SETS": "false",
            "EXCLUDE_FROM_LOAD_BALANCERS": "true",
            "JSON_LOGGING": "true",
            "LOG_LEVEL": "DEBUG",
            "LOG_FORMAT_VERSION": "2",
            "PROMETHEUS_SERVER_PORT": "9100",
            "ENABLE_PROBES_SERVER": "true",
            "PROBES_SERVER_PORT": "8081",
            "PROBES_SERVER_ENDPOINT": "/live",
            "AWS_REGION": "eu-central-1",
            "TAINT_EFFECT": "NoExecute",
            "KUBE_API_QPS": "50",
        },
    ),
}
KEYS = {"awsAccessKeyID": "foo", "awsSecretAccessKey": "bar", "awsRegion": "us-east-1", "awsEndpoint": "http://localstack.default"}
SENT_KEYS = {
    "AWS_ACCESS_KEY_ID": "foo",
    "AWS_SECRET_ACCESS_KEY": "bar",
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT": "http://localstack.default",
    "CHECK_TAG_BEFORE_DRAINING": "false",
}
# The same of queue mode.
OF_THE_QUEUE = {
    "spot-interruption-sqs-test": (KEYS | {"checkTagBeforeDraining": False}, SENT_KEYS),
    "asg-lifecycle-sqs-heartbeat-test": (
        KEYS
        | {
            "checkTagBeforeDraining": False,
            "completeLifecycleActionDelaySeconds": 120,
            "heartbeatInterval": 30,
            "heartbeatUntil": 100,
        },
        SENT_KEYS
        | {"COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS": "120", "HEARTBEAT_INTERVAL": "30", "HEARTBEAT_UNTIL": "100"},
    ),
    "rebalance-recommendation-sqs-node-not-found-test": (
        {"deleteSqsMsgIfNodeNotFound": True, "taintNode": True},
        {"DELETE_SQS_MSG_IF_NODE_NOT_FOUND": "true", "TAINT_NODE": "true"},
    ),
    "the rest": (
        {
            "managedTag": "team/nth",
            "managedAsgTag": "team/nth-old",
            "checkASGTagBeforeDraining": False,
            "useProviderId": True,
            "workers": 50,
            "heartbeatUntil": 172800,
            "heartbeatInterval": 3600,
            "sqsMsgVisibilityTimeoutSec": 60,
            "awsAccessKeyID": "foo",  # one of the two alone is not sent
            # of IMDS mode: not sent
            "instanceMetadataURL": "http://imds",
            "metadataTries": 9,
            "enableRebalanceDraining": True,
            "targetNodeOs": "linux windows",
        },
        {
            "MANAGED_TAG": "team/nth",
            "MANAGED_ASG_TAG": "team/nth-old",
            "CHECK_ASG_TAG_BEFORE_DRAINING": "false",
            "USE_PROVIDER_ID": "true",
            "WORKERS": "50",
            "HEARTBEAT_UNTIL": "172800",
            "HEARTBEAT_INTERVAL": "3600",
            "SQS_MSG_VISIBILITY_TIMEOUT_SEC": "60",
        },
    ),
}
QUEUE_MODE = {"enableSqsTerminationDraining": True, "queueURL": "https://sqs.us-east-1.amazonaws.com/1/q"}


@pytest.fixture
def helm(tmp_path):
    return Helm(tmp_path)


def sent(objects: list[dict]) -> dict:
    """The environment, with a word for what is no value."""

    def word(value) -> str:
        if isinstance(value, str):
            return value
        if "fieldRef" in value:
            return f"field:{value['fieldRef']['fieldPath']}"
        return f"secret:{value['secretKeyRef']['name']}/{value['secretKeyRef']['key']}"

    return {name: word(value) for name, value in env_of(objects).items()}


# The environment


def test_default_values_send_what_nths_chart_sends(helm):
    assert sent(helm.render()) == IMDS
    assert sent(helm.render(QUEUE_MODE)) == QUEUE


@pytest.mark.parametrize("name", ON_THE_NODE)
def test_nths_values_become_nths_environment_on_the_node(helm, name):
    values, changes = ON_THE_NODE[name]
    assert sent(helm.render(values)) == IMDS | changes


@pytest.mark.parametrize("name", OF_THE_QUEUE)
def test_nths_values_become_nths_environment_in_queue_mode(helm, name):
    values, changes = OF_THE_QUEUE[name]
    assert sent(helm.render(QUEUE_MODE | values)) == QUEUE | changes


def test_switches_may_be_texts(helm):
    """As with --set-string, which NTH's scripts have used."""
    values = {"enableSqsTerminationDraining": "false", "taintNode": "true", "emitKubernetesEvents": "false"}
    objects = helm.render(values)
    assert sent(objects) == IMDS | {"TAINT_NODE": "true"}
    assert not [one for one in objects if one["metadata"]["name"].endswith("-events")]


def test_our_values_become_our_environment(helm):
    values = {
        "handOver": "always",
        "enoughGrace": 30,
        "margin": 5,
        "earlyWord": True,
        "daemonSetSignal": True,
        "taintEffect": "NoExecute",
        "kubeApiQps": 20,
        "kubeApiBurst": 40,
        "enableRebalanceSoftSignal": True,
        "rebalanceTrust": "30m",
        "imdsPollInterval": "500ms",
        "lifecycleLabel": "lifecycle",
        "lifecycleLabelSpot": "Spot",
        "lifecycleLabelOnDemand": "Normal",
        "taintSpotNodes": True,
        "webhookFormat": "pagerduty",
        "webhookRoutingKeySecretName": "pager",
        "enableNodeActionsMetric": True,
        "policy": {"rules": [{"owners": ["Job"], "mode": "last-moment"}]},
    }
    assert sent(helm.render(values)) == IMDS | {
        "HAND_OVER": "always",
        "ENOUGH_GRACE": "30",
        "DRAIN_MARGIN": "5",
        "EARLY_WORD": "true",
        "DAEMON_SET_SIGNAL": "true",
        "TAINT_EFFECT": "NoExecute",
        "KUBE_API_QPS": "20",
        "KUBE_API_BURST": "40",
        "ENABLE_REBALANCE_SOFT_SIGNAL": "true",
        "REBALANCE_TRUST": "30m",
        "IMDS_POLL_INTERVAL": "500ms",
        "LIFECYCLE_LABEL": "lifecycle",
        "LIFECYCLE_LABEL_SPOT": "Spot",
        "LIFECYCLE_LABEL_ON_DEMAND": "Normal",
        "TAINT_SPOT_NODES": "true",
        "WEBHOOK_FORMAT": "pagerduty",
        "WEBHOOK_ROUTING_KEY": "secret:pager/routingkey",
        "ENABLE_NODE_ACTIONS_METRIC": "true",
        "POLICY_FILE": "/etc/spotkeeper/policy.yaml",
    }


def test_the_executable_knows_every_name_that_is_sent():
    """A name that it does not know would be lost in silence."""
    known = subprocess.run([spotkeeper(), "agent", "--help"], text=True, capture_output=True, check=True).stdout
    names = {word.strip("[](),.") for word in known.split()}
    template = (CHART / "templates/_env.tpl").read_text()
    sent_ever = {line.split('"')[1] for line in template.splitlines() if line.strip().startswith("(list ")}
    sent_ever |= set(BOTH) | {"WEBHOOK_URL", "WEBHOOK_ROUTING_KEY"}
    # Of AWS's SDKs, which every AWS program reads.
    assert len(sent_ever) > 60 and not sent_ever - names - {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


# Where it runs


@pytest.mark.parametrize(
    "values, selector",
    [
        ({}, {}),
        ({"daemonsetNodeSelector": {"lifecycle": "Ec2Spot"}}, {"lifecycle": "Ec2Spot"}),
        ({"daemonsetNodeSelector": {"lifecycle": "Ec2Spot"}, "nodeSelector": {"a": "b"}}, {"a": "b"}),
        ({"nodeSelector": {"a": "b"}, "linuxNodeSelector": {"c": "d"}}, {"c": "d"}),
        ({"nodeSelector": {"kubernetes.io/os": "linux", "a": "b"}}, {"a": "b"}),
        ({"nodeSelector": {"a": "b"}} | QUEUE_MODE, {"a": "b"}),
        ({"linuxNodeSelector": {"a": "b"}, "daemonsetNodeSelector": {"c": "d"}} | QUEUE_MODE, {}),
    ],
)
def test_node_selectors_fall_back_as_nths_do(helm, values, selector):
    assert pod_of(helm.render(values))["nodeSelector"] == {"kubernetes.io/os": "linux"} | selector


@pytest.mark.parametrize(
    "values, keys",
    [
        ({}, [None]),
        ({"daemonsetTolerations": ""}, []),
        ({"tolerations": [{"key": "a", "operator": "Exists"}]}, ["a"]),
        ({"tolerations": [{"key": "a", "operator": "Exists"}], "linuxTolerations": [{"key": "b", "operator": "Exists"}]}, ["b"]),
        (QUEUE_MODE, []),
        ({"tolerations": [{"operator": "Exists"}]} | QUEUE_MODE, [None]),
    ],
)
def test_tolerations_fall_back_as_nths_do(helm, values, keys):
    assert [one.get("key") for one in pod_of(helm.render(values)).get("tolerations", [])] == keys


def test_affinities_fall_back_as_nths_do(helm):
    def terms(values) -> list:
        rule = pod_of(helm.render(values))["affinity"]["nodeAffinity"]
        [term] = rule["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        return [one["key"] for one in term["matchExpressions"]]

    def affinity(key: str) -> dict:
        terms = [{"matchExpressions": [{"key": key, "operator": "Exists"}]}]
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}

    assert terms({}) == ["eks.amazonaws.com/compute-type"]
    assert terms({"affinity": affinity("a")}) == ["a"]
    assert terms({"affinity": affinity("a"), "linuxAffinity": affinity("b")}) == ["b"]
    assert terms({"affinity": affinity("a")} | QUEUE_MODE) == ["a"], "and no preference of ours beside it"
    [preferred] = pod_of(helm.render(QUEUE_MODE))["affinity"]["nodeAffinity"].values()
    assert {one["key"] for one in preferred[0]["preference"]["matchExpressions"]} > {"eks.amazonaws.com/capacityType"}
    assert "affinity" not in pod_of(helm.render(QUEUE_MODE | {"preferOnDemand": False}))


@pytest.mark.parametrize(
    "values, expected",
    [
        ({}, {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet", "priorityClassName": "system-node-critical"}),
        ({"useHostNetwork": False, "linuxDnsPolicy": "Default"}, {"hostNetwork": False, "dnsPolicy": "Default"}),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"]}}, {"dnsPolicy": "None"}),
        ({"daemonsetPriorityClassName": "mine"}, {"priorityClassName": "mine"}),
        ({"daemonsetPriorityClassName": "", "priorityClassName": "all"}, {"priorityClassName": "all"}),
        (QUEUE_MODE, {"hostNetwork": None, "dnsPolicy": None, "priorityClassName": "system-cluster-critical"}),
        (QUEUE_MODE | {"queueHostNetwork": True}, {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}),
        ({"terminationGracePeriodSeconds": 60}, {"terminationGracePeriodSeconds": 60}),
        ({}, {"terminationGracePeriodSeconds": 130}),
        ({"serviceAccount": {"create": False, "name": "mine"}}, {"serviceAccountName": "mine"}),
        ({"serviceAccount": {"create": False}}, {"serviceAccountName": "default"}),
        ({"image": {"pullSecrets": [{"name": "r"}]}}, {"imagePullSecrets": [{"name": "r"}]}),
        ({"podSecurityContext": {"fsGroup": 65534}}, {"securityContext": {"fsGroup": 65534}}),
        (
            QUEUE_MODE | {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]},
            {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]},
        ),
    ],
)
def test_of_the_pod(helm, values, expected):
    pod = pod_of(helm.render(values))
    assert {key: pod.get(key) for key in expected} == expected


# What else there is


def test_labels_annotations_and_names(helm):
    objects = helm.render(
        {
            "nameOverride": "nth",
            "customLabels": {"team": "a"},
            "podLabels": {"of": "all", "for": "all"},
            "linuxPodLabels": {"for": "linux"},
            "podAnnotations": {"p": "all", "q": "all"},
            "linuxPodAnnotations": {"q": "linux"},
            "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn"}},
            "updateStrategy": {"type": "OnDelete"},
            "resources": {"limits": {"memory": "64Mi"}},
        }
    )
    daemons = find(objects, "DaemonSet")
    assert daemons["metadata"]["name"] == "spotkeeper-nth"
    assert daemons["spec"]["updateStrategy"] == {"type": "OnDelete"}
    metadata = daemons["spec"]["template"]["metadata"]
    selector = daemons["spec"]["selector"]["matchLabels"]
    assert selector.items() <= metadata["labels"].items() and "team" not in selector, "a selector cannot be changed later"
    assert {"team": "a", "of": "all", "for": "linux", "k8s-app": "aws-node-termination-handler"}.items() <= metadata[
        "labels"
    ].items()
    assert metadata["annotations"] == {"p": "all", "q": "linux"}
    assert find(objects, "ServiceAccount")["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn"}
    assert all(one["metadata"]["labels"]["team"] == "a" for one in objects)
    assert pod_of(objects)["containers"][0]["resources"]["limits"] == {"memory": "64Mi"}
    long = helm.render(release="r" * 53, values={"nameOverride": "n" * 40})
    assert all(len(one["metadata"]["name"]) <= 63 for one in long if one["kind"] in ("DaemonSet", "ServiceAccount"))


def test_mounts(helm):
    def mounts(values) -> dict:
        pod = pod_of(helm.render(values))
        names = {volume["name"]: volume for volume in pod["volumes"]}
        return {mount["mountPath"]: names[mount["name"]] for mount in pod["containers"][0]["volumeMounts"]}

    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert list(mounts({})) == [account], "no hostPath: a container's /proc/uptime is the host's"
    assert mounts({"procUptimeFile": "/uptime"})["/uptime"]["hostPath"] == {"path": "/uptime"}
    assert mounts({"policyConfigMapName": "p"})["/etc/spotkeeper"]["configMap"] == {"name": "p"}
    assert mounts({"policy": {"rules": []}})["/etc/spotkeeper"]["configMap"] == {"name": "spotkeeper-policy"}
    texts = {"webhookTemplateConfigMapName": "t", "webhookTemplateConfigMapKey": "k"}
    assert mounts(texts)["/config"]["configMap"] == {"name": "t"}
    plain = pod_of(helm.render({"serviceAccount": {"tokenExpirationSeconds": 0}}))
    assert "volumes" not in plain and "automountServiceAccountToken" not in plain


def test_a_policy_arrives_as_it_is_written(helm):
    rules = {"rules": [{"name": "jobs", "owners": ["Job"], "mode": "last-moment", "enoughGrace": "90s", "order": 1000000}]}
    text = find(helm.render({"policy": rules}), "ConfigMap")["data"]["policy.yaml"]
    assert yaml.safe_load(text) == rules and "1000000" in text and "1e+06" not in text


def test_probes(helm):
    assert "livenessProbe" not in pod_of(helm.render())["containers"][0]
    probes = {"httpGet": {"path": "/live", "port": 8081}, "failureThreshold": 7}
    [container] = pod_of(helm.render({"enableProbesServer": True, "probes": probes}))["containers"]
    assert container["livenessProbe"] == {"initialDelaySeconds": 5, "periodSeconds": 5} | probes
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "liveness-probe"}
    assert container["ports"] == [{"name": "liveness-probe", "containerPort": 8081, "protocol": "TCP"}]
    [container] = pod_of(helm.render(QUEUE_MODE | {"readinessProbe": None}))["containers"]
    assert "livenessProbe" in container and "readinessProbe" not in container


def test_of_prometheus_operator(helm):
    monitor = {"create": True, "namespace": "monitoring", "labels": {"release": "p"}, "interval": "15s", "sampleLimit": 9}
    assert "PodMonitor" not in kinds(helm.render({"podMonitor": monitor})), "nothing to scrape"
    one = find(helm.render({"podMonitor": monitor, "enablePrometheusServer": True}), "PodMonitor")
    assert one["metadata"]["namespace"] == "monitoring" and one["metadata"]["labels"]["release"] == "p"
    [endpoint] = one["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["interval"], one["spec"]["sampleLimit"]) == ("http-metrics", "15s", 9)
    queue = helm.render(QUEUE_MODE | {"serviceMonitor": monitor, "podMonitor": monitor, "enablePrometheusServer": True})
    assert {"ServiceMonitor", "Service"} <= set(kinds(queue)) and "PodMonitor" not in kinds(queue)
    service = find(queue, "Service")
    assert service["spec"]["ports"][0] == {
        "name": "http-metrics",
        "port": 9092,
        "targetPort": "http-metrics",
        "protocol": "TCP",
    }
    selected = find(queue, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert selected.items() <= service["metadata"]["labels"].items()
    assert service["spec"]["selector"].items() <= find(queue, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert "Service" not in kinds(helm.render(QUEUE_MODE))


def test_a_budget_from_two_replicas_on(helm):
    budget = {"podDisruptionBudget": {"maxUnavailable": 1}}
    assert "PodDisruptionBudget" not in kinds(helm.render(QUEUE_MODE | budget))
    objects = helm.render(QUEUE_MODE | budget | {"replicas": 2, "strategy": {"type": "Recreate"}})
    assert find(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert find(objects, "Deployment")["spec"]["replicas"] == 2
    assert find(objects, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert "PodDisruptionBudget" not in kinds(helm.render(QUEUE_MODE | {"replicas": 2}))
    assert "PodDisruptionBudget" not in kinds(helm.render(budget | {"replicas": 2})), "of a DaemonSet there is none"


def test_of_older_clusters(helm):
    assert {"ValidatingAdmissionPolicy", "FlowSchema"}.isdisjoint(kinds(helm.render({}, "--kube-version", "1.28.0")))
    new = Helm(helm._folder, namespace="elsewhere").render()
    assert {"ValidatingAdmissionPolicy", "FlowSchema"} <= set(kinds(new))
    assert "FlowSchema" not in kinds(helm.render()), "kube-system has that share in any case"
    off = {"admissionPolicy": {"create": False}, "flowSchema": {"create": False}}
    new = Helm(helm._folder, namespace="elsewhere").render(off)
    assert {"ValidatingAdmissionPolicy", "FlowSchema"}.isdisjoint(kinds(new))


# What is refused, and what is said


@pytest.mark.parametrize(
    "values, why",
    [
        ({"targetNodeOs": "windows"}, 'targetNodeOs: "windows": the agent does not run on Windows nodes; say linux'),
        ({"targetNodeOs": "linux windows"}, "does not run on Windows nodes"),
        ({"enableSqsTerminationDraining": True}, "queueURL is empty"),
        ({"webhookTemplateConfigMapName": "x"}, "webhookTemplateConfigMapKey is not"),
        ({"policy": {"rules": []}, "policyConfigMapName": "x"}, "both set"),
    ],
)
def test_what_cannot_work_is_one_line(helm, values, why):
    said = helm.refusal(values)
    assert why in said and said.strip().count("\n") == 0


@pytest.mark.parametrize(
    "values, where",
    [
        ({"handOver": "sometimes"}, "handOver"),
        ({"dryRun": "yes"}, "dryRun"),
        ({"workers": "ten"}, "workers"),
        ({"prometheusServerPort": 70000}, "prometheusServerPort"),
        ({"policy": {"rule": []}}, "policy"),
        ({"admissionPolicy": {"creat": True}}, "admissionPolicy"),
        ({"probes": {"httpGet": {"path": "healthz"}}}, "probes"),
        ({"image": {"digest": "sha256:1"}}, "digest"),
    ],
)
def test_what_is_wrong_is_named_by_the_schema(helm, values, where):
    assert where in helm.refusal(values)


@pytest.mark.parametrize(
    "image, run",
    [
        ({}, "spotkeeper:VERSION"),
        ({"repository": "r.example/spotkeeper"}, "r.example/spotkeeper:VERSION"),
        ({"repository": "r.example/spotkeeper", "tag": "9"}, "r.example/spotkeeper:9"),
        ({"repository": "r.example/spotkeeper", "digest": f"sha256:{'a' * 64}"}, f"r.example/spotkeeper@sha256:{'a' * 64}"),
        ({"repository": "public.ecr.aws/aws-ec2/aws-node-termination-handler", "tag": "v1.25.6"}, "spotkeeper:VERSION"),
        ({"tag": "v1.22.1"}, "spotkeeper:VERSION"),
        ({"repository": "r.example/spotkeeper", "tag": "v1.22.1"}, "r.example/spotkeeper:VERSION"),
    ],
)
def test_the_image(helm, image, run):
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    [container] = pod_of(helm.render({"image": image}))["containers"]
    assert container["image"] == run.replace("VERSION", version)


def test_a_chart_without_its_links_is_refused_by_name(helm, tmp_path):
    """Archives that leave symbolic links out would install an agent without a single right."""
    without = tmp_path / "spotkeeper"
    shutil.copytree(CHART, without, ignore=shutil.ignore_patterns("files"))
    done = helm.try_("template", "x", without)
    assert done.returncode != 0 and "files/rbac/agent.yaml is missing from the chart" in done.stderr


def test_the_version_is_the_projects():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert f"project(spotkeeper VERSION {chart['appVersion']} " in (REPOSITORY / "CMakeLists.txt").read_text()
    for kustomization in (REPOSITORY / "deploy/kustomize").glob("**/kustomization.yaml"):
        for image in yaml.safe_load(kustomization.read_text()).get("images", []):
            assert image["newTag"] == chart["appVersion"]


# Packaged


@pytest.fixture(scope="module")
def packaged(tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("packaged")
    subprocess.run([REPOSITORY / "deploy/package", folder], check=True, capture_output=True)
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_the_packaged_chart_is_installed_by_helm_repo_add(helm, packaged):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=packaged))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        helm.run("repo", "add", "spotkeeper", f"http://127.0.0.1:{server.server_port}")
        there = helm.run("template", "spotkeeper", "spotkeeper/spotkeeper", "--no-hooks")
    finally:
        server.shutdown()
        server.server_close()
    assert list(filter(None, yaml.safe_load_all(there))) == helm.render()


@pytest.mark.parametrize(
    "file, workload",
    [
        ("all-resources.yaml", "DaemonSet"),
        ("all-resources-spot-node-selector.yaml", "DaemonSet"),
        ("all-resources-queue-processor.yaml", "Deployment"),
    ],
)
def test_kustomize_and_the_chart_make_the_same(helm, packaged, file, workload):
    """Rules, policy and pods; names and the environment's defaults are each one's own."""
    objects = list(yaml.safe_load_all((packaged / file).read_text()))
    values = {
        "emitKubernetesEvents": True,
        "earlyWord": True,
        "excludeFromLoadBalancers": True,
        "fullnameOverride": "spotkeeper-queue" if workload == "Deployment" else "spotkeeper-agent",
    }
    if "selector" in file:
        values["daemonsetNodeSelector"] = {"lifecycle": "Ec2Spot"}
    charts = helm.render(values | (QUEUE_MODE if workload == "Deployment" else {}))
    assert kinds(objects) == kinds(charts)
    for one in objects:
        other = find(charts, one["kind"], one["metadata"]["name"])
        for part in ("rules", "roleRef", "subjects"):
            assert one.get(part) == other.get(part)
        if one["kind"].startswith("Validating"):
            assert one["spec"] == other["spec"]
    mine, theirs = pod_of(objects), pod_of(charts)
    environment, wanted = env_of(objects), env_of(charts)
    environment.pop("QUEUE_URL", None)
    assert environment.items() <= wanted.items()
    del mine["containers"][0]["env"], theirs["containers"][0]["env"]
    assert mine == theirs
