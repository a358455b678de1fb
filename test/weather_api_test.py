"""The real agent when the API server, or the way to it, is in bad weather. Nobody may stay untold for it."""

import itertools
import json
import os
import socket
import struct
import threading
import time

import pytest

from rig import ControlPlane, Rig, stays, until
from rig.api_proxy import status_body
from rig.node import STATE
from rig.pki import Pki
from rig.weather import CALM, FORCE_S, counted, ended_well, shy_pod, told_at_its_last_moment

EVICT = {"method": "POST", "path": "/eviction"}


@pytest.mark.timeout(240)
def test_an_api_server_that_restarts_in_mid_drain(tmp_path):
    """Killed for 20 s. One pod's last moment lies within, with time left afterwards; another's comes later."""
    with ControlPlane.temporary() as plane, Rig(plane, tmp_path) as rig:
        node = rig.node("n1")
        shy_pod(rig, "inside", node, grace=60)
        shy_pod(rig, "later", node, grace=10)
        rig.pod("early", on=node)
        imds = rig.imds(node, spot=True, time_in_s=70)
        agent = rig.agent(node, imds, CALM | {"ENOUGH_GRACE": 52})
        rig.until_gone_from(node, "early", at_most=10)
        plane.stop_api_server()
        down = time.time()
        agent.wait_for_log("connection refused", at_most=15)
        assert down < imds.deadline - 55 < down + 20, "the last moment of 'inside' lies within the outage"
        stays(lambda: agent.exit_code is None, down + 20 - time.time(), "the agent lives")
        plane.start_api_server()
        up = time.time()
        told = rig.told("inside", at_most=15)
        assert up - 5 < told.told_at < up + 8, "as soon as there was somebody to tell it to"
        assert imds.deadline - told.told_at > 20
        assert told.told_at + told.grace <= imds.deadline
        later = rig.told("later", at_most=45)
        assert 12 <= imds.deadline - later.told_at <= 30, "a slow API is allowed for, at each of three requests"
        rig.until_gone_from(node, at_most=10)
        ended_well(agent, moved=3)
        assert counted(agent, code=0) >= 3
        print(f"told {told.told_at - up:.2f} s after the API server was ready")


def test_an_api_server_that_refuses_and_cuts_before_the_mark(rig):
    """Nothing can be done at the notice; the watches and the mark come when it is back."""
    node, proxy = rig.node("n1"), rig.api_proxy()
    rig.pod("web", on=node)
    shy_pod(rig, "shy", node)
    imds = rig.imds(node)
    agent = rig.agent(node, imds, CALM, via=proxy)
    agent.wait_for_log("node found")
    proxy.refuse()
    imds.announce(spot=True, time_in_s=31)
    agent.wait_for_log('"step":"notice"')
    stays(lambda: not node.is_cordoned(), 5, "unmarked: nobody is there")
    proxy.accept()
    back = time.time()
    until(node.is_marked, 6, "marked")
    web = rig.told("web", at_most=8)
    assert web.told_at - back < 6
    told_at_its_last_moment(rig, "shy", imds)
    ended_well(agent, moved=2)
    assert counted(agent, code=0) >= 2


def test_conflicts_on_node_and_evictions(rig):
    node, proxy = rig.node("n1"), rig.api_proxy()
    for name in ("a", "b"):
        rig.pod(name, on=node)
    proxy.answer(9, 409, method="PATCH", path="/nodes/", body=status_body(409, "please apply your changes", "Conflict"))
    proxy.answer(12, 409, **EVICT, body=status_body(409, "the object has been modified", "Conflict"))
    imds = rig.imds(node, spot=True, time_in_s=35)
    agent = rig.agent(node, imds, CALM, via=proxy)
    until(node.is_marked, 10, "marked")
    for name in ("a", "b"):
        assert imds.deadline - rig.told(name, at_most=20).told_at > FORCE_S - 6
    ended_well(agent, moved=2)
    assert counted(agent, code=409) >= 12
    assert agent.steps("failed")


PAGE = "<html><body>upstream is not here</body></html>"


@pytest.mark.parametrize("status, body", [(500, None), (503, PAGE), (200, PAGE)], ids=["error", "page", "page-200"])
def test_errors_of_server_and_load_balancer(rig, status, body):
    """For everything, for 3 s: lists, watches, the mark, evictions."""
    node, proxy = rig.node("n1"), rig.api_proxy()
    rig.pod("web", on=node)
    proxy.answer(10_000, status, body=body)
    imds = rig.imds(node, spot=True, time_in_s=35)
    agent = rig.agent(node, imds, CALM, via=proxy)
    agent.wait_for_log('"step":"notice"')
    stays(lambda: agent.exit_code is None, 3, "the agent lives")
    asked = len(proxy.seen)
    assert asked < 60, f"it backs off: {asked} requests in 3 s"
    proxy.forget()
    back = time.time()
    until(node.is_marked, 6, "marked")
    assert rig.told("web", at_most=8).told_at - back < 7
    ended_well(agent, moved=1)
    assert counted(agent, code=status) >= 3
    assert not any("<html" in line["message"] for line in agent.log_lines())


def test_a_429_without_a_budget_is_obeyed_but_never_beyond_a_last_moment(rig):
    """API priority and fairness. Retry-After holds for all evictions; an absurd one ends at the last moment."""
    node, proxy = rig.node("n1"), rig.api_proxy()
    for name in ("a", "b", "c"):
        rig.pod(name, on=node)
    busy = {"body": status_body(429, "too many requests, please try again later", "TooManyRequests"), **EVICT}
    proxy.answer(3, 429, headers={"Retry-After": "4"}, **busy)
    proxy.answer(3, 429, headers={"Retry-After": "600"}, **busy)
    imds = rig.imds(node, spot=True, time_in_s=32)
    agent = rig.agent(node, imds, CALM, via=proxy)
    for name in ("a", "b", "c"):
        told_at_its_last_moment(rig, name, imds)
    first = [one.at for one in proxy.requests(status=429, **EVICT)]
    rounds = [list(group) for _, group in itertools.groupby(first, key=lambda at: at - first[0] > 2)]
    assert len(first) == 6 and len(rounds) == 2 and rounds[1][0] - rounds[0][-1] >= 3.9, first
    ended_well(agent, moved=3)
    assert counted(agent, verb="evict", code=429) == 6


def test_a_429_without_anything_is_weather(rig):
    node, proxy = rig.node("n1"), rig.api_proxy()
    rig.pod("web", on=node)
    proxy.answer(4, 429, **EVICT, body=b"slow down")
    imds = rig.imds(node, spot=True, time_in_s=32)
    agent = rig.agent(node, imds, CALM, via=proxy)
    assert imds.deadline - rig.told("web", at_most=12).told_at > FORCE_S
    ended_well(agent, moved=1)
    assert counted(agent, verb="evict", code=429) == 4


def test_answers_that_are_lost_do_no_double_harm(rig):
    """The mark, evictions and a deletion are done, and the connection ends in place of the answer.

    libcurl itself sends a request once more when a connection that was kept ends without a byte of the answer; the
    UID in it, and the version in the mark's, see to it that the second does nothing.
    """
    node, proxy = rig.node("n1"), rig.api_proxy()
    here = {"kubernetes.io/hostname": node.name}
    rig.deployment("web", replicas=3, on=node, grace=60, ends_after=3, node_selector=here)
    rig.pdb("web", max_unavailable=3)
    shy_pod(rig, "shy", node, grace=20, ends_after=3)
    proxy.swallow(1, method="PATCH", path="/nodes/")
    proxy.swallow(3, **EVICT)
    proxy.swallow(1, method="DELETE")
    imds = rig.imds(node, spot=True, time_in_s=28)
    agent = rig.agent(node, imds, CALM, via=proxy)
    until(node.is_marked, 5, "marked")
    version = node.object()["metadata"]["resourceVersion"]
    until(lambda: all(s.told_at for s in rig.history.pods("web", node.name)[:3]), 8, "web told")
    graces = {story.uid: story.grace for story in rig.history.pods("web")}
    until(lambda: rig.told("shy"), 25, "shy told")
    rig.until_gone_from(node, "shy")
    ended_well(agent, moved=4)
    assert node.object()["metadata"]["resourceVersion"] == version, "the mark was written once"
    assert [story.grace for story in rig.history.pods("web") if story.told_at] == list(graces.values())[:3]
    for story in rig.history.pods("web")[:3]:
        assert len(proxy.requests(method="POST", path=f"/{story.name}/eviction")) <= 2
    assert len(proxy.requests(method="DELETE", path="/pods/shy")) <= 2
    swallowed = proxy.requests(status=0)
    assert len(swallowed) == 5


def test_a_watch_that_hangs_silently_holds_nobody_back(rig):
    """No byte comes any more, and no end either: the world looks as it did. Timers go on.

    The last eviction and the first deletion are swallowed by the same silence.
    """
    node, proxy = rig.node("n1"), rig.api_proxy()
    shy_pod(rig, "shy", node)
    rig.pod("web", on=node)
    imds = rig.imds(node, spot=True, time_in_s=24)
    agent = rig.agent(node, imds, CALM, via=proxy)
    until(lambda: agent.steps("gone") and agent.steps("held"), 8, "the watches work")
    proxy.hang()
    proxy.delay(1, 60, **EVICT)
    proxy.delay(1, 60, method="DELETE")
    until(lambda: rig.told("shy"), 25, "shy told")
    assert imds.deadline - rig.told("shy").told_at > 10
    result = ended_well(agent, moved=1, ending=1, at_most=40)
    assert result["overruled"] == 1, "it was told; that it has left could not be heard"
    assert counted(agent, code=0) >= 2


def test_certificate_and_ca_are_rotated_in_mid_drain(rig, tmp_path):
    """The kubelet swaps the service account's folder; the API server's new certificate is by the new CA only.

    One pod is to be asked while the old CA is still in the folder: that is weather, and no refusal.
    """
    node, proxy = rig.node("n1"), rig.api_proxy()
    shy_pod(rig, "shy", node)
    rig.pod("web", on=node)
    account = rig.account("agent-1")
    imds = rig.imds(node, spot=True, time_in_s=32)
    env = CALM | {"NODE_TERMINATION_GRACE_PERIOD": 27, "ENOUGH_GRACE": 12}
    agent = rig.agent(node, imds, env, via=proxy, account=account)
    until(node.is_marked, 5, "marked")
    new = Pki(tmp_path / "new-pki")
    proxy.certificate(new.ca_crt, new.ca_key)
    proxy.cut()
    until(lambda: agent.steps("asked"), 8, "web asked")
    agent.wait_for_log("certificate", at_most=5)
    stays(lambda: not rig.history.pods("web")[0].told_at, 1, "unreachable")
    account.write(ca_crt=new.ca_crt.read_text())
    swapped = time.time()
    web = rig.told("web", at_most=6)
    print(f"told {web.told_at - swapped:.2f} s after the swap of the CA")
    until(lambda: proxy.requests(path="watch=true")[-1].at > swapped, 12, "watching again by the new CA")
    until(lambda: rig.told("shy"), 30, "shy told")
    assert 11 <= imds.deadline - rig.told("shy").told_at <= 17
    ended_well(agent, moved=2)
    assert not proxy.requests(method="DELETE", path="/pods/web"), "evicted, not deleted"


def test_an_agent_that_is_killed_goes_on_where_it_was(rig):
    """Killed after the mark, between asking and telling, and just before a last moment."""
    node, proxy = rig.node("n1"), rig.api_proxy()
    shy_pod(rig, "shy", node)
    rig.pod("web", on=node, grace=25, ends_after=4)
    rig.pdb("web", min_available=0)
    proxy.delay(1, 0.7, **EVICT)  # under way when its sender dies
    imds = rig.imds(node, spot=True, time_in_s=30)
    account = rig.account("agent")

    def start():
        return rig.agent(node, imds, CALM, via=proxy, account=account)

    first = start()
    until(lambda: first.steps("asked"), 5, "web asked")
    first.kill()
    assert node.is_marked()
    record = json.loads(node.annotation(STATE))
    second = start()
    told = rig.told("web", at_most=5)
    until(lambda: second.steps("held"), 5, "the second knows of shy")
    second.kill()
    third = start()
    until(lambda: third.steps("held"), 5, "the third too")
    until(lambda: imds.seconds_left() < FORCE_S + 1, 30, "just before the last moment")
    third.kill()
    last = start()
    told_at_its_last_moment(rig, "shy", imds)
    ended_well(last, moved=1)
    in_time = {"holder": None}  # renewed, by the same name
    now = json.loads(node.annotation(STATE))
    assert now["holder"]["id"] == record["holder"]["id"]
    assert now | in_time == record | in_time, "and so is its start"
    again = rig.told("web")
    assert (again.told_at, again.grace) == (told.told_at, 25)
    assert len(rig.api_requests(verb="patch", resource="nodes", user=last.user)) <= 4, "each life renews once"
    assert len(rig.api_requests(verb="delete", resource="pods", user=last.user)) == 1


# Each answer of design.md rule 2 that agent_test.py does not meet on its way.


def test_a_pod_under_two_budgets_waits_for_its_last_moment(rig):
    """The API answers 500 to its eviction for good: with budgets in sight it is not even asked, else once."""
    sighted, blind = rig.node("sighted"), rig.node("blind")
    agents = {}
    for node, without in ((sighted, ()), (blind, [("list", "poddisruptionbudgets")])):
        app = node.name.partition("-")[0]
        rig.pod(app, on=node)
        rig.pdb(app, min_available=0)
        rig.pdb(f"{app}-too", app=app, min_available=0)
        imds = rig.imds(node, spot=True, time_in_s=28)
        agents[app] = (imds, rig.agent(node, imds, CALM, without=without))
    for app, (imds, agent) in agents.items():
        told_at_its_last_moment(rig, app, imds)
        ended_well(agent, moved=1)
        assert rig.told(app).disrupted
        codes = [request.code for request in rig.api_requests(user=agent.user, resource="pods/eviction", name=app)]
        assert codes == ([500] if app == "blind" else []), app


def test_a_namespace_that_ends_is_answered_with_a_deletion(rig):
    node, proxy = rig.node("n1"), rig.api_proxy()
    rig.pod("web", on=node)
    why = {"reason": "NamespaceTerminating", "message": "namespace is being terminated", "field": "metadata.namespace"}
    proxy.answer(1, 403, **EVICT, body=status_body(403, "unable to create new content", "Forbidden", [why]))
    imds = rig.imds(node, spot=True, time_in_s=30)
    agent = rig.agent(node, imds, CALM, via=proxy)
    assert imds.deadline - rig.told("web", at_most=6).told_at > FORCE_S + 3
    ended_well(agent, moved=1)
    assert (len(proxy.requests(**EVICT)), len(proxy.requests(method="DELETE"))) == (1, 1)
    assert not agent.steps("denied"), "no right is missing"


def test_a_pod_of_the_same_name_elsewhere_is_not_meant(rig):
    """Deleted and made anew while its eviction is under way: the UID is another one."""
    node, other, proxy = rig.node("n1"), rig.node("n2"), rig.api_proxy()
    rig.pod("lone", on=node)
    proxy.delay(1, 2.5, **EVICT)
    imds = rig.imds(node, spot=True, time_in_s=25)
    agent = rig.agent(node, imds, CALM, via=proxy)
    until(lambda: agent.steps("asked"), 5, "asked")
    rig.kube.delete("pods", "lone", grace=0)
    until(lambda: not rig.pods("lone"), 5, "gone")
    rig.pod("lone", on=other)
    ended_well(agent, moved=1, at_most=15)
    until(lambda: proxy.requests(**EVICT), 5, "answered")
    assert proxy.requests(**EVICT)[0].status in (404, 409)
    stays(lambda: rig.pods("lone", on=other, ready=True), 1, "left alone")


def test_at_most_four_evictions_under_one_budget_are_in_flight(rig):
    """The API server does them one by one. Pods of another budget do not wait for them."""
    node, proxy = rig.node("n1"), rig.api_proxy()
    many = [f"many-{i}" for i in range(8)]
    for name in many:
        rig.pod(name, on=node, labels={"app": "many"}, wait=False)
    rig.until_running("many", 8)
    rig.pdb("many", app="many", min_available=0)
    rig.pod("other", on=node)
    proxy.delay(8, 1.0, method="POST", path="/many-./eviction")
    imds = rig.imds(node, spot=True, time_in_s=30)
    agent = rig.agent(node, imds, CALM, via=proxy)
    ended_well(agent, moved=9, at_most=15)
    begun = [one.at for one in proxy.requests(method="POST", path="/many-./eviction")]
    assert len(begun) == 8 and sum(at < begun[0] + 0.9 for at in begun) == 4, begun
    assert proxy.requests(method="POST", path="/other/eviction")[0].at < begun[0] + 2


def loopback_address(number: int) -> str:
    """One that no other process takes: 127.0.0.0/8 has room for every pid."""
    own = os.getpid() * 2 + number
    return f"127.{100 + (own >> 16) % 128}.{own >> 8 & 255}.{own & 255}"


class NameServer:
    """Answers every question for an address with 127.0.0.1; or with SERVFAIL; or not at all."""

    def __init__(self, address: str, mood: str):
        self.mood, self.asked = mood, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._socket.settimeout(0.1)
        self._over = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over:
            try:
                query, sender = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            if self.mood == "silent":
                continue
            end = query.index(b"\0", 12) + 5  # the question: name, type, class
            is_a = query[end - 4 : end - 2] == b"\0\1"
            found = self.mood == "well" and is_a
            flags = 0x8180 | (2 if self.mood == "servfail" else 0)
            head = query[:2] + struct.pack(">HHHHH", flags, 1, int(found), 0, 0)
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1" if found else b""
            self._socket.sendto(head + query[12:end] + answer, sender)

    def stop(self) -> None:
        self._over = True
        self._thread.join()
        self._socket.close()


def test_the_api_servers_name_cannot_be_resolved_for_a_while(rig, tmp_path):
    """Each agent has a mount namespace of its own, with a resolv.conf that names a name server of ours.

    The name servers fail from the start, so that nothing is known from before; answers are remembered for a minute.
    """
    assert os.geteuid() == 0, "name servers on port 53 and mount namespaces: run this test as root"
    servers, agents = {}, {}
    try:
        for number, mood in enumerate(("servfail", "silent")):
            node, proxy = rig.node(mood), rig.api_proxy()
            shy_pod(rig, f"shy-{mood}", node)
            rig.pod(f"web-{mood}", on=node)
            address = loopback_address(number)
            resolv = tmp_path / f"resolv-{mood}.conf"
            resolv.write_text(f"nameserver {address}\n")
            servers[mood] = NameServer(address, mood)
            within = ("unshare", "--mount", "sh", "-c", f'mount --bind {resolv} /etc/resolv.conf && exec "$@"', "sh")
            imds = rig.imds(node, spot=True, time_in_s=40)
            env = CALM | {"KUBERNETES_SERVICE_HOST": "kubernetes.default.svc"}
            agents[mood] = (node, proxy, imds, rig.agent(node, imds, env, via=proxy, within=within))
        for mood, (node, _, _, agent) in agents.items():
            agent.wait_for_log('"step":"notice"')
        stays(lambda: not any(node.is_cordoned() for node, *_ in agents.values()), 6, "nobody reached")
        for mood, (node, _, _, agent) in agents.items():
            assert servers[mood].asked > 0 and agent.exit_code is None and counted(agent, code=0) >= 1
            servers[mood].mood = "well"
        back = time.time()
        for mood, (node, proxy, _, _) in agents.items():
            cordoned_at = until(node.cordoned_at, 12, "marked")
            print(f"{mood}: marked {cordoned_at - back:.2f} s after names resolved again")
            rig.told(f"web-{mood}", at_most=8)
            servers[mood].mood = mood  # known by now: new connections need nobody
            proxy.cut()
        for mood, (_, _, imds, agent) in agents.items():
            told_at_its_last_moment(rig, f"shy-{mood}", imds)
            ended_well(agent, moved=2)
    finally:
        for server in servers.values():
            server.stop()


def test_a_killed_agent_goes_on_by_the_nodes_record_alone(rig):
    """Nobody says the notice again: the instance metadata service is gone."""
    node = rig.node("n1")
    shy_pod(rig, "shy", node)
    imds = rig.imds(node, spot=True, time_in_s=25)
    account = rig.account("agent")
    first = rig.agent(node, imds, CALM, account=account)
    until(lambda: first.steps("held"), 5, "the first knows of shy")
    first.kill()
    imds.stop()
    second = rig.agent(node, imds, CALM, account=account)
    told_at_its_last_moment(rig, "shy", imds)
    ended_well(second, moved=1)
