"""The Helm chart, rendered: what NTH's values and ours make of pods and of what is around them, and what is refused.

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

from rig.binaries import REPOSITORY
from rig.helm import CHART, QUEUE_MODE, Helm, env_of, find, kinds, pod_of


@pytest.fixture
def helm(tmp_path):
    return Helm(tmp_path)


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
        (
            {
                "tolerations": [{"key": "a", "operator": "Exists"}],
                "linuxTolerations": [{"key": "b", "operator": "Exists"}],
            },
            ["b"],
        ),
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
        (
            {},
            {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet", "priorityClassName": "system-node-critical"},
        ),
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
            QUEUE_MODE
            | {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]},
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
    assert selector.items() <= metadata["labels"].items() and "team" not in selector, (
        "a selector cannot be changed later"
    )
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
    rules = {
        "rules": [{"name": "jobs", "owners": ["Job"], "mode": "last-moment", "enoughGrace": "90s", "order": 1000000}]
    }
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
    monitor = {
        "create": True,
        "namespace": "monitoring",
        "labels": {"release": "p"},
        "interval": "15s",
        "sampleLimit": 9,
    }
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
    assert (
        service["spec"]["selector"].items()
        <= find(queue, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    )
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


# An old values file

# Every value of NTH's chart that has a default, at that default; its own image, and what was for Windows.
NTH_DEFAULTS = """
image:
  repository: public.ecr.aws/aws-ec2/aws-node-termination-handler
  tag: ""
  pullPolicy: IfNotPresent
  pullSecrets: []
nameOverride: ""
fullnameOverride: ""
serviceAccount: {create: true, name: , annotations: {}}
rbac: {create: true, pspEnabled: true}
customLabels: {}
podLabels: {}
podAnnotations: {}
podSecurityContext: {fsGroup: 1000}
securityContext:
  {readOnlyRootFilesystem: true, runAsNonRoot: true, allowPrivilegeEscalation: false, runAsUser: 1000, runAsGroup: 1000}
terminationGracePeriodSeconds:
resources: {}
nodeSelector: {}
affinity: {}
tolerations: []
extraEnv: []
probes: {httpGet: {path: /healthz, port: 8080}, initialDelaySeconds: 5, periodSeconds: 5}
logLevel: info
jsonLogging: false
enablePrometheusServer: false
prometheusServerPort: 9092
dryRun: false
cordonOnly: false
taintNode: false
excludeFromLoadBalancers: false
deleteLocalData: true
ignoreDaemonSets: true
podTerminationGracePeriod: -1
nodeTerminationGracePeriod: 120
emitKubernetesEvents: false
kubernetesEventsExtraAnnotations: ""
webhookURL: ""
webhookURLSecretName: ""
webhookProxy: ""
webhookHeaders: ""
webhookTemplate: ""
webhookTemplateConfigMapName: ""
webhookTemplateConfigMapKey: ""
enableSqsTerminationDraining: false
replicas: 1
strategy: {}
podDisruptionBudget: {}
serviceMonitor: {create: false, namespace: , labels: {}, interval: 30s, sampleLimit: 5000}
priorityClassName: system-cluster-critical
awsRegion: ""
queueURL: ""
workers: 10
checkTagBeforeDraining: true
managedTag: aws-node-termination-handler/managed
checkASGTagBeforeDraining: true
managedAsgTag: aws-node-termination-handler/managed
useProviderId: false
topologySpreadConstraints: []
targetNodeOs: linux
linuxPodLabels: {}
windowsPodLabels: {}
linuxPodAnnotations: {}
windowsPodAnnotations: {}
daemonsetPriorityClassName: system-node-critical
podMonitor: {create: false, namespace: , labels: {}, interval: 30s, sampleLimit: 5000}
updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 25%}}
metadataTries: 3
enableSpotInterruptionDraining: true
enableScheduledEventDraining: true
enableRebalanceMonitoring: false
enableRebalanceDraining: false
enableASGLifecycleDraining: true
deleteSqsMsgIfNodeNotFound: false
useHostNetwork: true
dnsPolicy: ""
dnsConfig: {}
linuxDnsPolicy: ClusterFirstWithHostNet
windowsDnsPolicy: ClusterFirst
daemonsetNodeSelector: {}
linuxNodeSelector: {}
windowsNodeSelector: {}
daemonsetAffinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions: [{key: eks.amazonaws.com/compute-type, operator: NotIn, values: [fargate]}]
linuxAffinity: {}
windowsAffinity: {}
daemonsetTolerations: [{operator: Exists}]
linuxTolerations: []
windowsTolerations: []
enableProbesServer: false
instanceMetadataURL: ""
procUptimeFile: /proc/uptime
"""


def test_nths_own_defaults_are_ours(helm):
    """So that a file in which somebody has written all of them down changes nothing, but what is said to."""
    values, mine = yaml.safe_load(NTH_DEFAULTS), helm.render()
    assert helm.render(values | {"terminationGracePeriodSeconds": 130}) == mine
    assert "terminationGracePeriodSeconds" not in pod_of(helm.render(values)), "as it is written"
    twins = {"checkASGTagBeforeDraining": None, "managedAsgTag": None, "terminationGracePeriodSeconds": 130}
    assert helm.render(values | QUEUE_MODE | twins) == helm.render(QUEUE_MODE)


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
        (
            {"repository": "r.example/spotkeeper", "digest": f"sha256:{'a' * 64}"},
            f"r.example/spotkeeper@sha256:{'a' * 64}",
        ),
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
