"""The agent's JSON log and the cluster's pods in short lines for people."""

import datetime
import re

# Step of the agent's journal → what the reader sees. Left out: "gone", which the cluster's own line says better, and
# "planned", whose reason comes again with what follows.
_STEPS = {
    "notice": "heard it: ",
    "marked": "",
    "mark failed": "MARK FAILED: ",
    "held": "waits: ",
    "asked": "evict: ",
    "refused": "refused: ",
    "explained": "",
    "overruled": "OVERRULED ",
    "stopped": "delete: ",
    "told": "told to end: ",
    "failed": "FAILED: ",
    "denied": "DENIED: ",
    "finished": "finished: ",
}
_SILENT = ("planned", "gone")
_COLOURS = {"held": "yellow", "refused": "yellow", "overruled": "yellow"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


class Names:
    """`t1-shop/web-6b8d9c5f7-x2klp` → `web-x2klp`, `n1-t1` → `n1`: what a reader can keep in mind."""

    def __init__(self, namespace: str, rig_id: str) -> None:
        self._namespace, self._rig_id = namespace, rig_id

    def short(self, text: str) -> str:
        text = text.replace(f"{self._namespace}/", "")
        text = re.sub(r"\b([a-z][a-z-]*?)-[a-z0-9]{7,10}-([a-z0-9]{5})\b", r"\1-\2", text)
        return re.sub(rf"\b([a-z0-9]+)-{self._rig_id}\b", r"\1", text)


class Words:
    """Knows when the notice came, so that moments are told in the timeline's own seconds."""

    def __init__(self, names: Names, began: float) -> None:
        self.names, self._began = names, began

    def of(self, entry: dict) -> tuple[str, str, str] | None:
        """(subject, text, colour) of one log line; None: nothing for people."""
        step, level = entry.get("step"), entry.get("level")
        text = self._plain(entry["message"])
        if step is None:
            return ("", text, "red") if level in ("warn", "error") else None
        pod = self.names.short(entry.get("pod", ""))
        if step in _SILENT:
            return None
        text = (_STEPS.get(step, f"{step}: ") + text).replace("evict: asked now", "evict now")
        return pod or self.names.short(entry["node"]), text, _COLOURS.get(step, "red" if level == "error" else "")

    def _plain(self, message: str) -> str:
        """Moments as seconds of the timeline; of a refusal of the API its code and what the server said."""
        text = _TIME.sub(
            lambda m: f"second {datetime.datetime.fromisoformat(m[0]).timestamp() - self._began:.0f}",
            self.names.short(message),
        )
        return re.sub(r"^\w+ [\w/]+ [\w-]+: (\d{3}) [A-Z][A-Za-z ]+: ", r"\1: ", text)
