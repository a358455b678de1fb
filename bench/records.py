"""Times out of the two records of a run: the API server's audit log, and the agent's journal."""

import datetime
import json

from rig import Agent, ControlPlane, Node, until


def unix(text: str) -> float:
    """RFC 3339 with fractions."""
    return datetime.datetime.fromisoformat(text).timestamp()


def patched_at(plane: ControlPlane, node: Node) -> float | None:
    """When the API server had answered an agent's first successful PATCH of the node (microseconds in the log)."""
    with plane.audit.path.open() as log:
        for line in log:
            if node.name not in line or '"patch"' not in line or not line.endswith("\n"):
                continue
            entry = json.loads(line)
            ref = entry.get("objectRef") or {}
            ours = entry["user"]["username"].startswith("system:serviceaccount:") and ref.get("name") == node.name
            done = entry["stage"] == "ResponseComplete" and entry["responseStatus"]["code"] == 200
            if ours and done and entry["verb"] == "patch" and ref["resource"] == "nodes":
                return unix(entry["stageTimestamp"])
    return None


def step_at(agent: Agent, step: str, at_most: float = 5) -> float:
    """When the agent's journal has its first entry of that step (milliseconds in the log); waits for it."""

    def found() -> float | None:
        return next((unix(line["time"]) for line in agent.log_lines() if line.get("step") == step), None)

    return until(found, at_most, f"{step} in the log of {agent.name}")
