"""what an agent costs that waits and polls once a second

Memory after a minute of it, CPU during the next one; then a notice, for which the agent has to connect anew (libcurl
does not use a connection again that was idle for 118 s). Nearly every agent of a fleet does this nearly all the time.
"""

import time

from .context import Context, Result
from .figure import Figure
from .records import step_at

NAME = "idle"
_SPARE_S = 8  # for starting them


def measure(context: Context) -> Result:
    warm_up, window = (5, 15) if context.quick else (60, 60)
    until_notice = _SPARE_S + warm_up + window
    with context.rig("idle") as rig:
        agents = []
        for i in range(1 if context.quick else 3):
            node = rig.node(f"n{i}")
            imds = rig.imds(node, spot=True, after_s=until_notice, time_in_s=until_notice + 60)
            agents.append(rig.agent(node, imds, {"TAINT_NODE": "true"}))
        for agent in agents:
            agent.wait_for_message("node found")
        time.sleep(warm_up)  # what is measured is time that passes
        memory = [agent.rss_mb() for agent in agents]
        before, began = [agent.cpu_s() for agent in agents], time.monotonic()
        time.sleep(window)
        took = time.monotonic() - began
        used = [100 * (agent.cpu_s() - cpu) / took for agent, cpu in zip(agents, before)]
        requests = [len(rig.api_requests(user=agent.user)) for agent in agents]
        noticed = [step_at(agent, "notice", at_most=_SPARE_S + 10) for agent in agents]
        reaction = [1000 * (step_at(agent, "marked") - at) for agent, at in zip(agents, noticed)]
    figures = [
        Figure(f"memory (RSS) after {warm_up} s of polls", memory, "MB", 10),
        Figure(f"CPU over {window} s, of one core", used, "%", 0.2),
        Figure("notice → marked after that, by its journal", reaction, "ms", 50),
        Figure(f"API requests in {warm_up + window} s", requests, "", None),
    ]
    return Result(figures, ["--quick: one agent, shorter"] if context.quick else [])
