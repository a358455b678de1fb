"""Histories of where pods go and what controllers make of it; see world_witness.py."""

import time

from world_witness import BY_TYPE, Witness, history, two_nodes

from rig import objects, until
from rig.kube import path_of

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
    # Under load kwok's late deletion, which is by name, may hit the second one too: that makes a third.
    w.note("replaced", len(stories) >= 2)
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

    def scale():
        found = w.kube.request("GET", path_of("deployments/scale", w.rig.namespace, "web")).json()
        return {key: found.get(key) for key in ("kind", "apiVersion", "spec", "status")}

    # The Deployment's status trails its pods: the real controller may not have counted them yet.
    w.becomes("scale", scale, {"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": {"replicas": 3},
                               "status": {"replicas": 3, "selector": "app=web"}})
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
    until(lambda: len(w.rig.history.pods("web")) == 2, 6, "replacement")
    w.note("at once", w.rig.history.pods("web")[1].created_at - began < 5)
    w.becomes("owner", lambda: w.kube.get("pods", old.name)["metadata"].get("ownerReferences"), None, 5)
    w.rig.until_running("web", 2)
    w.becomes("in the service", lambda: w.endpoints("web"), [(True, True, False)] * 2)
    w.becomes("budget", lambda: w.budget("web"),
              {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 1}, 8)
    w.call("restore", w.kube.patch, "pods", old.name,
           {"metadata": {"uid": old.uid, "labels": {"pod-template-hash": digest}}})
    w.becomes("left", lambda: len(w.rig.pods("web")), 1)
    left = w.rig.pods("web")[0]["metadata"]
    w.note("owned", [o["kind"] for o in left.get("ownerReferences", [])])
    # Which of the two is let go is a matter of chance: of their UIDs, when both are of the same second.


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
    w.rig.deployment("web", on=node, ready_after=4, ends_after=4)
    w.becomes("not yet", lambda: w.endpoints("web"), [(False, False, False)])
    w.becomes("ready", lambda: w.endpoints("web"), [(True, True, False)])
    w.call("scale", w.kube.patch, "deployments", "web", {"spec": {"replicas": 0}})
    w.becomes("ending", lambda: w.endpoints("web"), [(False, True, True)])
    w.becomes("gone", lambda: w.endpoints("web"), [])
