"""One chronological story out of three: what AWS said, what the agent did, what the cluster shows."""

import dataclasses
import datetime
import time

from rig import Agent, Node, Rig

from . import words
from .scenario import STAYS
from .screen import Screen

_WAIT_FOR_OTHERS_S = 0.35  # a line is written this late, so that an older one of another source comes first
_COLOURS = {"AWS": "yellow", "agent": "cyan", "cluster": "green"}


_WIDTHS = [4, 7, 14]
_QUIET_S = 5


@dataclasses.dataclass(frozen=True)
class Event:
    at: float
    who: str
    subject: str
    text: str
    colour: str = ""

    @property
    def passing(self) -> bool:
        """A pod waits: not worth a line when something else happens to it a moment later."""
        return self.who == "agent" and self.text.startswith("waits")


class Timeline:
    """`look()` gathers and writes; call it often. Seconds count from the moment AWS gave the notice."""

    def __init__(self, screen: Screen, rig: Rig, doomed: Node, agent: Agent, began: float, deadline: float):
        self._screen, self._rig, self._doomed, self._agent = screen, rig, doomed, agent
        self._began, self._deadline = began, deadline
        self._words = words.Words(words.Names(rig.namespace, rig.id), began)
        self._names = self._words.names
        self._waiting: list[Event] = []
        self._lines_read = 0
        self._said: set[tuple] = {("ready", s.uid) for s in rig.history.pods() if s.ready_at}
        self._cordoned = False
        self._wrote_at = time.time()

    def add(self, at: float, who: str, subject: str, text: str, colour: str = "") -> None:
        self._waiting.append(Event(at, who, subject, text, colour))

    def heading(self) -> None:
        self._screen.columns(["sec", "who", "about", "what happens, and why"], _WIDTHS, {i: "bold" for i in range(4)})

    def look(self, all_of_it: bool = False) -> None:
        self._hear_agent()
        self._see_cluster()
        if time.time() >= self._deadline and self._once("the end"):
            self.add(self._deadline, "AWS", "n1", "the host ends; what is left on it is cut off", "red")
        due = time.time() + (1e9 if all_of_it else -_WAIT_FOR_OTHERS_S)
        ready = sorted((event for event in self._waiting if event.at <= due), key=lambda event: event.at)
        self._waiting = [event for event in self._waiting if event.at > due]
        for index, event in enumerate(ready):
            if not (event.passing and any(later.subject == event.subject for later in ready[index + 1 :])):
                self._write(event)
        if self._wrote_at + _QUIET_S < time.time() < self._deadline:
            self._say_who_is_left()

    def _write(self, event: Event) -> None:
        self._wrote_at = time.time()
        cells = [f"{event.at - self._began:4.1f}", event.who, event.subject, event.text]
        self._screen.columns(cells, _WIDTHS, {0: "dim", 1: _COLOURS.get(event.who, ""), 3: event.colour})

    def _say_who_is_left(self) -> None:
        """A long silence is explained."""
        here = [s for s in self._rig.history.pods(node=self._doomed.name) if not s.gone_at and s.app != STAYS]
        waiting, ending = [s for s in here if not s.told_at], [s for s in here if s.told_at]
        left = [
            f"{self._named(pods)} {what}" for pods, what in ((waiting, "still waiting"), (ending, "ending")) if pods
        ]
        left.append(f"n1 ends in {self._deadline - time.time():.0f} s")
        self._write(Event(time.time(), "", "", "… " + "; ".join(left), "dim"))

    def _named(self, stories: list) -> str:
        return self._names.short(stories[0].name) if len(stories) == 1 else f"{len(stories)} pods"

    def _hear_agent(self) -> None:
        lines = self._agent.log_lines()
        for entry in lines[self._lines_read :]:
            said = self._words.of(entry)
            at = datetime.datetime.fromisoformat(entry["time"]).timestamp()
            if said and at >= self._began - 1:
                self.add(at, "agent", *said)
        self._lines_read = len(lines)

    def _see_cluster(self) -> None:
        cordoned_at = self._rig.history.cordoned_at(self._doomed.name)
        if cordoned_at and not self._cordoned:
            self._cordoned = True
            self.add(cordoned_at, "cluster", "n1", "cordoned: nothing new is placed on it")
        for story in self._rig.history.pods():
            subject = self._names.short(story.name)
            node = self._names.short(story.node)
            if story.ready_at and self._once("ready", story.uid):
                self.add(story.ready_at, "cluster", subject, f"new pod Ready on {node}", colour="green")
            if story.gone_at and story.node == self._doomed.name and self._once("gone", story.uid):
                spare = self._deadline - story.gone_at
                self.add(story.gone_at, "cluster", subject, f"gone, {spare:.0f} s before the host ends")

    def _once(self, *what) -> bool:
        if what in self._said:
            return False
        self._said.add(what)
        return True
