"""Histories of lists, watches, selectors, rights and refusals; see world_witness.py."""

import contextlib
import json
import re
import time

import requests
from world_witness import Witness, history

from rig import ApiError, objects
from rig.kube import path_of

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
    selected = {"watch": "1", "resourceVersion": since, "labelSelector": "colour=red", "timeoutSeconds": "9"}
    stream = w.kube.within(w.rig.namespace).request(
        "GET", path_of("pods", w.rig.namespace), at_most=15, stream=True, params=selected)
    whole = w.kube.within(w.rig.namespace).request(
        "GET", path_of("pods", w.rig.namespace), at_most=15, stream=True,
        params={"watch": "true", "resourceVersion": since, "timeoutSeconds": "9", "allowWatchBookmarks": "true"})
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
        w.note(w.plain(fields), found(fields=fields))
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
