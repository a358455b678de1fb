"""What deploy/ holds for Kubernetes, installed on a real API server by the commands people use: helm, kubectl apply -k.

The DaemonSet controller is the real one. kwok's kubelets start nothing, so where the agent itself is wanted it runs
beside, with the environment and the token of the pod that the chart has made.
"""

import json
import re
import shlex
import shutil
import subprocess
import threading

import pytest
import yaml

from deploy_scene import account_of, environment_of, install, pod_on, rights, until_daemons
from rig import until
from rig.access import agent_rules
from rig.binaries import REPOSITORY, binary, crds, spotkeeper
from rig.helm import CHART, KUSTOMIZE, QUEUE_MODE, Helm, Kubectl, find
from rig.kube import ApiError, Kube
from rig.node import TAINT
from rig.objects import RIG
from rig.person import Person
from rig.stages import COMPLETES_AFTER

MONITORS = {"create": True, "labels": {"release": "p"}}
EVERYTHING = {
    "emitKubernetesEvents": True,
    "earlyWord": True,
    "excludeFromLoadBalancers": True,
    "enablePrometheusServer": True,
    "enableProbesServer": True,
    "podMonitor": MONITORS,
    "serviceMonitor": MONITORS,
    "prometheusRule": MONITORS,
    "grafanaDashboard": MONITORS,
    "policy": {"rules": [{"owners": ["Job"], "mode": "last-moment"}]},
    "webhookTemplateConfigMapName": "t",
    "webhookTemplateConfigMapKey": "k",
    "webhookURLSecretName": "s",
    "procUptimeFile": "/uptime",
    "admissionPolicy": {"evictions": True},
    "lifecycleLabel": "kind",
    "podDisruptionBudget": {"minAvailable": 1},
    "replicas": 2,
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {}},
        }
    ],
    "customLabels": {"team": "a"},
    "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
}
MATRIX = {
    "default": {},
    "everything": EVERYTHING,
    "least": {
        "handOver": "never",
        "rbac": {"volumes": False},
        "admissionPolicy": {"create": False},
        "flowSchema": {"create": False},
        "serviceAccount": {"tokenExpirationSeconds": 0},
        "useHostNetwork": False,
        "updateStrategy": {"type": "OnDelete"},
        "daemonsetTolerations": "",
        "daemonsetAffinity": "",
        "resources": "",
    },
    "no roles": {"rbac": {"create": False}, "serviceAccount": {"create": False}},
    "queue": QUEUE_MODE,
    "queue, everything": EVERYTHING | QUEUE_MODE | {"strategy": {"type": "RollingUpdate"}},
    "queue, no preference": QUEUE_MODE | {"preferOnDemand": False, "queueHostNetwork": True, "readinessProbe": None},
}


@pytest.fixture(scope="module")
def kubectl(control_plane):
    """With the kinds of Prometheus' operator known."""
    kubectl = Kubectl(control_plane)
    names = []
    for file in crds():
        kubectl.run("create", "-f", file)
        names.append(f"crd/{yaml.safe_load(file.read_text())['metadata']['name']}")
    kubectl.run("wait", "--for=condition=Established", "--timeout=20s", *names)
    yield kubectl
    kubectl.run("delete", "--wait=false", *names)


@pytest.fixture
def helm(rig):
    """In the rig's namespace; what it has installed is removed with it."""
    helm = Helm(rig.folder, rig.control_plane, rig.namespace)
    yield helm
    for release in json.loads(helm.run("list", "--output", "json", "--all")):
        helm.run("uninstall", release["name"])


# The whole of what is rendered, judged by the API server


@pytest.mark.parametrize("name", MATRIX)
def test_helm_lint(helm, name):
    said = helm.run("lint", "--strict", CHART, values=MATRIX[name])
    assert "0 chart(s) failed" in said and "WARNING" not in said


@pytest.mark.parametrize("name", MATRIX)
def test_the_api_server_knows_every_field(rig, helm, kubectl, name):
    """Strictly: an unknown or double field is an error. Defaults are left to it, so the rest is validated, too."""
    text = helm.run("template", "spotkeeper", CHART, values=MATRIX[name])
    done = kubectl.try_(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict", "--namespace", rig.namespace, "-f", "-"),
        text=text,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied") == sum(1 for one in yaml.safe_load_all(text) if one)


@pytest.mark.parametrize("overlay", ["base", "overlays/spot-node-selector", "overlays/queue"])
def test_the_api_server_knows_every_field_of_kustomize(kubectl, overlay):
    kubectl.run("apply", "--server-side", "--dry-run=server", "--validate=strict", "-k", KUSTOMIZE / overlay)


# Installed


def test_one_agent_on_each_spot_node(rig, helm):
    spot = {"lifecycle": "Ec2Spot"}
    for name in ("s1", "s2"):
        rig.node(name, labels=spot, taints=[{"key": "team", "value": "a", "effect": "NoSchedule"}])
    plain = rig.node("n3")
    install(helm, rig, {"daemonsetNodeSelector": spot})
    until_daemons(rig, 2)
    rig.kube.patch("nodes", plain.name, {"metadata": {"labels": spot}})
    until_daemons(rig, 3)
    assert len(rig.kube.list("pods", labels="k8s-app=aws-node-termination-handler")) == 3


def test_kubectl_apply_k(rig, kubectl):
    """As it is, into kube-system; only nodes with the label lifecycle: Ec2Spot get an agent."""
    rig.node("s1", labels={"lifecycle": "Ec2Spot"})
    rig.node("n2")
    system = rig.kube.within("kube-system")
    overlay = KUSTOMIZE / "overlays/spot-node-selector"
    try:
        kubectl.run("apply", "-k", overlay)
        until(lambda: system.get("daemonsets", "spotkeeper-agent")["status"].get("numberReady") == 1, 20, "one agent")
        assert system.get("daemonsets", "spotkeeper-agent")["status"]["desiredNumberScheduled"] == 1
        assert system.find("validatingadmissionpolicies", "spotkeeper-agent-own-node")
        assert not system.find("serviceaccounts", "spotkeeper-queue"), "the other mode's account is not there"
        assert "unchanged" in kubectl.run("apply", "-k", overlay), "twice is once"
    finally:
        kubectl.run("delete", "--ignore-not-found", "-k", overlay)
        system.close()


def test_kubectl_apply_k_of_queue_mode(rig, kubectl):
    rig.node("n1")
    system = rig.kube.within("kube-system")
    try:
        kubectl.run("apply", "-k", KUSTOMIZE / "overlays/queue")
        until(lambda: system.get("deployments", "spotkeeper-queue")["status"].get("readyReplicas") == 1, 20, "it runs")
        assert not system.find("serviceaccounts", "spotkeeper-agent")
    finally:
        kubectl.run("delete", "--ignore-not-found", "-k", KUSTOMIZE / "overlays/queue")
        system.close()


def test_the_queues_pod_is_rather_on_demand(rig, helm):
    """One node that is not Spot among three: it goes there, and to a Spot node where there is no other."""
    rig.node("s1")  # the rig's nodes have eks.amazonaws.com/capacityType: SPOT
    rig.node("s2", labels={"lifecycle": "Ec2Spot"})
    on_demand = rig.node("d1", labels={"eks.amazonaws.com/capacityType": "ON_DEMAND"})
    install(helm, rig, QUEUE_MODE | {"nodeSelector": {RIG: rig.id}})
    labels = "app.kubernetes.io/component=deployment"

    def where() -> list:
        return [pod["spec"].get("nodeName") for pod in rig.kube.list("pods", labels=labels)]

    until(lambda: where() == [on_demand.name], 20, "on the node that stays")
    on_demand.cordon()
    rig.kube.delete_all("pods", grace=0, labels=labels)
    until(lambda: where() and None not in where() and on_demand.name not in where(), 20, "on a Spot node")


def test_notes_say_what_is_unusual(rig, helm):
    image = {"repository": "public.ecr.aws/aws-ec2/aws-node-termination-handler", "tag": "v1.25.6"}

    def notes(values: dict) -> str:
        return helm.run("install", "x", CHART, "--dry-run=server", values=values).partition("NOTES:")[2]

    assert "is run instead" in notes({"image": image}) and "spotkeeper:0.1.0" in notes({"image": image})
    assert "NOTE:" not in notes({"image": {"repository": "r.example/spotkeeper"}})
    assert "needs the roles of deploy/rbac" in notes({"rbac": {"create": False}})
    assert "IAM role" in notes(QUEUE_MODE | {"awsAccessKeyID": "foo"})


def test_an_upgrade_replaces_nths_release(rig, helm):
    """The release that NTH's users have, with their values file: helm upgrade, and one set of agents is left."""
    rig.node("n1")
    old = rig.folder / "nth"
    (old / "templates").mkdir(parents=True)
    (old / "Chart.yaml").write_text("{apiVersion: v2, name: aws-node-termination-handler, version: 0.27.6}")
    labels = {"app.kubernetes.io/name": "aws-node-termination-handler", "app.kubernetes.io/instance": "nth"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nth", "image": "nth"}]}}
    workload = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "aws-node-termination-handler"},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }
    (old / "templates/daemonset.yaml").write_text(yaml.safe_dump(workload))
    release = "aws-node-termination-handler"
    values = {"taintNode": True, "nodeSelector": {RIG: rig.id}, "image": {"tag": "v1.25.6"}}
    (old / "values.yaml").write_text("image: {repository: public.ecr.aws/aws-ec2/aws-node-termination-handler}")
    helm.run("install", release, old, values=values)
    helm.run("upgrade", release, CHART, "--reset-then-reuse-values")
    [installed] = rig.kube.list("daemonsets")
    [container] = installed["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "spotkeeper:0.1.0" and {"name": "TAINT_NODE", "value": "true"} in container["env"]
    assert [one["metadata"]["name"] for one in rig.kube.list("daemonsets")] == [f"{release}-spotkeeper"]
    until_daemons(rig, 1, f"{release}-spotkeeper")


# Under its own account


def test_a_drain_to_the_end_uses_every_right_that_the_chart_gives_and_wants_no_other(rig, helm):
    """Environment, account, roles and admission policy are what helm has installed; nothing else is added."""
    node, _ = rig.node("n1"), rig.node("n2")
    rig.deployment("web", replicas=2, on=node)
    rig.deployment("shy", on=node)
    rig.pdb("shy", max_unavailable=0)
    rig.traffic("shy", type="LoadBalancer", externalTrafficPolicy="Local")
    rig.stateful_set("db", on=node)
    rig.job("batch", on=node)
    rig.pdb("batch", min_available=1)
    rig.claim("shared", mode="ReadWriteMany")
    rig.deployment("files", on=node, claim="shared")
    rig.claim("data")
    rig.pod("with-data", on=node, claim="data")
    attached = rig.attach("data", node)
    imds = rig.imds(node)
    values = {
        "instanceMetadataURL": imds.url,
        "jsonLogging": True,
        "taintNode": True,
        "enoughGrace": 8,
        "emitKubernetesEvents": True,
        "earlyWord": True,
        "excludeFromLoadBalancers": True,
        "admissionPolicy": {"evictions": True},
    }
    objects = install(helm, rig, values)
    until_daemons(rig, 2)
    pod = pod_on(rig, node)
    account = account_of(rig, pod)
    theirs = Kube(rig.kube.server, rig.kube.ca, account.token, rig.namespace)
    until(lambda: refused_elsewhere(theirs, rig.nodes[1].name), 15, "the policy in force")
    agent = rig.agent(node, imds, environment_of(pod), account=account)
    agent.wait_for_message("all rights are there")
    imds.announce(spot=True, time_in_s=35)
    rig.until_gone_from(node, "with-data", at_most=30)
    rig.kube.delete("volumeattachments", attached)
    result = agent.post_mortem(at_most=40)
    assert (result["moved"], result["untold"]) == (7, 0), "two web, shy, db, batch, files, with-data"
    assert node.is_marked() and node.taint(TAINT)
    mine = [one for one in rig.api_requests(user=account.user) if one.name != rig.nodes[1].name]
    assert not [one for one in mine if one.code in (401, 403, 422)], "neither roles nor policies stood in its way"
    roles = [one for one in objects if one["kind"] == "ClusterRole"]
    granted = rights([rule for role in roles for rule in role["rules"]])
    used = {(one.verb, one.resource) for one in mine if one.code in (200, 201)}
    # The same event again is counted on by a patch: nth_telling_test.py has what repeats.
    assert granted - used <= {("patch", "events")}, "a right that nothing uses"
    theirs.close()


def refused_elsewhere(kube: Kube, node: str) -> bool:
    try:
        kube.request(
            "PATCH",
            f"/api/v1/nodes/{node}?dryRun=All",
            {"spec": {"unschedulable": True}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
    except ApiError as error:
        return "ValidatingAdmissionPolicy" in str(error)
    return False


def test_the_charts_roles_are_those_of_deploy_rbac(rig, helm):
    """So that what other tests show of those holds for the chart's."""
    values = {"emitKubernetesEvents": True, "earlyWord": True, "excludeFromLoadBalancers": True}
    roles = [one for one in helm.render(values) if one["kind"] == "ClusterRole"]
    granted = [rule for role in roles for rule in role["rules"]]
    assert sorted(map(json.dumps, granted)) == sorted(map(json.dumps, agent_rules()))


@pytest.mark.parametrize("verb, resource", sorted(rights(agent_rules()) - {("patch", "events"), ("create", "events")}))
def test_without_any_one_right_its_price_is_said(rig, verb, resource):
    """The price itself is what agent_weather_test.py and extras_test.py are about; without events: nth_telling_test.py."""
    node = rig.node("n1")
    agent = rig.agent(node, rig.imds(node), without=[(verb, resource)])
    line = agent.wait_for_log("missing right")
    assert f"missing right {resource} {verb}: " in line
    assert "all rights are there" not in agent.output()


def test_helm_test_plans_a_node_under_the_agents_account(rig, helm):
    node = rig.node("n1")
    rig.deployment("web", on=node)
    install(helm, rig)
    until_daemons(rig, 1)
    done: list = []
    test = threading.Thread(target=lambda: done.append(helm.try_("test", "spotkeeper", "--timeout", "30s")))
    test.start()
    name = f"spotkeeper-{rig.id}-test"
    pod = until(lambda: scheduled(rig, name), 20, "the test's pod on a node")
    [container] = pod["spec"]["containers"]
    command = [one.replace("$(NODE_NAME)", pod["spec"]["nodeName"]) for one in container["args"]]
    account = account_of(rig, pod)
    with Person(rig.control_plane.kubeconfig(account.user, account.token)) as inside:
        plan = inside.run(*command)
    assert plan.returncode == 0, plan.stderr
    assert node.name in plan.stdout and "web" in plan.stdout and "missing right" not in plan.stderr
    rig.kube.patch("pods", name, {"metadata": {"annotations": {COMPLETES_AFTER: "0.1"}}})  # its kubelet runs nothing
    test.join(40)
    assert done and done[0].returncode == 0, done and done[0].stderr
    assert "Phase:          Succeeded" in done[0].stdout


def scheduled(rig, name: str) -> dict | None:
    pod = rig.kube.find("pods", name)
    return pod if pod and pod["spec"].get("nodeName") else None


def test_outside_of_kube_system_it_has_the_share_of_system_accounts(rig, helm):
    node = rig.node("n1")
    install(helm, rig)
    until_daemons(rig, 1)
    account = account_of(rig, pod_on(rig, node))
    schema = rig.kube.request("GET", f"/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/spotkeeper-{rig.id}").json()
    agent = Kube(rig.kube.server, rig.kube.ca, account.token, rig.namespace)

    def ours() -> bool:
        headers = agent.request("GET", f"/api/v1/nodes/{node.name}").headers
        return headers.get("X-Kubernetes-PF-FlowSchema-UID") == schema["metadata"]["uid"]

    until(ours, 20, "its requests are counted to its own FlowSchema")
    assert schema["spec"]["priorityLevelConfiguration"]["name"] == "workload-high"
    agent.close()


# Pod Security


def enforce(rig, level: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level, "pod-security.kubernetes.io/enforce-version": "latest"}
    rig.kube.patch("namespaces", rig.namespace, {"metadata": {"labels": labels}})


@pytest.mark.parametrize("values", [{"useHostNetwork": False}, {"useHostNetwork": False, "policy": {"rules": []}}])
def test_without_the_hosts_network_it_is_restricted(rig, helm, values):
    enforce(rig, "restricted")
    rig.node("n1")
    install(helm, rig, values)
    until_daemons(rig, 1)


def test_queue_mode_is_restricted(rig, helm):
    enforce(rig, "restricted")
    rig.node("n1")
    install(helm, rig, QUEUE_MODE | {"nodeSelector": {RIG: rig.id}})
    name = f"spotkeeper-{rig.id}"
    until(lambda: rig.kube.get("deployments", name)["status"].get("readyReplicas") == 1, 20, "it runs")


@pytest.mark.parametrize(
    "values, why",
    [({}, "host namespaces (hostNetwork=true)"), ({"useHostNetwork": False, "procUptimeFile": "/u"}, "hostPath")],
)
def test_what_needs_more_than_baseline(rig, helm, values, why):
    """The host's network, and a file of the host in place of /proc/uptime; nothing else."""
    enforce(rig, "baseline")
    rig.node("n1")
    install(helm, rig, values)
    until(lambda: any(why in one.get("message", "") for one in rig.kube.list("events")), 20, f"refused for {why}")
    assert not rig.kube.list("pods", labels="k8s-app=aws-node-termination-handler")


# The manual


def manual(heading: str) -> list[str]:
    """The commands that docs/install.md shows under that heading, without their comments."""
    part = (REPOSITORY / "docs/install.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    text = part.partition("```sh\n")[2].partition("```")[0].replace("\\\n", " ")
    found = [line.partition(" # ")[0].strip() for line in text.splitlines() if line.strip()]
    assert found, f"commands under {heading}"
    return found


@pytest.mark.parametrize("heading", ["Kubernetes, by Helm", "Queue mode", "Coming from aws-node-termination-handler"])
def test_helms_commands_in_the_manual(rig, helm, heading):
    """Each as it stands, but that nothing is made: by the API server's dry run, in this test's namespace."""
    if "upgrade aws-node" in manual(heading)[0]:
        helm.run("install", "aws-node-termination-handler", CHART)
    for command in manual(heading):
        words = shlex.split(command)
        if words[:2] == ["helm", "upgrade"]:
            cut = words.index("--namespace")
            words = [word.replace("deploy/helm/spotkeeper", str(CHART)) for word in words[1:cut] + words[cut + 2 :]]
            said = helm.run(*words, "--dry-run=server")
            assert "REGISTRY/spotkeeper:0.1.0" in said
            assert ("is run instead" in said) is False
        else:  # made for real by the tests above
            assert words[0] in ("kubectl", "helm")


def test_kustomizes_commands_in_the_manual(kubectl, tmp_path):
    for command in manual("Kubernetes, by kustomize"):
        words = shlex.split(command)
        assert words[:3] == ["kubectl", "apply", "-k"]
        kubectl.run("apply", "--dry-run=server", "-k", REPOSITORY / words[3])
    shutil.copytree(REPOSITORY / "deploy", tmp_path / "deploy")
    text = (REPOSITORY / "docs/install.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    mine = tmp_path / "deploy/kustomize/overlays/mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(text)
    daemons = find(list(yaml.safe_load_all(kubectl.run("kustomize", mine))), "DaemonSet")
    [container] = daemons["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "REGISTRY/spotkeeper:0.1.0"
    assert {"name": "TAINT_NODE", "value": "true"} in container["env"]


def test_every_value_in_the_manual_is_one():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    text = (REPOSITORY / "docs/install.md").read_text()
    named = set(re.findall(r"--set ([A-Za-z]+)", text)) | set(re.findall(r"^\| `([A-Za-z]+)(?:\.[a-z]+)?`", text, re.M))
    assert len(named) >= 8 and named <= set(values) | {"ImagePullBackOff"}


# And away again


def test_uninstalled_nothing_is_left_but_marks_which_undo_takes_back(rig, helm, kubectl):
    """docs/install.md, "Uninstall", word by word."""
    node, other = rig.node("n1"), rig.node("n2")
    rig.deployment("web", on=node)
    imds = rig.imds(node)
    values = {
        "instanceMetadataURL": imds.url,
        "jsonLogging": True,
        "taintNode": True,
        "enoughGrace": 8,
        "lifecycleLabel": "lifecycle",
        "taintSpotNodes": True,
        "excludeFromLoadBalancers": True,
    }
    install(helm, rig, values)
    until_daemons(rig, 2)
    pod = pod_on(rig, node)
    agent = rig.agent(node, imds, environment_of(pod), account=account_of(rig, pod))
    imds.announce(spot=True, time_in_s=15)
    rig.until_gone_from(node, "web")
    agent.post_mortem(at_most=20)
    agent.terminate()
    until(lambda: imds.seconds_left() < 0, 20, "the deadline, and the host lives on")
    helm.run("uninstall", "spotkeeper")
    label = "app.kubernetes.io/instance=spotkeeper"
    everything = (
        "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,flowschemas"
    )
    assert not kubectl.run("get", everything, "-l", label, "-o", "name").strip()
    left = kubectl.run("get", "all,configmaps,serviceaccounts", "-n", rig.namespace, "-l", label, "-o", "name")
    assert not [line for line in left.splitlines() if not line.startswith("pod/")], "pods end in their own time"
    assert node.is_marked() and not other.is_marked()

    for command in manual("Uninstall"):
        run_as_a_person(rig, command)
    assert not node.is_marked() and not node.is_cordoned() and not node.taints()
    for one in (node, other):
        assert one.label("lifecycle") is None
        assert one.label("node.kubernetes.io/exclude-from-external-load-balancers") is None


def run_as_a_person(rig, command: str) -> None:
    """A line of the manual, in a shell that has kubectl and spotkeeper; of `--all` only the nodes that are this test's."""
    tools = rig.folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, program in (("kubectl", binary("kubectl")), ("spotkeeper", spotkeeper())):
        if not (tools / name).exists():
            (tools / name).symlink_to(program)
    command = command.replace("nodes --all", f"nodes -l {RIG}={rig.id}").replace(
        "get nodes", f"get nodes -l {RIG}={rig.id}"
    )
    env = {"HOME": str(tools), "PATH": f"{tools}:/usr/bin:/bin", "KUBECONFIG": str(rig.control_plane.kubeconfig())}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], env=env, text=True, capture_output=True, check=False
    )
    not_there = done.stderr.startswith("error: taint ") and done.stderr.count("\n") == 1
    assert done.returncode == 0 or not_there, f"{command}\n{done.stdout}{done.stderr}"
