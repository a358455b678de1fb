"""what an agent costs that waits and polls once a second

Memory after a minute of it, CPU during the next one; then a notice, for which the agent has to connect anew (libcurl
does not use a connection again that was idle for 118 s). Nearly every agent of a fleet does this nearly all the time.
One more agent has webhook, metrics, probes and events switched on; it is scraped and probed every 5 s.
"""

import threading
import time

import requests

from .context import Context, Result
from .figure import Figure
from .records import step_at

NAME = "idle"
_SPARE_S = 8  # for starting them

TOLD = {
    "TAINT_NODE": "true",
    "WEBHOOK_URL": "https://hooks.example/x",
    "ENABLE_PROMETHEUS_SERVER": "true",
    "PROMETHEUS_SERVER_PORT": "0",
    "ENABLE_PROBES_SERVER": "true",
    "PROBES_SERVER_PORT": "0",
    "EMIT_KUBERNETES_EVENTS": "true",
}


def _ask(agent, over: threading.Event) -> None:
    """As Prometheus and the kubelet do, until told that it is over."""
    metrics = agent.wait_for_message("metrics are served")["port"]
    probes = agent.wait_for_message("probes are answered")["port"]
    with requests.Session() as session:
        session.trust_env = False
        while not over.wait(5):
            for url in (f"http://127.0.0.1:{metrics}/metrics", f"http://127.0.0.1:{probes}/healthz"):
                session.get(url, timeout=5).raise_for_status()


def measure(context: Context) -> Result:
    warm_up, window = (5, 15) if context.quick else (60, 60)
    until_notice = _SPARE_S + warm_up + window
    with context.rig("idle") as rig:
        agents = []
        for i in range(1 if context.quick else 3):
            node = rig.node(f"n{i}")
            imds = rig.imds(node, spot=True, after_s=until_notice, time_in_s=until_notice + 60)
            agents.append(rig.agent(node, imds, {"TAINT_NODE": "true"}))
        node = rig.node("told")
        told = rig.agent(node, rig.imds(node), TOLD)
        for agent in [*agents, told]:
            agent.wait_for_message("node found")
        over = threading.Event()
        asking = threading.Thread(target=_ask, args=(told, over), daemon=True)
        asking.start()
        time.sleep(warm_up)  # what is measured is time that passes
        memory = [agent.rss_mb() for agent in [*agents, told]]
        before, began = [agent.cpu_s() for agent in [*agents, told]], time.monotonic()
        time.sleep(window)
        took = time.monotonic() - began
        used = [100 * (agent.cpu_s() - cpu) / took for agent, cpu in zip([*agents, told], before)]
        over.set()
        asking.join()
        requests = [len(rig.api_requests(user=agent.user)) for agent in agents]
        noticed = [step_at(agent, "notice", at_most=_SPARE_S + 10) for agent in agents]
        reaction = [1000 * (step_at(agent, "marked") - at) for agent, at in zip(agents, noticed)]
    figures = [
        Figure(f"memory (RSS) after {warm_up} s of polls", memory[:-1], "MB", 10),
        Figure(f"CPU over {window} s, of one core", used[:-1], "%", 0.2),
        Figure("memory with webhook, metrics, probes, events", memory[-1:], "MB", 10),
        Figure("CPU with them, scraped and probed every 5 s", used[-1:], "%", 0.2),
        Figure("notice → marked after that, by its journal", reaction, "ms", 50),
        Figure(f"API requests in {warm_up + window} s", requests, "", None),
    ]
    return Result(figures, ["--quick: one agent, shorter"] if context.quick else [])
