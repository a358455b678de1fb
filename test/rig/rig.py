"""What one test plays with: a namespace, nodes, workloads, notices and agents of its own on a shared control plane."""

import functools
import itertools
import pathlib
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import objects
from .access import Account, AgentAccess
from .agent import Agent
from .api_proxy import ApiProxy
from .binaries import spotkeeper
from .control_plane import ControlPlane
from .history import History, PodStory
from .imds import Imds
from .imds_proxy import ImdsProxy
from .kube import ApiError
from .node import Node
from .process import until
from .traffic import Traffic
from .world_plane import WorldPlane

if TYPE_CHECKING:
    from .aws.queue_rig import QueueRig

_ids = itertools.count(1)


class Rig:
    """Everything made through it is removed and stopped by `close()`, or at the end of a `with`.

    All pods select this rig's nodes, so that several rigs (tests) on one control plane never share a node.
    On an emulated control plane (WorldPlane) it works as on a real one.
    `kube` is an administrator's client in this rig's namespace; `history` knows what happened to its pods and nodes.
    `beside`: a rig on another control plane, whose queue (and AWS account) is this one's, too.
    """

    def __init__(
        self,
        control_plane: ControlPlane | WorldPlane,
        folder: pathlib.Path,
        name: str = "rig",
        beside: "Rig | None" = None,
    ):
        self.control_plane, self.folder, self._beside = control_plane, folder, beside
        folder.mkdir(parents=True, exist_ok=True)
        self.id = f"t{next(_ids)}"
        self.namespace = f"{self.id}-{name}".replace("_", "-").lower()[:50].strip("-")
        self.kube = control_plane.kube(namespace=self.namespace)
        self.nodes: list[Node] = []
        self.agents: list[Agent] = []
        self._imds: list[Imds] = []
        self._proxies: list[ApiProxy | ImdsProxy] = []
        self._traffic: list[Traffic] = []
        self._volumes: list[str] = []
        self._attachments: list[str] = []
        self._policies: list[str] = []
        self._access = AgentAccess(self.kube, self.id, folder)
        self._audit_mark = control_plane.audit.mark()
        self.kube.create("namespaces", {"metadata": {"name": self.namespace}})
        self.history = History(self.kube)

    # Nodes and workloads

    def node(self, name: str, instance_id: str | None = None, **options) -> Node:
        """A Ready node. Options: zone, labels, taints, unschedulable, cpu, memory, pods, provider_id."""
        instance_id = instance_id or f"i-0{secrets.token_hex(8)}"
        node = Node(f"{name}-{self.id}", instance_id, self.kube, self.history)
        self.kube.create("nodes", objects.node(node.name, self.id, instance_id, **options))
        self.nodes.append(node)
        until(node.is_ready, 60, f"{name} Ready")
        return node

    def deployment(
        self,
        name: str,
        replicas: int = 1,
        on: Node | None = None,
        strategy: dict | None = None,
        spec: dict | None = None,
        **pod,
    ) -> str:
        """Its first pods run on `on`, replacements anywhere. `pod`: see objects.pod_template. Returns the name.

        With `ready_after` they only run when this returns. `spec`: more of the Deployment's (minReadySeconds …).
        """
        body = objects.deployment(name, self._template(name, pod), replicas, strategy, **(spec or {}))
        return self._place("deployments", body, replicas, on, pod)

    def stateful_set(self, name: str, replicas: int = 1, on: Node | None = None, **pod) -> str:
        return self._place(
            "statefulsets", objects.stateful_set(name, self._template(name, pod), replicas), replicas, on, pod
        )

    def job(
        self,
        name: str,
        completions: int = 1,
        on: Node | None = None,
        backoff_limit: int = 6,
        spec: dict | None = None,
        **pod,
    ) -> str:
        """`spec`: more of the Job's (podFailurePolicy …)."""
        body = objects.job(name, self._template(name, pod), completions, backoff_limit, **(spec or {}))
        return self._place("jobs", body, completions, on, pod)

    def daemon_set(self, name: str, **pod) -> str:
        """One pod on each node that the rig has by now."""
        return self._place(
            "daemonsets", objects.daemon_set(name, self._template(name, pod)), len(self.nodes), None, pod
        )

    def pod(self, name: str, on: Node | None = None, mirror: bool = False, wait: bool = True, **pod) -> str:
        """A bare pod (or a mirror pod) with label app=NAME, put on `on` without asking the scheduler."""
        self.kube.create("pods", objects.pod(name, self._template(name, pod), on.name if on else None, mirror))
        if wait:
            self.until_running(name, 1, ready="ready_after" not in pod)
        return name

    def pdb(self, name: str, app: str | None = None, min_available=None, max_unavailable=None, **options) -> str:
        """A budget for the pods with label app=APP (default: NAME), in force: its controller has counted them."""
        body = objects.pdb(name, {"app": app or name}, min_available, max_unavailable, **options)
        self.kube.create("poddisruptionbudgets", body)
        pods = len(self.pods(app or name))
        until(
            lambda: self._budget(name).get("observedGeneration") and self._budget(name)["expectedPods"] >= (pods > 0),
            10,
            f"budget {name} in force",
        )
        return name

    def service(self, name: str, app: str | None = None, labels: dict | None = None, **spec) -> str:
        """Of the pods with label app=APP (default: NAME), or with these labels. `spec`: more of its own (type …)."""
        self.kube.create("services", objects.service(name, labels or {"app": app or name}, **spec))
        return name

    def traffic(self, name: str, app: str | None = None, pods: int = 1, **spec) -> Traffic:
        """A new Service, watched from now on, when it has as many Ready endpoints."""
        self.service(name, app, **spec)
        until(lambda: len(self.endpoints(name)) >= pods, 10, f"{pods} endpoints of {name}")
        self._traffic.append(Traffic(self.kube, name))
        return self._traffic[-1]

    def quota(self, pods: int) -> None:
        """The namespace may have no more pods than that; in force when this returns."""
        self.kube.create(
            "resourcequotas", {"metadata": {"name": "quota"}, "spec": {"hard": {"pods": str(pods)}}}
        )
        until(lambda: self.kube.get("resourcequotas", "quota").get("status", {}).get("used"), 10, "quota in force")

    def claim(self, name: str, mode: str = "ReadWriteOnce") -> str:
        """A PersistentVolumeClaim that is bound, and its volume."""
        volume = f"{name}-{self.id}"
        self._volumes.append(volume)
        self.kube.create("persistentvolumes", objects.volume(volume, mode, (self.namespace, name)))
        self.kube.create("persistentvolumeclaims", objects.claim(name, mode, volume))
        until(
            lambda: self.kube.get("persistentvolumeclaims", name)["status"].get("phase") == "Bound", 15, f"{name} bound"
        )
        return name

    def attach(self, claim: str, node: Node) -> str:
        """The claim's volume is attached to the node until somebody deletes the VolumeAttachment of this name."""
        name = f"{claim}-{self.id}"
        self._attachments.append(name)
        self.kube.create("volumeattachments", objects.attachment(name, f"{claim}-{self.id}", node.name))
        return name

    def admit_only(self, expression: str) -> None:
        """From now on no pod of the namespace can be created or changed that does not fulfil this CEL expression."""
        policy, canary = f"{self.id}-{len(self._policies) + 1}", "refused-by-the-policy"
        self._policies.append(policy)
        is_canary = f"object.metadata.name != '{canary}'"
        body = objects.admission_policy(policy, [expression, is_canary])
        self.kube.create("validatingadmissionpolicies", body)
        self.kube.create("validatingadmissionpolicybindings", objects.admission_binding(policy, self.namespace))
        pod = objects.pod(canary, self._template(canary, {}))

        def in_force() -> bool:
            try:
                self.kube.request("POST", f"/api/v1/namespaces/{self.namespace}/pods?dryRun=All", pod)
            except ApiError as error:
                return "ValidatingAdmissionPolicy" in str(error)
            return False

        until(in_force, 20, "admission policy in force", every=0.1)

    # Looking

    def endpoints(self, service: str) -> list[dict]:
        """The Service's endpoints that are Ready now."""
        slices = self.kube.list("endpointslices", labels=f"kubernetes.io/service-name={service}")
        return [e for s in slices for e in s.get("endpoints") or [] if e["conditions"].get("ready")]

    def pods(self, app: str | None = None, on: Node | None = None, ready: bool | None = None) -> list[dict]:
        """Pods as the API shows them now. `ready`: only those that are (True) or are not (False) Ready and staying."""
        found = self.kube.list(
            "pods", labels=f"app={app}" if app else "", fields=f"spec.nodeName={on.name}" if on else ""
        )
        return [pod for pod in found if ready in (None, objects.is_ready(pod))]

    def until_running(
        self, app: str, pods: int, at_most: float = 60, ready: bool = True, on: Node | None = None
    ) -> None:
        """As many pods of the app are Ready (`ready=False`: are Running)."""

        def enough() -> bool:
            found = self.pods(app, on)
            return pods <= sum(objects.is_ready(p) if ready else p["status"].get("phase") == "Running" for p in found)

        until(enough, at_most, f"{pods} pods of {app} {'Ready' if ready else 'Running'}")
        self.history.catch_up()

    def until_gone_from(self, node: Node, app: str | None = None, at_most: float = 20) -> None:
        """No pod of the app is on the node any more."""
        until(lambda: not node.pods(app), at_most, f"{app or 'everything'} gone from {node.name}")
        self.history.catch_up()

    def told(self, app: str, at_most: float = 0) -> PodStory:
        """The story of the app's first pod, told to go (deletionTimestamp) by now or within `at_most` seconds."""
        return until(lambda: next((s for s in self.history.pods(app) if s.told_at), None), at_most, f"{app} told")

    def api_requests(self, **wanted) -> list:
        """Requests since this rig began: `api_requests(user=agent.user, verb="create", resource="pods/eviction")`."""
        return self.control_plane.audit.requests(self._audit_mark, **wanted)

    def api_table(self, **wanted) -> dict:
        """The same, counted by (verb, resource, code)."""
        return self.control_plane.audit.table(self._audit_mark, **wanted)

    def make_unready(self, pod: str) -> None:
        """Its readiness probe fails from now on."""
        self.kube.patch("pods", pod, {"metadata": {"annotations": {objects.READY_AFTER: "never"}}})
        condition = {"type": "Ready", "status": "False", "lastTransitionTime": None}
        self.kube.patch("pods/status", pod, {"status": {"conditions": [condition]}}, "strategic-merge")

    # Notices and agents

    def imds(self, node: Node | None = None, **notice) -> Imds:
        """The metadata service of a node. `notice`: see Imds.announce; without: nothing is announced yet."""
        name = f"imds-{len(self._imds) + 1}"
        self._imds.append(Imds(self.folder, name, **({"instance_id": node.instance_id} if node else {}), **notice))
        return self._imds[-1]

    def imds_proxy(self, node: Node | None = None, shift_s: float = 0, **notice) -> ImdsProxy:
        """The same with weather in between. `shift_s`: the host's clock is so many seconds behind AWS's."""
        self._proxies.append(ImdsProxy(self.imds(node, **notice), shift_s))
        return self._proxies[-1]

    def api_proxy(self) -> ApiProxy:
        """A way to the API server with weather in it, for `agent(via=…)`."""
        self._proxies.append(ApiProxy(self.control_plane, self.folder / f"api-proxy-{len(self._proxies) + 1}"))
        return self._proxies[-1]

    def account(
        self, name: str, without: list[tuple[str, str]] | tuple = (), roles: tuple[str, ...] = ()
    ) -> Account:
        """A service account with the agent's ClusterRoles; see `agent`. `roles`: those of these files of deploy/rbac
        only, as in `roles=("agent", "agent-early-word")`."""
        return self._access.grant(name, without, roles)

    def agent(
        self,
        node: Node,
        imds: Imds | ImdsProxy,
        env: dict | None = None,
        arguments: list | tuple = (),
        without: list[tuple[str, str]] | tuple = (),
        kubeconfig: bool | Callable[[Account], pathlib.Path] = False,
        via: ApiProxy | None = None,
        account: Account | None = None,
        within: tuple[str, ...] = (),
    ) -> Agent:
        """`spotkeeper agent` on that node, as the DaemonSet starts it, with a service account of its own.

        It holds the ClusterRoles of deploy/rbac `without` some (verb, resource), as in
        `without=[("create", "pods/eviction")]`. It finds the API server as a pod does, or by a `kubeconfig` file (an
        ordinary one, or what a function makes of its account); `via` a proxy. `account`: instead of a new one.
        `within`: a command that starts it in its own way and becomes it (exec).
        """
        name = f"agent-{len(self.agents) + 1}"
        account = account or self.account(name, without)
        environment = {"NODE_NAME": node.name, "INSTANCE_METADATA_URL": imds.url, "JSON_LOGGING": "true"}
        reach, flags = self._reach(account, kubeconfig, via)
        environment |= reach | {key: str(value) for key, value in (env or {}).items()}
        command = [*within, spotkeeper(), "agent"]
        return self._start(name, command, environment, [*flags, *arguments], account)

    @functools.cached_property
    def queue(self) -> "QueueRig":
        """A queue, and the AWS that feeds it: rig/aws/queue_rig.py."""
        if self._beside:
            return self._beside.queue.of(self.node)
        from .aws.queue_rig import QueueRig  # moto takes a second to import: only those who need it wait

        return QueueRig(self.node)

    def queue_agent(
        self,
        env: dict | None = None,
        on: Node | None = None,
        arguments: list | tuple = (),
        without: list[tuple[str, str]] | tuple = (),
        via: ApiProxy | None = None,
        account: Account | None = None,
    ) -> Agent:
        """The executable as NTH's queue Deployment starts it: without a command, options in the environment. Call it
        again for another replica. `on`: the node its pod is on; default: one that is not in the API.

        It holds the ClusterRoles spotkeeper-queue… of deploy/rbac `without` some (verb, resource).
        """
        name = f"queue-{len(self.agents) + 1}"
        account = account or self._access.grant(name, without, of="spotkeeper-queue")
        environment = {
            "NODE_NAME": on.name if on else f"elsewhere-{self.id}",
            "POD_NAME": name,
            "NAMESPACE": self.namespace,
            "JSON_LOGGING": "true",
            "ENABLE_SQS_TERMINATION_DRAINING": "true",
            "QUEUE_URL": self.queue.url,
        } | self.queue.aws.environment()
        environment["AWS_ENDPOINT"] = environment.pop("AWS_ENDPOINT_URL")
        reach, flags = self._reach(account, False, via)
        environment |= reach | {key: str(value) for key, value in (env or {}).items()}
        return self._start(name, [spotkeeper()], environment, [*flags, *arguments], account)

    def _start(self, name: str, command: list, env: dict[str, str], arguments: list, account: Account) -> Agent:
        agent = Agent(command[0], self.folder, name, env, arguments, account.user, tuple(command[1:]))
        self.agents.append(agent)
        return agent

    def _reach(
        self, account: Account, kubeconfig: bool | Callable[[Account], pathlib.Path], via: ApiProxy | None
    ) -> tuple[dict[str, str], list]:
        """Environment and flags by which a child finds the API server."""
        if kubeconfig or self.control_plane.is_world:  # in a pod the API server is always https
            own = callable(kubeconfig)
            config = kubeconfig(account) if own else self.control_plane.kubeconfig(account.user, account.token)
            return {}, ["--kubeconfig", config]
        port = str((via or self.control_plane).port)
        environment = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port}
        return environment, ["--service-account-dir", account.folder]

    # The end

    def close(self) -> None:
        """Stops agents and mocks first, then removes what is in the API; nothing of it is waited for."""
        for process in [*self.agents, *self._proxies, *self._imds]:
            process.stop()
        if "queue" in self.__dict__ and not self._beside:
            self.queue.stop()
        self.history.stop()
        for traffic in self._traffic:
            traffic.stop()
        for policy in self._policies:
            self.kube.delete("validatingadmissionpolicybindings", policy)
            self.kube.delete("validatingadmissionpolicies", policy)
        self.kube.delete("namespaces", self.namespace)  # from now on nothing new can be made in it
        for pod in self.kube.list("pods"):
            if pod["metadata"].get("finalizers"):
                self.kube.patch("pods", pod["metadata"]["name"], {"metadata": {"finalizers": None}})
        self.kube.delete_all("pods", grace=0)
        for node in self.nodes:
            self.kube.delete("nodes", node.name)
        for attachment in self._attachments:
            self.kube.delete("volumeattachments", attachment)
        for volume in self._volumes:
            self.kube.delete("persistentvolumes", volume)
        self._access.revoke()
        self.kube.close()

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _template(self, app: str, pod: dict) -> dict:
        return objects.pod_template(app, self.id, **pod)

    def _budget(self, name: str) -> dict:
        return self.kube.get("poddisruptionbudgets", name).get("status", {})

    def _place(self, resource: str, body: dict, pods: int, on: Node | None, options: dict) -> str:
        """Creates a workload while `on` is the rig's only schedulable node, and waits for its pods."""
        name = body["metadata"]["name"]
        closed = [node for node in self.nodes if on and node != on and not node.is_cordoned()]
        for node in closed:
            node.cordon()
        try:
            self.kube.create(resource, body)
            self.until_running(name, pods, ready="ready_after" not in options, on=on)
        finally:
            for node in closed:
                node.uncordon()
        return name
