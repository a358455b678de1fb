"""Queue mode as the chart installs it: a drain under its own account, with its own environment; what each right costs."""

import pytest
import requests

from deploy_scene import account_of, environment_of, install, rights
from queue_scene import Scene, soon
from rig import until
from rig.access import agent_rules
from rig.helm import QUEUE_MODE, Helm, find
from rig.process import free_port

ROLES = ("queue", "queue-events", "queue-delete-nodes")
DEPLOYMENT = "app.kubernetes.io/component=deployment"


@pytest.fixture
def helm(rig):
    helm = Helm(rig.folder, rig.control_plane, rig.namespace)
    yield helm
    helm.try_("uninstall", "spotkeeper")


def its_pod(rig) -> dict:
    def running() -> dict | None:
        found = [pod for pod in rig.kube.list("pods", labels=DEPLOYMENT) if pod["status"].get("phase") == "Running"]
        return found[0] if found else None

    return until(running, 20, "the Deployment's pod")


def probe(pod: dict, kind: str) -> bool:
    """As its kubelet would ask: by the path that the chart has given it, and the port."""
    [container] = pod["spec"]["containers"]
    asked = container[kind]["httpGet"]
    named = {port["name"]: port["containerPort"] for port in container["ports"]}
    with requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{named.get(asked['port'], asked['port'])}{asked['path']}"
        return session.get(url, timeout=5).status_code == 200


def test_a_drain_to_the_end_uses_every_right_that_the_chart_gives_and_wants_no_other(rig, helm):
    scene = Scene(rig)
    node, spare = scene.node, scene.spare
    rig.deployment("shy", on=node, grace=10)
    rig.pdb("shy", max_unavailable=0)
    rig.traffic("shy")
    rig.job("batch", on=node)
    rig.pdb("batch", min_available=1)
    rig.claim("shared", mode="ReadWriteMany")
    rig.deployment("files", on=node, claim="shared")
    rig.claim("data")
    rig.pod("with-data", on=node, claim="data")
    attached = rig.attach("data", node)
    objects = install(
        helm,
        rig,
        QUEUE_MODE
        | {
            "queueURL": rig.queue.url,
            "checkTagBeforeDraining": False,
            "emitKubernetesEvents": True,
            "afterTermination": "delete-node",
            "enoughGrace": 8,
            "jsonLogging": True,
            "taintNode": True,
            "nodeSelector": {"kubernetes.io/hostname": spare.name},
            "probes": {"httpGet": {"path": "/healthz", "port": free_port()}},
        },
    )
    pod = its_pod(rig)
    account = account_of(rig, pod)
    environment = environment_of(pod)
    agent = rig.queue_agent(environment, account=account)
    agent.wait_for_message("all rights are there")
    until(lambda: probe(pod, "readinessProbe") and probe(pod, "livenessProbe"), 45, "its probes succeed")
    scene.queue.announce_spot(node, at=soon(35))
    scene.until_cordoned()
    rig.until_gone_from(node, "with-data", at_most=35)
    rig.kube.delete("volumeattachments", attached)
    result = agent.post_mortem(at_most=45)
    assert result["untold"] == 0 and result["moved"] == 5, "regular-pod-test, shy, batch, files, with-data"
    scene.until_empty()
    scene.queue.end(node)
    scene.queue.state_change(node, "terminated")
    until(lambda: rig.kube.find("nodes", node.name) is None, 60, "the Node deleted")
    mine = rig.api_requests(user=account.user)
    assert not [one for one in mine if one.code in (401, 403, 422)], "no role stood in its way"
    roles = [one for one in objects if one["kind"] == "ClusterRole"]
    granted = rights([rule for role in roles for rule in role["rules"]])
    used = {(one.verb, one.resource) for one in mine if one.code in (200, 201)}
    # A node is read anew where another has written it meanwhile; the same event again is counted on by a patch.
    assert granted - used <= {("get", "nodes"), ("patch", "events")}, "a right that nothing uses"


def test_the_charts_roles_are_those_of_deploy_rbac(helm):
    values = QUEUE_MODE | {"emitKubernetesEvents": True, "afterTermination": "delete-node"}
    objects = helm.render(values)
    granted = [rule for one in objects if one["kind"] == "ClusterRole" for rule in one["rules"]]
    assert rights(granted) == rights(agent_rules(of="spotkeeper-queue"))
    plain = [rule for one in helm.render(QUEUE_MODE) if one["kind"] == "ClusterRole" for rule in one["rules"]]
    assert rights(plain) == rights(agent_rules(("queue",), of="spotkeeper-queue"))
    assert find(objects, "Deployment") and not [one for one in objects if one["kind"].startswith("Validating")]


@pytest.mark.parametrize("verb, resource", sorted(rights(agent_rules(("queue",), of="spotkeeper-queue"))))
def test_without_any_one_right_its_price_is_said(rig, verb, resource):
    agent = rig.queue_agent(without=[(verb, resource)])
    line = agent.wait_for_log("missing right")
    assert f"missing right {resource} {verb}: " in line
    assert "all rights are there" not in agent.output()
