"""Service accounts for agents, with the rights of deploy/rbac: the real files, all of them, tested for real."""

import copy
import dataclasses
import pathlib
import tempfile

import yaml

from .binaries import REPOSITORY
from .kube import ApiError, Kube
from .process import until

AGENT_ROLES = REPOSITORY / "deploy/rbac"


@dataclasses.dataclass(frozen=True)
class Account:
    """`folder` looks like /var/run/secrets/kubernetes.io/serviceaccount: token, ca.crt, namespace."""

    user: str
    token: str
    folder: pathlib.Path

    def write(self, **files: str) -> None:
        """Replaces the folder's content (`ca_crt=` is ca.crt) as the kubelet does: all at once, by a symbolic link."""
        now = self.folder / "..data"
        old = {path.name: path.read_text() for path in now.iterdir()} if now.exists() else {}
        new = old | {name.replace("_", "."): text for name, text in files.items()}
        version = pathlib.Path(tempfile.mkdtemp(prefix="..2026_", dir=self.folder))
        version.chmod(0o755)
        for name, text in new.items():
            (version / name).write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(now)
        for name in new:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")


def agent_rules(roles: tuple[str, ...] = (), of: str = "spotkeeper-agent") -> list[dict]:
    """The rules of every ClusterRole for the agent (its name begins with `of`) in deploy/rbac, or in these files."""
    files = [AGENT_ROLES / f"{role}.yaml" for role in roles] or sorted(AGENT_ROLES.glob("*.yaml"))
    assert files and all(file.exists() for file in files), f"{files or AGENT_ROLES}: the rights are tested from there"
    documents = [document for file in files for document in yaml.safe_load_all(file.read_text()) if document]
    roles = [one for one in documents if one["kind"] == "ClusterRole"]
    rules = [rule for one in roles if one["metadata"]["name"].startswith(of) for rule in one["rules"]]
    assert rules, f"{AGENT_ROLES} has no ClusterRole {of}"
    return rules


def request_token(kube: Kube, account: str, pod: dict | None = None) -> str:
    """A token of a service account in the client's namespace; with `pod` the one its kubelet would mount into it,
    which names that pod and its node, and dies with it."""
    spec: dict = {"expirationSeconds": 3600}
    if pod:
        metadata = pod["metadata"]
        spec["boundObjectRef"] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return kube.create("serviceaccounts/token", request, account)["status"]["token"]


def rules_without(rules: list[dict], denied: list[tuple[str, str]] | tuple) -> list[dict]:
    """The rules less some (verb, resource). A pair that no rule grants is a mistake in the test."""
    kept = copy.deepcopy(rules)
    for verb, resource in denied:
        hits = [rule for rule in kept if verb in rule["verbs"] and resource in rule.get("resources", [])]
        assert hits, f"the agent's role does not grant {verb} {resource} in the first place"
        for rule in hits:
            rule["resources"].remove(resource)
            others = [other for other in rule["verbs"] if other != verb]
            if others:
                kept.append(rule | {"resources": [resource], "verbs": others})
    return [rule for rule in kept if rule.get("resources") or rule.get("nonResourceURLs")]


def make_account(kube: Kube, user: str, token: str, folder: pathlib.Path) -> Account:
    """The folder is made, with what a pod finds in it."""
    account = Account(user, token, folder)
    folder.mkdir()
    account.write(token=token, ca_crt=kube.ca.read_text(), namespace=kube.namespace)
    return account


class AgentAccess:
    """Makes accounts in one namespace, each with a ClusterRole of its own."""

    def __init__(self, kube: Kube, prefix: str, folder: pathlib.Path):
        self._kube, self._prefix, self._folder = kube, prefix, folder
        self._made: list[str] = []

    def grant(
        self,
        name: str,
        without: list[tuple[str, str]] | tuple = (),
        roles: tuple[str, ...] = (),
        of: str = "spotkeeper-agent",
    ) -> Account:
        """An account that holds the agent's roles, in force when this returns."""
        role = f"{self._prefix}-{name}"
        rules = rules_without(agent_rules(roles, of), without)
        self._made.append(role)
        self._kube.create("serviceaccounts", {"metadata": {"name": name}})
        self._kube.create("clusterroles", {"metadata": {"name": role}, "rules": rules})
        self._kube.create(
            "clusterrolebindings",
            {
                "metadata": {"name": role},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self._kube.namespace}],
            },
        )
        user = f"system:serviceaccount:{self._kube.namespace}:{name}"
        account = make_account(self._kube, user, request_token(self._kube, name), self._folder / f"{name}-account")
        until(lambda: self._in_force(account.user, rules), 5, f"rights of {account.user} in force")
        return account

    def revoke(self) -> None:
        for role in self._made:
            self._kube.delete("clusterrolebindings", role)
            self._kube.delete("clusterroles", role)
        self._made.clear()

    def _in_force(self, user: str, rules: list[dict]) -> bool:
        """The API server's authorizer has noticed the binding. Asked as the administrator, on behalf of the user."""
        rule = next(rule for rule in rules if rule.get("resources"))
        resource, _, subresource = rule["resources"][0].partition("/")
        wanted = {
            "verb": rule["verbs"][0],
            "group": rule["apiGroups"][0],
            "resource": resource,
            "subresource": subresource,
        }
        if rule.get("resourceNames"):
            wanted["name"] = rule["resourceNames"][0]
        try:
            answer = self._kube.request(
                "POST",
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                {
                    "apiVersion": "authorization.k8s.io/v1",
                    "kind": "SubjectAccessReview",
                    "spec": {"user": user, "groups": ["system:serviceaccounts"], "resourceAttributes": wanted},
                },
            )
        except ApiError:
            return False
        return answer.json()["status"]["allowed"]
