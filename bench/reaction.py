"""from the notice to the marked (cordoned, tainted) node, of ten agents that poll once a second

One mock gives the notice to all of them at the same whole second. Their starts are 0.1 s apart, and those of each
round a fraction of that later, so that the polls of all rounds are spread evenly over the second: the mean is that of
any agent and not of a lucky start.
"""

import math
import time

from rig import Agent, Rig, until
from rig.access import AgentAccess
from rig.binaries import spotkeeper

from .context import Context, Result
from .figure import Figure
from .records import patched_at, step_at
from .watched_imds import WatchedImds

NAME = "reaction"
_AGENTS = 10
_BEFORE_S = 3  # from the mock's start to the notice: each further poll blurs the even spread by its jitter


def measure(context: Context) -> Result:
    count = 1 if context.quick else 10
    rounds = [_round(context, shift_s=(i + 0.5) / count / _AGENTS) for i in range(count)]
    bar = None if context.quick else 0.55  # the mean of ten samples is off by 0.05 s and more
    cordoned, from_poll, in_journal = ([sample for one in rounds for sample in one[i]] for i in range(3))
    return Result(
        [
            Figure("notice appears → cordon seen by a watch", cordoned, "s", bar, "mean"),
            Figure("poll answered → PATCH acknowledged (audit log)", from_poll, "ms", 50),
            Figure("the same in the agent's journal: notice → marked", in_journal, "ms", 50),
        ]
    )


def _round(context: Context, shift_s: float) -> tuple[list[float], list[float], list[float]]:
    with context.rig("reaction") as rig:
        nodes = [rig.node(f"n{i}") for i in range(_AGENTS)]
        imds = rig.imds()
        proxies = [WatchedImds(imds.url) for _ in nodes]
        try:
            starts = _starts(rig, proxies)
            imds.announce(spot=True, time_in_s=60 + _BEFORE_S, after_s=_BEFORE_S)
            appears = imds.deadline - 60
            begin = math.ceil(time.time() * _AGENTS) / _AGENTS + shift_s
            for i, start in enumerate(starts):
                until(lambda: time.time() >= begin + i / _AGENTS, 2, "its turn", every=0.001)
                rig.agents.append(start())
            late = time.time() - begin - (_AGENTS - 1) / _AGENTS
            assert late < 0.1, f"the agents' starts were not spread as they should be: {late:.3f} s late"
            for node in nodes:
                until(node.cordoned_at, 10, f"{node.name} cordoned", every=0.1)
            patched = [until(lambda: patched_at(context.plane, node), 5, "audit log written") for node in nodes]
            return (
                [node.cordoned_at() - appears for node in nodes],
                [1000 * (at - proxy.noticed_at) for at, proxy in zip(patched, proxies)],
                [1000 * (step_at(agent, "marked") - step_at(agent, "notice")) for agent in rig.agents],
            )
        finally:
            for process in [*rig.agents, *proxies]:
                process.stop()


def _starts(rig: Rig, proxies: list[WatchedImds]) -> list:
    """A function for each node that starts its agent, and has nothing else to do that takes time."""
    account = AgentAccess(rig.kube, f"{rig.id}-bench", rig.folder).grant("bench")
    program, port = spotkeeper(), str(rig.control_plane.port)

    def start(name: str, node: str, url: str) -> Agent:
        environment = {
            "NODE_NAME": node,
            "INSTANCE_METADATA_URL": url,
            "TAINT_NODE": "true",
            "JSON_LOGGING": "true",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": port,
        }
        flags = ["--service-account-dir", account.folder]
        return Agent(program, rig.folder, name, environment, flags, account.user)

    return [
        lambda name=f"agent-{i}", node=node.name, url=proxy.url: start(name, node, url)
        for i, (node, proxy) in enumerate(zip(rig.nodes, proxies))
    ]
