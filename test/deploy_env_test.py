"""NTH's Helm values become NTH's environment, name by name: its documented sets of values, rendered and compared.

What its chart sends with them was read off its own templates. Nothing is installed here.
"""

import subprocess

import pytest

from rig.binaries import spotkeeper
from rig.helm import CHART, QUEUE_MODE, Helm, env_of

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
        {
            "taintNode": True,
            "enableASGLifecycleDraining": True,
            SPOT: False,
            SCHEDULED: False,
            "daemonsetTolerations": "",
        },
        {
            "TAINT_NODE": "true",
            "ENABLE_SPOT_INTERRUPTION_DRAINING": "false",
            "ENABLE_SCHEDULED_EVENT_DRAINING": "false",
        },
    ),
    "cordon-only-test": ({"cordonOnly": True}, {"CORDON_ONLY": "true"}),
    "emit-events-test": (
        {"emitKubernetesEvents": True, SPOT: True, SCHEDULED: True},
        {"EMIT_KUBERNETES_EVENTS": "true"},
    ),
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
    "webhook-secret-test": (
        {"webhookURLSecretName": "webhooksecret"},
        {"WEBHOOK_URL": "secret:webhooksecret/webhookurl"},
    ),
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
KEYS = {
    "awsAccessKeyID": "foo",
    "awsSecretAccessKey": "bar",
    "awsRegion": "us-east-1",
    "awsEndpoint": "http://localstack.default",
}
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


def test_our_values_of_queue_mode(helm):
    values = {
        "failedDrainResult": "ABANDON",
        "abandonLaunchAfter": "10m",
        "afterTermination": "delete-node",
        "detachFromAsg": True,
    }
    assert sent(helm.render(QUEUE_MODE | values)) == QUEUE | {
        "FAILED_DRAIN_RESULT": "ABANDON",
        "ABANDON_LAUNCH_AFTER": "10m",
        "AFTER_TERMINATION": "delete-node",
        "DETACH_ASG": "true",
    }


def test_the_executable_knows_every_name_that_is_sent():
    """A name that it does not know would be lost in silence."""
    helps = [
        subprocess.run([spotkeeper(), command, "--help"], text=True, capture_output=True, check=True).stdout
        for command in ("agent", "queue")
    ]
    names = {word.strip("[](),.") for text in helps for word in text.split()}
    template = (CHART / "templates/_env.tpl").read_text()
    sent_ever = {line.split('"')[1] for line in template.splitlines() if line.strip().startswith("(list ")}
    sent_ever |= set(BOTH) | {"WEBHOOK_URL", "WEBHOOK_ROUTING_KEY"}
    # Of AWS's SDKs, which every AWS program reads.
    assert len(sent_ever) > 60 and not sent_ever - names - {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
