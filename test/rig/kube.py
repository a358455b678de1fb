"""A thin client of the Kubernetes API: dictionaries in, dictionaries out. Paths are those of the API reference."""

import pathlib

import requests

_CORE = {
    "nodes",
    "pods",
    "services",
    "namespaces",
    "events",
    "secrets",
    "configmaps",
    "serviceaccounts",
    "persistentvolumeclaims",
    "persistentvolumes",
    "resourcequotas",
}
_CLUSTER_WIDE = {
    "nodes",
    "namespaces",
    "clusterroles",
    "clusterrolebindings",
    "priorityclasses",
    "persistentvolumes",
    "volumeattachments",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
}
_GROUPS = {
    "deployments": "apps/v1",
    "replicasets": "apps/v1",
    "daemonsets": "apps/v1",
    "statefulsets": "apps/v1",
    "jobs": "batch/v1",
    "poddisruptionbudgets": "policy/v1",
    "clusterroles": "rbac.authorization.k8s.io/v1",
    "clusterrolebindings": "rbac.authorization.k8s.io/v1",
    "networkpolicies": "networking.k8s.io/v1",
    "endpointslices": "discovery.k8s.io/v1",
    "priorityclasses": "scheduling.k8s.io/v1",
    "volumeattachments": "storage.k8s.io/v1",
    "validatingadmissionpolicies": "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings": "admissionregistration.k8s.io/v1",
}


class ApiError(Exception):
    """An answer of 400 or more. `code`, `reason` and `causes` are those of the Status object."""

    def __init__(self, method: str, path: str, response: requests.Response):
        try:
            self.status = response.json()
        except ValueError:
            self.status = {"message": response.text}
        self.code = response.status_code
        self.reason = self.status.get("reason")
        self.causes = [cause.get("reason") for cause in (self.status.get("details") or {}).get("causes") or []]
        self.headers = response.headers
        super().__init__(f"{method} {path}: {self.code} {self.reason}: {self.status.get('message')}")


def path_of(resource: str, namespace: str | None, name: str | None = None) -> str:
    """`path_of("pods", "shop", "web-1")` → /api/v1/namespaces/shop/pods/web-1. A subresource: "pods/eviction"."""
    resource, _, subresource = resource.partition("/")
    group = "/api/v1" if resource in _CORE else f"/apis/{_GROUPS[resource]}"
    scope = f"/namespaces/{namespace}" if namespace and resource not in _CLUSTER_WIDE else ""
    return group + scope + f"/{resource}" + (f"/{name}" if name else "") + (f"/{subresource}" if subresource else "")


class Kube:
    """One user's view of the API server. `namespace` is the default of all calls. Not for use by several threads."""

    def __init__(self, server: str, ca: pathlib.Path, token: str, namespace: str = "default"):
        self.server, self.ca, self.token, self.namespace = server, ca, token, namespace
        self._session = requests.Session()
        self._session.trust_env = False  # else CURL_CA_BUNDLE and REQUESTS_CA_BUNDLE replace the cluster's CA
        self._session.verify = str(ca)
        self._session.headers["Authorization"] = f"Bearer {token}"

    def within(self, namespace: str) -> "Kube":
        """The same user with another default namespace, on a connection of its own."""
        return Kube(self.server, self.ca, self.token, namespace)

    def request(self, method: str, path: str, body=None, at_most: float = 30, **options) -> requests.Response:
        response = self._session.request(method, self.server + path, json=body, timeout=at_most, **options)
        if response.status_code >= 400:
            raise ApiError(method, path, response)
        return response

    def get(self, resource: str, name: str) -> dict:
        return self.request("GET", self._path(resource, name)).json()

    def find(self, resource: str, name: str) -> dict | None:
        """Like get, but None when there is no such object."""
        try:
            return self.get(resource, name)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(self, resource: str, labels: str = "", fields: str = "", everywhere: bool = False) -> list[dict]:
        path = path_of(resource, None if everywhere else self.namespace)
        return self.request("GET", path, params={"labelSelector": labels, "fieldSelector": fields}).json()["items"]

    def create(self, resource: str, body: dict, name: str | None = None) -> dict:
        """`name` is for subresources only: `create("pods/eviction", {…}, "web-1")`."""
        return self.request("POST", self._path(resource, name), body).json()

    def apply(self, resource: str, body: dict) -> dict:
        """Creates it, or changes the one that is there (server-side apply)."""
        return self.request(
            "PATCH",
            self._path(resource, body["metadata"]["name"]),
            body,
            params={"fieldManager": "rig", "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
        ).json()

    def patch(self, resource: str, name: str, change: dict, kind: str = "merge") -> dict:
        """`kind`: merge, strategic-merge or json."""
        return self.request(
            "PATCH", self._path(resource, name), change, headers={"Content-Type": f"application/{kind}-patch+json"}
        ).json()

    def delete(self, resource: str, name: str, grace: int | None = None) -> None:
        """Without complaint when it is gone already."""
        try:
            self.request("DELETE", self._path(resource, name), {} if grace is None else {"gracePeriodSeconds": grace})
        except ApiError as error:
            if error.code != 404:
                raise

    def delete_all(self, resource: str, grace: int | None = None, labels: str = "") -> None:
        self.request(
            "DELETE",
            path_of(resource, self.namespace),
            {} if grace is None else {"gracePeriodSeconds": grace},
            params={"labelSelector": labels},
        )

    def evict(self, pod: str, grace: int | None = None, uid: str | None = None) -> dict:
        """The Eviction API. A PodDisruptionBudget that allows nothing: ApiError 429 with cause DisruptionBudget."""
        options: dict = {} if grace is None else {"gracePeriodSeconds": grace}
        if uid:
            options["preconditions"] = {"uid": uid}
        return self.create(
            "pods/eviction",
            {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "deleteOptions": options,
                "metadata": {"name": pod, "namespace": self.namespace},
            },
            pod,
        )

    def watch(self, resource: str, since: str, everywhere: bool = False) -> requests.Response:
        """The raw stream after resourceVersion `since`: one JSON event a line. Close it to end it."""
        path = path_of(resource, None if everywhere else self.namespace)
        return self.request("GET", path, at_most=None, stream=True, params={"watch": "1", "resourceVersion": since})

    def close(self) -> None:
        self._session.close()

    def _path(self, resource: str, name: str | None) -> str:
        return path_of(resource, self.namespace, name)
