"""Scripts that run on a real control plane and on the emulated one, and write down what they saw.

Each takes a `Witness` and does the same with both; what must be the same is written down, what may differ (names,
versions, times) is not, or in words that hide it. world_test.py compares the two records.
"""

import contextlib
import json
import re
import time

import requests

from rig import ApiError, Rig, TooLate, objects, until
from rig.kube import path_of

HISTORIES = {}
WRONG_UID = "12345678-1234-1234-1234-123456789abc"
BY_TYPE = ("type", "status", "reason")


def history(function):
    HISTORIES[function.__name__] = function
    return function


class Witness:
    """A rig, and the record of what was seen: (what, value) in order."""

    def __init__(self, rig: Rig):
        self.rig, self.kube, self.record = rig, rig.kube, []

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
        """Writes down that it came to that; or what it was instead."""
        try:
            until(lambda: look() == wanted, at_most, what)
            self.note(what, wanted)
        except TooLate:
            self.note(what, ("never", look()))


def two_nodes(rig: Rig):
    return rig.node("n1"), rig.node("n2")


# Evictions and budgets


@history
def an_open_budget_is_used_up_and_comes_back(w: Witness):
    first, second = two_nodes(w.rig)
    w.rig.deployment("web", replicas=2, on=first, ready_after=1)
    w.rig.pdb("web", max_unavailable=1)
    first.cordon()
    w.budget_becomes("web", disruptionsAllowed=1)
    one, other = w.names("web")
    w.evict("the first", one)
    w.note("at once", w.budget("web")["disruptionsAllowed"])
    w.budget_becomes("web", disruptionsAllowed=0, currentHealthy=1)
    w.evict("the second", other)
    w.rig.until_running("web", 1, on=second)
    w.budget_becomes("web", disruptionsAllowed=1, currentHealthy=2)
    w.evict("the second, later", other)
    w.rig.until_gone_from(first, "web")
    w.rig.until_running("web", 2, on=second)
    stories = w.rig.history.pods("web", first.name)
    w.note("order told", [[one, other].index(s.name) for s in sorted(stories, key=lambda s: s.told_at)])
    w.note("grace", [s.grace for s in stories])
    w.note("disrupted", [s.disrupted for s in stories])
    target = [c for c in stories[0].last["status"]["conditions"] if c["type"] == "DisruptionTarget"][0]
    w.note("target", {key: target.get(key) for key in (*BY_TYPE, "message")})


@history
def a_closed_budget_refuses(w: Witness):
    node, spare = two_nodes(w.rig)
    w.rig.deployment("web", on=node)
    w.rig.pdb("web", max_unavailable=0)
    w.rig.deployment("many", replicas=3, on=node)
    w.rig.pdb("many", min_available=3)
    for app in ("web", "many"):
        w.budget_becomes(app, disruptionsAllowed=0, currentHealthy={"web": 1, "many": 3}[app])
        w.evict(f"evict {app}", w.names(app)[0])
    uid = w.rig.history.pods("web")[0].uid
    w.evict("with the right uid", w.names("web")[0], uid=uid)
    w.evict("with a wrong uid", w.names("web")[0], uid=WRONG_UID)
    w.raw("delete passes it", "DELETE", path_of("pods", w.rig.namespace, w.names("web")[0]), {})
    w.rig.until_running("web", 1)


@history
def a_wrong_uid_costs_an_open_budget(w: Witness):
    node, spare = two_nodes(w.rig)
    w.rig.deployment("web", replicas=2, on=node)
    w.rig.pdb("web", max_unavailable=1)
    w.budget_becomes("web", disruptionsAllowed=1)
    one, other = w.names("web")
    w.evict("with a wrong uid", one, uid=WRONG_UID)
    status = w.kube.get("poddisruptionbudgets", "web")["status"]
    w.note("then allowed", status["disruptionsAllowed"])
    w.note("then disrupted", len(status.get("disruptedPods", {})))
    w.evict("another", other)
    w.note("told", [s.told_at for s in w.rig.history.pods("web")])


@history
def a_wrong_uid_without_a_budget(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("lone", on=node)
    w.evict("with a wrong uid", "lone", uid=WRONG_UID)
    w.evict("right", "lone", uid=w.rig.history.pod("lone").uid, grace=7)
    w.note("grace", w.rig.told("lone", at_most=2).grace)


@history
def two_budgets_for_one_pod(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", replicas=2, on=node)
    w.rig.pdb("web", max_unavailable=1)
    w.rig.pdb("also", app="web", min_available=0)
    w.budget_becomes("also", disruptionsAllowed=2)
    w.evict("evict", w.names("web")[0])


@history
def unready_pods_and_both_policies(w: Witness):
    node = w.rig.node("n1")
    for app, policy in {"sick": None, "free": "AlwaysAllow"}.items():
        w.rig.deployment(app, on=node, ready_after="never")
        w.rig.pdb(app, min_available=1, unhealthy=policy)
        w.budget_becomes(app, expectedPods=1, currentHealthy=0)
        w.evict(f"evict {app}", w.names(app)[0])
    w.rig.deployment("half", replicas=3, on=node)
    w.rig.pdb("half", min_available=2)
    w.budget_becomes("half", disruptionsAllowed=1)
    bad, good, _ = w.names("half")
    w.rig.make_unready(bad)
    w.budget_becomes("half", disruptionsAllowed=0, currentHealthy=2)
    w.evict("a ready one", good)
    w.evict("the unready one", bad)


@history
def a_pending_pod_passes_its_budget(w: Witness):
    node = w.rig.node("n1", unschedulable=True)
    w.kube.create("deployments", objects.deployment("web", w.rig._template("web", {}), 1))
    until(lambda: w.rig.pods("web"), 5, "pod there")
    w.becomes("scheduled", lambda: w.conditions("pods", w.names("web")[0]),
              [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}])
    w.note("phase", w.rig.pods("web")[0]["status"]["phase"])
    w.rig.pdb("web", max_unavailable=0)
    w.budget_becomes("web", expectedPods=1, currentHealthy=0)
    w.evict("evict", w.names("web")[0])
    node.uncordon()
    w.rig.until_running("web", 1, on=node)


@history
def budgets_in_percent(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("three", replicas=3, on=node)
    w.rig.deployment("ten", replicas=10, on=node)
    for app, ready in {"three": 3, "ten": 10}.items():
        for field, share in [("min_available", "50%"), ("max_unavailable", "25%"), ("min_available", "34%"),
                             ("max_unavailable", "1%"), ("min_available", "100%"), ("max_unavailable", "0%")]:
            name = f"{app}-{field[:3]}-{share[:-1]}"
            w.rig.pdb(name, app=app, **{field: share})
            w.budget_becomes(name, expectedPods=ready, currentHealthy=ready)


@history
def a_budget_changes_and_goes(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", replicas=2, on=node)
    w.rig.pdb("web", min_available=2)
    w.budget_becomes("web", disruptionsAllowed=0, currentHealthy=2)
    w.kube.patch("poddisruptionbudgets", "web", {"spec": {"minAvailable": 1}})
    w.budget_becomes("web", disruptionsAllowed=1)
    w.note("generation", w.kube.get("poddisruptionbudgets", "web")["metadata"]["generation"])
    w.raw("delete", "DELETE", path_of("poddisruptionbudgets", w.rig.namespace, "web"))
    one, other = w.names("web")
    w.evict("one", one)
    w.evict("the other", other)


@history
def a_terminating_namespace_takes_nothing_new(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("slow", on=node, grace=30, ends_after=4)
    uid = w.rig.history.pod("slow").uid
    answer = w.raw("delete the namespace", "DELETE", path_of("namespaces", None, w.rig.namespace))
    w.note("phase", answer.json()["status"]["phase"])
    w.evict("evict", "slow", uid=uid)
    w.call("create a pod", w.kube.create, "pods", objects.pod("late", w.rig._template("late", {}), node.name))
    w.call("create a budget", w.kube.create, "poddisruptionbudgets", objects.pdb("late", {}, 1))
    w.rig.told("slow", at_most=15)
    w.raw("delete the pod", "DELETE", path_of("pods", w.rig.namespace, "slow"), {"preconditions": {"uid": uid}})


# Deletions, patches


@history
def deletions_with_preconditions(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("lone", on=node, grace=20, ends_after=1)
    path = path_of("pods", w.rig.namespace, "lone")
    uid = w.rig.history.pod("lone").uid
    w.raw("wrong uid", "DELETE", path, {"preconditions": {"uid": WRONG_UID}})
    w.raw("wrong version", "DELETE", path, {"preconditions": {"resourceVersion": "99999999"}})
    w.raw("dry run", "DELETE", path, {"dryRun": ["All"]})
    w.note("told", w.rig.history.pod("lone").told_at)
    answer = w.raw("right", "DELETE", path, {"preconditions": {"uid": uid}, "gracePeriodSeconds": 9})
    w.note("answer", (answer.json()["kind"], answer.json()["metadata"].get("deletionGracePeriodSeconds")))
    w.evict("evict one that ends", "lone")
    w.rig.until_gone_from(node, "lone")
    w.raw("again", "DELETE", path, {})
    w.note("disrupted", w.rig.history.pod("lone").disrupted)


@history
def a_second_deletion_shortens_and_never_lengthens(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("stubborn", on=node, grace=60, ends_after=50)
    path = path_of("pods", w.rig.namespace, "stubborn")
    for grace in (40, 45, 20, 30, 2):
        answer = w.raw(f"grace {grace}", "DELETE", path, {"gracePeriodSeconds": grace})
        meta = answer.json()["metadata"]
        w.note("grace now", meta["deletionGracePeriodSeconds"])
    w.rig.until_gone_from(node, "stubborn", at_most=8)


@history
def forced_and_unscheduled_deletions(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("forced", on=node, ends_after=20)
    answer = w.raw("grace 0", "DELETE", path_of("pods", w.rig.namespace, "forced"), {"gracePeriodSeconds": 0})
    w.note("answer", answer.json()["kind"])
    w.note("gone at once", w.kube.find("pods", "forced") is None)
    body = objects.pod("nowhere", w.rig._template("nowhere", {"node_selector": {"no": "such"}}))
    w.kube.create("pods", body)
    w.raw("unscheduled", "DELETE", path_of("pods", w.rig.namespace, "nowhere"))
    w.note("gone at once", w.kube.find("pods", "nowhere") is None)
    w.rig.pod("done", on=node, completes_after=0.2, wait=False, restartPolicy="Never")
    w.becomes("phase", lambda: w.kube.get("pods", "done")["status"]["phase"], "Succeeded")
    w.evict("evict a finished one", "done")
    w.becomes("gone", lambda: w.kube.find("pods", "done") is None, True)


@history
def finalizers_hold_a_pod(w: Witness):
    node = w.rig.node("n1")
    body = objects.pod("held", w.rig._template("held", {"ends_after": 0.1}), node.name)
    body["metadata"]["finalizers"] = ["example.com/hold"]
    w.kube.create("pods", body)
    w.rig.until_running("held", 1)
    w.raw("delete", "DELETE", path_of("pods", w.rig.namespace, "held"), {"gracePeriodSeconds": 1})
    w.becomes("phase", lambda: w.kube.get("pods", "held")["status"]["phase"], "Failed")
    w.note("still there", "deletionTimestamp" in w.kube.get("pods", "held")["metadata"])
    w.call("let go", w.kube.patch, "pods", "held", {"metadata": {"finalizers": None}})
    w.becomes("gone", lambda: w.kube.find("pods", "held") is None, True)


@history
def patches_and_their_preconditions(w: Witness):
    node = w.rig.node("n1")
    old = node.object()["metadata"]["resourceVersion"]
    w.call("a label", w.kube.patch, "nodes", node.name, {"metadata": {"labels": {"a": "b"}}})
    w.call("stale version", w.kube.patch, "nodes", node.name, {"metadata": {"resourceVersion": old}, "spec": {}})
    stale = {"metadata": {"resourceVersion": old}, "spec": {"unschedulable": True}}
    w.call("stale version with a change", w.kube.patch, "nodes", node.name, stale)
    now = {"metadata": {"resourceVersion": node.object()["metadata"]["resourceVersion"]}}
    w.call("right version", w.kube.patch, "nodes", node.name, now | {"spec": {"unschedulable": True}})
    wrong = {"metadata": {"uid": WRONG_UID, "labels": {"c": "d"}}}
    w.call("wrong uid", w.kube.patch, "nodes", node.name, wrong)
    w.call("no such node", w.kube.patch, "nodes", "nobody", {"metadata": {"labels": {"a": "b"}}})
    w.note("labels", {k: v for k, v in node.object()["metadata"]["labels"].items() if len(k) == 1})
    taints = [{"key": "x", "effect": "NoSchedule", "value": "1"}, {"key": "y", "effect": "PreferNoSchedule"}]
    w.call("taints", w.kube.patch, "nodes", node.name, {"spec": {"taints": taints}}, "strategic-merge")
    w.becomes("keys", lambda: sorted(t["key"] for t in node.taints()), ["x", "y"])
    w.call("one taint", w.kube.patch, "nodes", node.name, {"spec": {"taints": taints[:1]}}, "strategic-merge")
    w.note("keys", [t["key"] for t in node.taints()])
    w.call("null", w.kube.patch, "nodes", node.name, {"metadata": {"labels": {"a": None}}})
    w.note("label", node.label("a") if "a" in node.object()["metadata"]["labels"] else None)
    before = node.object()["metadata"]["resourceVersion"]
    w.call("nothing", w.kube.patch, "nodes", node.name, {"metadata": {"labels": {"zz": None}}})
    w.note("same version", before == node.object()["metadata"]["resourceVersion"])
    test = [{"op": "test", "path": "/spec/unschedulable", "value": False}]
    w.call("a JSON patch whose test fails", w.kube.patch, "nodes", node.name, test, "json")
    add = [{"op": "add", "path": "/metadata/labels/j", "value": "k"}]
    w.call("a JSON patch", w.kube.patch, "nodes", node.name, add, "json")
    w.note("label", node.label("j"))
    body = node.object()
    body["metadata"]["resourceVersion"] = old
    w.raw("PUT, stale", "PUT", path_of("nodes", None, node.name), body)
    body = node.object()
    body["spec"].pop("unschedulable", None)
    w.raw("PUT", "PUT", path_of("nodes", None, node.name), body)
    w.note("cordoned", node.is_cordoned())
    body["metadata"]["name"] = "other"
    w.raw("PUT, other name", "PUT", path_of("nodes", None, node.name), body)


@history
def patches_of_pods(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("lone", on=node)
    uid = w.rig.history.pod("lone").uid
    w.call("uid and label", w.kube.patch, "pods", "lone", {"metadata": {"uid": uid, "labels": {"a": "b"}}})
    w.call("wrong uid", w.kube.patch, "pods", "lone", {"metadata": {"uid": WRONG_UID, "labels": {"a": "c"}}})
    w.call("spec", w.kube.patch, "pods", "lone", {"spec": {"nodeName": "elsewhere"}})
    w.note("node", w.kube.get("pods", "lone")["spec"]["nodeName"] == node.name)
    target = {"type": "DisruptionTarget", "status": "True", "reason": "SpotInterruption", "message": "x",
              "lastTransitionTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    change = {"metadata": {"uid": uid}, "status": {"conditions": [target]}}
    w.call("a condition", w.kube.patch, "pods/status", "lone", change, "strategic-merge")
    w.note("conditions", w.conditions("pods", "lone", "DisruptionTarget", "Ready", "PodScheduled"))
    wrong = change | {"metadata": {"uid": WRONG_UID}}
    w.call("a condition, wrong uid", w.kube.patch, "pods/status", "lone", wrong, "strategic-merge")
    w.call("status by the main resource", w.kube.patch, "pods", "lone", {"status": {"phase": "Failed"}})
    w.note("phase", w.kube.get("pods", "lone")["status"]["phase"])


# Where pods go


@history
def a_cordoned_node_gets_no_replacement(w: Witness):
    first, second = two_nodes(w.rig)
    w.rig.deployment("web", replicas=2, on=first)
    first.cordon()
    for name in w.names("web"):
        w.kube.evict(name)
    w.rig.until_gone_from(first, "web")
    w.rig.until_running("web", 2, on=second)


@history
def nothing_schedulable_means_pending(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", on=node)
    node.cordon()
    w.kube.evict(w.names("web")[0])
    w.rig.until_gone_from(node, "web")
    until(lambda: w.rig.pods("web"), 5, "replacement")
    name = w.names("web")[0]
    w.becomes("why", lambda: w.conditions("pods", name),
              [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}])
    w.note("phase", w.kube.get("pods", name)["status"]["phase"])
    w.becomes("deployment", lambda: w.conditions("deployments", "web"), [
        {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}], 3)
    node.uncordon()
    w.rig.until_running("web", 1, on=node)


@history
def taints_and_tolerations(w: Witness):
    first, second = two_nodes(w.rig)
    w.rig.deployment("plain", on=first)
    w.rig.deployment("brave", on=first, tolerations=[{"key": "gone", "operator": "Exists"}])
    first.add_taint("gone", effect="NoExecute")
    w.rig.until_gone_from(first, "plain")
    w.rig.until_running("plain", 1, on=second)
    story = w.rig.history.pods("plain", first.name)[0]
    targets = [c for c in story.last["status"]["conditions"] if c["type"] == "DisruptionTarget"]
    w.note("told by", [{key: c.get(key) for key in (*BY_TYPE, "message")} for c in targets])
    w.note("grace", story.grace)
    w.note("brave stays", len(first.pods("brave")))


@history
def a_full_node_takes_no_more(w: Witness):
    node = w.rig.node("n1", pods=3)
    w.kube.create("deployments", objects.deployment("web", w.rig._template("web", {}), 4))
    w.rig.until_running("web", 3, on=node)
    w.becomes("without a place", lambda: len(w.kube.list("pods", fields="spec.nodeName=")), 1)
    w.call("scale", w.kube.patch, "deployments/scale", "web", {"spec": {"replicas": 2}})
    w.becomes("left", lambda: len(w.rig.pods("web")), 2)
    w.note("without a place", len(w.kube.list("pods", fields="spec.nodeName=")))


# Workloads


@history
def a_stateful_pod_is_replaced_after_its_end(w: Witness):
    node = w.rig.node("n1")
    w.rig.stateful_set("db", replicas=2, on=node, ends_after=1.5)
    w.note("names", sorted(w.names("db")))
    old = w.rig.history.pod("db-0")
    w.evict("evict", "db-0")
    w.rig.told("db", at_most=2)
    until(lambda: w.rig.history.pod("db-0").uid != old.uid, 8, "replaced")
    w.rig.until_running("db", 2)
    stories = [s for s in w.rig.history.pods("db") if s.name == "db-0"]
    w.note("stories", len(stories))
    w.note("after the end", stories[1].created_at >= stories[0].gone_at - 0.05)
    w.note("other one", w.rig.history.pod("db-1").told_at)
    status = w.kube.get("statefulsets", "db")["status"]
    w.becomes("status", lambda: (w.kube.get("statefulsets", "db")["status"].get("readyReplicas")), 2)
    w.note("replicas", status["replicas"])


@history
def a_jobs_pod_that_is_told_counts_as_failed(w: Witness):
    node = w.rig.node("n1")
    for name, call in {"deleted": w.kube.delete, "evicted": None}.items():
        w.rig.job(name, on=node)
        pod = w.names(name)[0]
        w.kube.delete("pods", pod) if call else w.kube.evict(pod)
        w.becomes(f"{name}: failed", lambda: w.kube.get("jobs", name)["status"].get("failed"), 1)
        w.note("disrupted", w.rig.told(name, at_most=2).disrupted)
    for name in ("deleted", "evicted"):
        w.becomes(f"{name}: again", lambda: len(w.rig.pods(name, ready=True)), 1, 15)
        first, second = w.rig.history.pods(name)
        w.note("after its end", second.created_at >= first.told_at)


@history
def a_job_that_may_not_retry_fails(w: Witness):
    node = w.rig.node("n1")
    w.rig.job("once", on=node, backoff_limit=0)
    w.kube.evict(w.names("once")[0])
    w.becomes("conditions", lambda: w.conditions("jobs", "once"), [
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"},
        {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded"}])
    w.note("failed", w.kube.get("jobs", "once")["status"]["failed"])


@history
def a_job_can_ignore_disruptions(w: Witness):
    node = w.rig.node("n1")
    body = objects.job("calm", w.rig._template("calm", {}), 1, 0)
    body["spec"]["podFailurePolicy"] = {
        "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
    }
    w.rig._place("jobs", body, 1, node, {})
    w.kube.evict(w.names("calm")[0])
    w.becomes("replaced", lambda: len(w.rig.history.pods("calm")), 2, 15)
    w.rig.until_running("calm", 1)
    w.note("failed", w.kube.get("jobs", "calm")["status"].get("failed", 0))


@history
def a_job_completes(w: Witness):
    node = w.rig.node("n1")
    w.rig.job("short", on=node, completions=2, completes_after=0.5)
    w.becomes("conditions", lambda: w.conditions("jobs", "short"), [
        {"type": "Complete", "status": "True", "reason": "CompletionsReached"},
        {"type": "SuccessCriteriaMet", "status": "True", "reason": "CompletionsReached"}])
    status = w.kube.get("jobs", "short")["status"]
    w.note("status", {key: status.get(key) for key in ("succeeded", "failed", "active", "ready")})
    w.note("ended", "completionTime" in status)
    w.note("pods", sorted(p["status"]["phase"] for p in w.rig.pods("short")))


@history
def a_daemon_returns_even_to_a_cordoned_node(w: Witness):
    first, second = two_nodes(w.rig)
    w.rig.daemon_set("shipper")
    first.cordon()
    old = w.rig.history.pods("shipper", first.name)[0]
    w.evict("evict", old.name)
    w.becomes("back", lambda: len(w.rig.history.pods("shipper", first.name)), 2)
    w.becomes("ready", lambda: len(w.rig.pods("shipper", ready=True)), 2)
    third = w.rig.node("n3")
    w.becomes("on a new node", lambda: len(third.pods("shipper")), 1)
    w.becomes("desired", lambda: w.kube.get("daemonsets", "shipper")["status"]["desiredNumberScheduled"], 3)
    keys = [t["key"] for t in w.rig.pods("shipper")[0]["spec"]["tolerations"]]
    w.note("tolerates", sorted(keys))


@history
def a_deployment_is_scaled(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", replicas=3, on=node)
    scale = w.kube.request("GET", path_of("deployments/scale", w.rig.namespace, "web")).json()
    w.note("scale", {key: scale.get(key) for key in ("kind", "apiVersion", "spec", "status")})
    w.call("to 1", w.kube.patch, "deployments/scale", "web", {"spec": {"replicas": 1}})
    w.becomes("left", lambda: len(w.rig.pods("web")), 1)
    w.call("to 4", w.kube.patch, "deployments", "web", {"spec": {"replicas": 4}})
    w.becomes("ready", lambda: len(w.rig.pods("web", ready=True)), 4)

    def status():
        found = w.kube.get("deployments", "web")["status"]
        return {key: found.get(key) for key in ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")}

    w.becomes("status", status, {"replicas": 4, "readyReplicas": 4, "availableReplicas": 4, "updatedReplicas": 4})
    meta = w.kube.get("deployments", "web")["metadata"]
    w.note("generation", (meta["generation"], meta["annotations"]["deployment.kubernetes.io/revision"]))
    w.call("to 0", w.kube.patch, "deployments", "web", {"spec": {"replicas": 0}})
    w.becomes("left", lambda: len(w.rig.pods("web")), 0)
    w.note("of replica sets", [r["spec"]["replicas"] for r in w.kube.list("replicasets", labels="app=web")])


def _roll(w: Witness, replicas: int) -> None:
    before = {s.uid for s in w.rig.history.pods("web")}
    change = {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}
    w.call("roll", w.kube.patch, "deployments", "web", change)

    def rolled() -> bool:
        staying = w.rig.pods("web", ready=True)
        return len(staying) == replicas and not before & {p["metadata"]["uid"] for p in w.rig.pods("web")}

    until(rolled, 15, "rolled")
    w.rig.history.catch_up()
    w.note("pods ever", len(w.rig.history.pods("web")))
    w.note("revision", w.kube.get("deployments", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"])
    w.becomes("replica sets",
              lambda: sorted((r["spec"]["replicas"], r["status"]["replicas"])
                             for r in w.kube.list("replicasets", labels="app=web")), [(0, 0), (replicas, replicas)])
    w.becomes("progress", lambda: w.conditions("deployments", "web", "Progressing"),
              [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}])


@history
def a_rolling_update(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", replicas=4, on=node, ready_after=0.4)
    w.becomes("ready", lambda: len(w.rig.pods("web", ready=True)), 4)
    _roll(w, 4)
    stories = w.rig.history.pods("web")
    # A ReplicaSet's two halves of one step race each other for some milliseconds.
    told = [(s.told_at - 0.15, -1) for s in stories if s.told_at]
    moments = sorted([(s.created_at, 1) for s in stories] + told)
    most = now = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    w.note("at most 5 at a time", most <= 5)
    ready = sorted([(s.ready_at, 1) for s in stories] + [(s.told_at, -1) for s in stories if s.told_at])
    least, now = 99, 0
    for at, step in ready:
        now += step
        if at > max(s.ready_at for s in stories[:4]):
            least = min(least, now)
    w.note("never fewer than 3 ready", least >= 3)


@history
def a_recreation(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", replicas=2, on=node, strategy={"type": "Recreate"}, ends_after=0.5)
    _roll(w, 2)
    stories = w.rig.history.pods("web")
    w.note("never both", max(s.gone_at for s in stories[:2]) <= min(s.created_at for s in stories[2:]) + 0.05)


@history
def a_released_pod_and_its_return(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", replicas=1, on=node)
    w.rig.service("web")
    w.rig.pdb("web", max_unavailable=0)
    w.budget_becomes("web", currentHealthy=1)
    old = w.rig.history.pods("web")[0]
    digest = w.kube.get("pods", old.name)["metadata"]["labels"]["pod-template-hash"]
    release = {"metadata": {"uid": old.uid, "labels": {"pod-template-hash": "released"}}}
    began = time.time()
    w.call("release", w.kube.patch, "pods", old.name, release)
    until(lambda: len(w.rig.history.pods("web")) == 2, 3, "replacement")
    w.note("at once", w.rig.history.pods("web")[1].created_at - began < 0.5)
    w.becomes("owner", lambda: w.kube.get("pods", old.name)["metadata"].get("ownerReferences"), None, 2)
    w.rig.until_running("web", 2)
    w.becomes("in the service", lambda: w.endpoints("web"), [(True, True, False)] * 2)
    w.becomes("budget", lambda: w.budget("web"),
              {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 1}, 4)
    w.call("restore", w.kube.patch, "pods", old.name,
           {"metadata": {"uid": old.uid, "labels": {"pod-template-hash": digest}}})
    w.becomes("left", lambda: len(w.rig.pods("web")), 1)
    left = w.rig.pods("web")[0]["metadata"]
    w.note("owned", [o["kind"] for o in left.get("ownerReferences", [])])
    w.note("who was let go", w.rig.history.pods("web").index(
        next(s for s in w.rig.history.pods("web") if s.uid != left["uid"])))


@history
def a_released_pod_is_moved_within_its_budget(w: Witness):
    first, second = two_nodes(w.rig)
    w.rig.deployment("web", replicas=3, on=first)
    w.rig.pdb("web", min_available=3)
    w.budget_becomes("web", currentHealthy=3, disruptionsAllowed=0)
    first.cordon()
    names = w.names("web")
    for name in names:
        w.kube.patch("pods", name, {"metadata": {"labels": {"pod-template-hash": "released"}}})
    w.rig.until_running("web", 3, on=second)
    w.becomes("allowed", lambda: w.budget("web")["disruptionsAllowed"], 3)
    for name in names:
        w.evict("evict", name)
    w.rig.until_gone_from(first, "web")
    w.note("left", len(w.rig.pods("web", ready=True)))


@history
def orphans_and_dependents(w: Witness):
    node = w.rig.node("n1")
    for name, policy in {"kept": "Orphan", "swept": "Background"}.items():
        w.rig.deployment(name, on=node)
        answer = w.raw(policy, "DELETE", path_of("deployments", w.rig.namespace, name), {"propagationPolicy": policy})
        w.note("answer", answer.json()["kind"])
    w.becomes("swept", lambda: len(w.rig.pods("swept")), 0)
    w.becomes("orphaned", lambda: [r["metadata"].get("ownerReferences")
                                   for r in w.kube.list("replicasets", labels="app=kept")], [None])
    w.note("kept", len(w.rig.pods("kept", ready=True)))


@history
def a_service_and_its_endpoints(w: Witness):
    node = w.rig.node("n1")
    w.rig.service("web")
    w.becomes("nobody", lambda: w.endpoints("web"), [])
    w.rig.deployment("web", on=node, ready_after=1, ends_after=1.5)
    w.becomes("not yet", lambda: w.endpoints("web"), [(False, False, False)])
    w.becomes("ready", lambda: w.endpoints("web"), [(True, True, False)])
    w.call("scale", w.kube.patch, "deployments", "web", {"spec": {"replicas": 0}})
    w.becomes("ending", lambda: w.endpoints("web"), [(False, True, True)])
    w.becomes("gone", lambda: w.endpoints("web"), [])


# Reading


def _events(response: requests.Response, enough: int, into: list) -> None:
    """Until there are enough, or the watch ends by its own time."""
    for line in response.iter_lines(chunk_size=None):
        into.append(json.loads(line))
        if len(into) >= enough:
            break


def _shape(event: dict) -> tuple:
    meta = event["object"]["metadata"]
    return (event["type"], event["object"]["kind"], meta["name"], "deletionTimestamp" in meta)


@history
def a_watch_tells_of_changes_in_order(w: Witness):
    node = w.rig.node("n1")
    since = w.kube.request("GET", path_of("pods", w.rig.namespace)).json()["metadata"]["resourceVersion"]
    selected = {"watch": "1", "resourceVersion": since, "labelSelector": "colour=red", "timeoutSeconds": "4"}
    stream = w.kube.within(w.rig.namespace).request(
        "GET", path_of("pods", w.rig.namespace), at_most=15, stream=True, params=selected)
    whole = w.kube.within(w.rig.namespace).request(
        "GET", path_of("pods", w.rig.namespace), at_most=15, stream=True,
        params={"watch": "true", "resourceVersion": since, "timeoutSeconds": "4", "allowWatchBookmarks": "true"})
    for name in ("a", "b"):
        w.rig.pod(name, on=node, labels={"colour": "red"} if name == "a" else None)
    w.kube.patch("pods", "b", {"metadata": {"labels": {"colour": "red"}}})
    w.kube.patch("pods", "a", {"metadata": {"labels": {"colour": "blue"}}})
    w.kube.delete("pods", "b")
    w.rig.until_gone_from(node, "b")
    red, events = [], []
    _events(stream, 99, red)
    _events(whole, 99, events)
    w.note("red", list(dict.fromkeys(_shape(e) for e in red)))
    # Both pods' own changes in order; how many a kubelet makes may differ.
    for name in ("a", "b"):
        seen = [_shape(e) for e in events if e["object"]["metadata"].get("name") == name]
        w.note(f"of {name}", list(dict.fromkeys(seen)))
    w.note("a bookmark at the end", events[-1]["type"])
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    w.note("versions grow", versions == sorted(versions))


@history
def watches_without_a_version_show_what_is_there(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("a", on=node)
    for version in (None, "0"):
        params = {"watch": "1", "timeoutSeconds": "1"} | ({"resourceVersion": version} if version else {})
        path = path_of("pods", w.rig.namespace)
        stream = w.kube.request("GET", path, at_most=15, stream=True, params=params)
        w.note("type", stream.headers["Content-Type"])
        events: list = []
        _events(stream, 1, events)
        w.note(f"from {version}", [_shape(e) for e in events])
        stream.close()
    params = {"watch": "1", "timeoutSeconds": "1", "fieldSelector": "metadata.name=none"}
    stream = w.kube.request("GET", path_of("pods", w.rig.namespace), at_most=15, stream=True, params=params)
    w.note("of none", list(stream.iter_lines()))
    params = {"watch": "1", "allowWatchBookmarks": "true", "sendInitialEvents": "true", "timeoutSeconds": "1",
              "resourceVersionMatch": "NotOlderThan"}
    stream = w.kube.request("GET", path_of("pods", w.rig.namespace), at_most=15, stream=True, params=params)
    events = []
    _events(stream, 2, events)
    w.note("as a list", [e["type"] for e in events])
    w.note("end of it", events[-1]["object"]["metadata"].get("annotations"))


@history
def lists_come_in_pages(w: Witness):
    for i in range(5):
        w.kube.create("pods", objects.pod(f"p{i}", w.rig._template("p", {"node_selector": {"no": "such"}})))
    path = path_of("pods", w.rig.namespace)
    params = {"limit": "2"}
    names, pages, versions = [], [], set()
    for page in range(3):
        answer = w.kube.request("GET", path, params=params).json()
        names += [item["metadata"]["name"] for item in answer["items"]]
        meta = answer["metadata"]
        pages.append((len(answer["items"]), meta.get("remainingItemCount"), bool(meta.get("continue"))))
        versions.add(meta["resourceVersion"])
        params = {"limit": "2", "continue": meta.get("continue", "")}
        if page == 0:
            w.kube.create("pods", objects.pod("p9", w.rig._template("p", {"node_selector": {"no": "such"}})))
            w.kube.delete("pods", "p4")
    w.note("pages", pages)
    w.note("names", names)
    w.note("one version", len(versions))
    answer = w.kube.request("GET", path, params={"limit": "2", "labelSelector": "app=p"}).json()
    w.note("selected", answer["metadata"].get("remainingItemCount"))
    w.note("list", (answer["kind"], answer["apiVersion"], answer["items"][0].get("kind")))
    try:
        w.kube.request("GET", path, params={"limit": "2", "continue": "nonsense"})
    except ApiError as error:
        w.note("nonsense", (error.code, error.reason))


@history
def selectors(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("a", on=node, labels={"colour": "red", "size": "1"})
    w.rig.pod("b", on=node, labels={"colour": "blue"})

    def found(**options):
        return sorted(p["metadata"]["name"] for p in w.kube.list("pods", **options))

    for labels in ("colour=red", "colour!=red", "colour in (red, blue)", "colour notin (red)", "!size", "size",
                   "colour=red,size=1", "app", "size>0"):
        w.note(labels, found(labels=labels))
    for fields in ("metadata.name=a", "metadata.name!=a", "status.phase=Running", f"spec.nodeName={node.name}",
                   "spec.nodeName!=x,metadata.name==b", f"metadata.namespace={w.rig.namespace}",
                   "spec.restartPolicy=Always"):
        w.note(fields.replace(node.name, "NODE"), found(fields=fields))
    w.call("unknown field", w.kube.list, "pods", fields="spec.colour=red")
    w.call("bad labels", w.kube.list, "pods", labels="a b")
    w.call("bad fields", w.kube.list, "pods", fields="metadata.name")
    w.note("nodes", len(w.kube.list("nodes", fields=f"metadata.name={node.name}")))
    w.call("unknown of nodes", w.kube.list, "nodes", fields="spec.nodeName=x")


@history
def requests_that_make_no_sense(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("a", on=node)
    ns = w.rig.namespace
    template = w.rig._template("x", {})
    w.raw("no such pod", "GET", path_of("pods", ns, "none"))
    w.raw("no such deployment", "GET", path_of("deployments", ns, "none"))
    w.raw("no such budget", "DELETE", path_of("poddisruptionbudgets", ns, "none"))
    w.raw("no such resource", "GET", f"/api/v1/namespaces/{ns}/flowers")
    w.raw("no such group", "GET", "/apis/example.com/v1/flowers")
    w.raw("no such subresource", "GET", path_of("pods/flower", ns, "a"))
    w.raw("no such method", "POST", path_of("pods", ns, "a"), {})
    w.raw("an eviction is not read", "GET", path_of("pods/eviction", ns, "a"))
    w.raw("not JSON", "POST", path_of("pods", ns), data=b"{", headers={"Content-Type": "application/json"})
    w.raw("unknown patch", "PATCH", path_of("pods", ns, "a"), {}, headers={"Content-Type": "application/x-patch"})
    w.call("twice", w.kube.create, "pods", objects.pod("a", template, node.name))
    w.call("without a name", w.kube.create, "pods", {"metadata": {}, "spec": template["spec"]})
    w.raw("into no namespace", "POST", path_of("pods", "nowhere"), objects.pod("x", template))
    other = objects.pod("x", template)
    other["metadata"]["namespace"] = "elsewhere"
    w.call("into another namespace", w.kube.create, "pods", other)
    w.evict("evict nobody", "none")
    w.raw("evict another", "POST", path_of("pods/eviction", ns, "a"), {"metadata": {"name": "b"}})
    both = objects.pdb("both", {"app": "a"}, 1, 1)
    w.call("a budget of both kinds", w.kube.create, "poddisruptionbudgets", both)
    w.raw("no such pod's eviction of a namespace", "POST", path_of("pods/eviction", "nowhere", "a"),
          {"metadata": {"name": "a"}})
    named = {"metadata": {"generateName": "gen-"}, "spec": template["spec"]}
    w.note("generated", bool(re.fullmatch(r"gen-[a-z0-9]{5}", w.kube.create("pods", named)["metadata"]["name"])))


@history
def rights(w: Witness):
    node = w.rig.node("n1")
    w.rig.pod("a", on=node)
    account = w.rig._access.grant("agent", [("patch", "pods/status"), ("watch", "pods")])
    kube = type(w.kube)(w.kube.server, w.kube.ca, account.token, w.rig.namespace)
    w.call("may list", kube.list, "pods")
    w.call("may not patch status", kube.patch, "pods/status", "a", {})
    for everywhere in (False, True):
        path = path_of("pods", None if everywhere else w.rig.namespace)
        w.call("may not watch", kube.request, "GET", path, params={"watch": "1", "timeoutSeconds": "1"})
    w.call("may not create", kube.create, "deployments", {})
    w.call("may not list nodes", kube.list, "nodes")
    w.call("may get a node", kube.get, "nodes", node.name)

    def allowed(**attributes):
        review = {"spec": {"resourceAttributes": attributes | {"namespace": w.rig.namespace}}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return kube.request("POST", path, review).json()["status"]["allowed"]

    w.note("evict", allowed(verb="create", resource="pods", subresource="eviction"))
    w.note("status", allowed(verb="patch", resource="pods", subresource="status"))
    answer = kube.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                          {"spec": {"namespace": w.rig.namespace}})
    rules = answer.json()["status"]["resourceRules"]
    w.note("code", answer.status_code)
    granted = {(verb, res) for r in rules for verb in r["verbs"] for res in r["resources"]
               if res.startswith(("pods", "nodes", "pod"))}
    w.note("rules", sorted(granted))


@history
def what_objects_look_like(w: Witness):
    node = w.rig.node("n1")
    w.rig.deployment("web", on=node)
    w.rig.stateful_set("db", on=node)
    pod = w.rig.pods("web")[0]
    w.note("fields of a pod's metadata", sorted(set(pod["metadata"]) - {"managedFields"}))
    w.note("labels", {k: v for k, v in pod["metadata"]["labels"].items() if k != "pod-template-hash"})
    owner = pod["metadata"]["ownerReferences"][0]
    w.note("owner", {key: owner[key] for key in ("apiVersion", "kind", "controller", "blockOwnerDeletion")})
    w.note("database", {k: v for k, v in w.rig.pods("db")[0]["metadata"]["labels"].items() if "hash" not in k})
    w.note("conditions", [c["type"] for c in w.conditions("pods", pod["metadata"]["name"])
                          if c["type"] != "PodReadyToStartContainers"])
    w.note("phase", pod["status"]["phase"])
    w.note("generation", pod["metadata"].get("generation"))
    replica_set = w.kube.list("replicasets", labels="app=web")[0]
    w.note("replica set", sorted(replica_set["metadata"]["labels"]))
    w.note("its owner", [o["kind"] for o in replica_set["metadata"]["ownerReferences"]])
    selector = replica_set["spec"]["selector"]["matchLabels"]
    w.note("selects", sorted(selector))
    w.note("named after its hash", replica_set["metadata"]["name"] == f"web-{selector['pod-template-hash']}")
    w.note("node", sorted(t["type"] for t in node.object()["status"]["conditions"] if t["type"] == "Ready"))
    tolerations = w.rig.pods("web")[0]["spec"]["tolerations"]
    w.note("tolerations", sorted((t["key"], t["effect"], t.get("tolerationSeconds")) for t in tolerations))


@history
def many_pods_are_deleted_at_once(w: Witness):
    node = w.rig.node("n1")
    for name in ("a", "b", "c"):
        w.rig.pod(name, on=node, labels={"group": "x" if name != "c" else "y"}, ends_after=1)
    answer = w.raw("delete x", "DELETE", path_of("pods", w.rig.namespace), {"gracePeriodSeconds": 5},
                   params={"labelSelector": "group=x"})
    w.note("answer", answer.json()["kind"])
    w.becomes("left", lambda: w.names("c") + w.names("a") + w.names("b"), ["c"])
    with contextlib.suppress(IndexError):
        w.note("grace", [w.rig.history.pod(name).grace for name in ("a", "b")])
