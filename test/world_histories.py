"""Histories of evictions, budgets, deletions and patches; see world_witness.py."""

import time

from world_witness import BY_TYPE, WRONG_UID, Witness, history, two_nodes

from rig import objects, until
from rig.kube import path_of

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
    w.budget_becomes("web", disruptionsAllowed=0, currentHealthy=1)
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
