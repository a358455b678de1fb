"""Scripts that run on a real control plane and on the emulated one, and write down what they saw.

Each takes a `Witness` and does the same with both; what must be the same is written down, what may differ (names,
versions, times) is not, or in words that hide it. world_test.py compares the two records.
"""

import re

import requests

from rig import ApiError, Rig, TooLate, until

HISTORIES = {}
WRONG_UID = "12345678-1234-1234-1234-123456789abc"
BY_TYPE = ("type", "status", "reason")  # of a condition


def history(function):
    HISTORIES[function.__name__] = function
    return function


class Witness:
    """A rig, and the record of what was seen: (what, value) in order."""

    def __init__(self, rig: Rig, record: list):
        self.rig, self.kube, self.record = rig, rig.kube, record

    def note(self, what: str, value=True) -> None:
        self.record.append((what, value))

    def call(self, what: str, function, *arguments, **options):
        """Calls, writes down the code or the whole refusal, and gives the answer (None for a refusal)."""
        try:
            answer = function(*arguments, **options)
        except ApiError as error:
            self.note(what, self.refusal(error))
            return None
        self.note(what, answer.status_code if isinstance(answer, requests.Response) else "done")
        return answer

    def raw(self, what: str, method: str, path: str, body=None, **options):
        return self.call(what, self.kube.request, method, path, body, **options)

    def refusal(self, error: ApiError) -> dict:
        details = error.status.get("details") or {}
        return {
            "code": error.code,
            "kind": error.status.get("kind"),
            "reason": error.reason,
            "message": self.plain(error.status.get("message", "")),
            "causes": [
                (cause.get("reason"), self.plain(cause.get("message", "")), cause.get("field"))
                for cause in details.get("causes") or []
            ],
            "about": (details.get("kind"), details.get("group"), self.plain(details.get("name", ""))),
            "retry": (details.get("retryAfterSeconds"), error.headers.get("Retry-After")),
        }

    def plain(self, text: str) -> str:
        """Without what two runs never have in common."""
        for story in self.rig.history.pods():
            text = re.sub(rf"(?<![\w-]){re.escape(story.name)}(?![\w-])", f"pod({story.app})", text)
        text = text.replace(self.rig.namespace, "NAMESPACE").replace(self.rig.id, "RIG")
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID", text)
        text = re.sub(r"\b[0-9]{2,}\b", "N", text)
        text = re.sub(r"Invalid value: \{.*\}: ", "Invalid value: ", text)  # a dump of a Go structure
        text = re.sub(r"(json parse error).*", r"\1", text)
        return text.partition("\n@@")[0]  # … and the difference of two

    # Looking

    def evict(self, what: str, pod: str, **options):
        return self.call(what, self.kube.evict, pod, **options)

    def names(self, app: str, **options) -> list[str]:
        """Oldest first."""
        pods = sorted(self.rig.pods(app, **options), key=lambda p: p["metadata"]["creationTimestamp"])
        return [pod["metadata"]["name"] for pod in pods]

    def budget(self, name: str) -> dict:
        status = self.rig.kube.get("poddisruptionbudgets", name)["status"]
        keys = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
        return {key: status.get(key) for key in keys}

    def budget_becomes(self, name: str, **wanted) -> None:
        """Waits for it, and writes the whole status down."""

        def there() -> bool:
            return wanted.items() <= self.budget(name).items()

        until(there, 10, f"budget {name} {wanted}")
        conditions = self.kube.get("poddisruptionbudgets", name)["status"].get("conditions", [])
        seen = [{key: c.get(key) for key in BY_TYPE} for c in conditions]
        self.note(f"budget {name}", self.budget(name) | {"conditions": seen})

    def conditions(self, resource: str, name: str, *types: str) -> list[dict]:
        found = self.kube.get(resource, name)["status"].get("conditions", [])
        picked = [{key: c.get(key) for key in BY_TYPE} for c in found if not types or c["type"] in types]
        return sorted(picked, key=lambda c: c["type"])

    def endpoints(self, service: str) -> list[tuple]:
        """(ready, serving, terminating) of each endpoint."""
        slices = self.kube.list("endpointslices", labels=f"kubernetes.io/service-name={service}")
        found = [e["conditions"] for s in slices for e in s.get("endpoints") or []]
        return sorted((c.get("ready"), c.get("serving"), c.get("terminating")) for c in found)

    def becomes(self, what: str, look, wanted, at_most: float = 10) -> None:
        """Waits for it and writes it down. That it never comes breaks the history off: on either plane that fails."""

        seen = None

        def there() -> bool:
            nonlocal seen
            seen = look()
            return seen == wanted

        try:
            until(there, at_most, what)
        except TooLate:
            raise TooLate(f"after {at_most} s: {what} is {seen!r}, not {wanted!r}") from None
        self.note(what, wanted)


def two_nodes(rig: Rig):
    return rig.node("n1"), rig.node("n2")
