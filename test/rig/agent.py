"""The real executable, started as a DaemonSet's container would start it: with an environment and little else."""

import functools
import json
import pathlib
import signal

import requests

import fastjsonschema

from .binaries import REPOSITORY
from .process import Process, until

_SCHEMA = REPOSITORY / "docs/post-mortem.schema.json"


@functools.cache
def _validator():
    return fastjsonschema.compile(json.loads(_SCHEMA.read_text()))


def check_post_mortem(document: dict) -> dict:
    """Every post-mortem is as docs/post-mortem.schema.json says."""
    return _validator()(document)


class Agent:
    """`spotkeeper agent` (or another `command`) from the constructor to `stop()`; its output is kept in files."""

    def __init__(
        self,
        program: pathlib.Path,
        folder: pathlib.Path,
        name: str,
        env: dict[str, str],
        arguments: list,
        user: str = "",
        command: tuple[str, ...] = ("agent",),
    ):
        self.name, self.user, self.env = name, user, env
        self._process = Process(name, [program, *command, *arguments], folder, env)
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.exit_code

    def output(self) -> str:
        return self._process.output()

    def log_lines(self) -> list[dict]:
        """Its log so far: the lines that are JSON objects, parsed. (With JSON_LOGGING=true that is all of them.)"""
        lines = []
        for text in self.output().splitlines():
            if text.startswith("{"):
                try:
                    lines.append(json.loads(text))
                except ValueError:
                    pass  # the last line, half written
        return lines

    def wait_for_log(self, text: str, at_most: float = 10) -> str:
        """The first line of its output that contains `text` (any case)."""

        def line():
            found = next((line for line in self.output().splitlines() if text.lower() in line.lower()), None)
            if found is None:
                self._process.check_alive()
            return found

        return until(line, at_most, f"'{text}' in the log of {self.name}")

    def wait_for_message(self, message: str, at_most: float = 10) -> dict:
        """The last JSON log line whose message is exactly `message`."""

        def line():
            found = [entry for entry in self.log_lines() if entry.get("msg", entry.get("message")) == message]
            if not found:
                self._process.check_alive()
            return found and found[-1]

        return until(line, at_most, f"message '{message}' in the log of {self.name}")

    def steps(self, *kinds: str) -> list[dict]:
        """Its journal so far: log lines with a step, of those kinds only when some are named."""
        return [line for line in self.log_lines() if line.get("step") and (not kinds or line["step"] in kinds)]

    def metrics(self) -> dict[str, float]:
        """Its counters, by the text before the value ('spotkeeper_imds_polls_total{outcome="quiet"}').

        Wants ENABLE_PROMETHEUS_SERVER=true and PROMETHEUS_SERVER_PORT=0 in its environment.
        """
        port = self.wait_for_message("metrics are served")["port"]
        with requests.Session() as session:
            session.trust_env = False
            text = session.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        values = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in values}

    def post_mortem(self, at_most: float = 10) -> dict:
        """What it says about a finished drain: its last log line with the message "post-mortem", checked."""
        return check_post_mortem(self.wait_for_message("post-mortem", at_most))

    def terminate(self, at_most: float = 10) -> int:
        """SIGTERM, as the kubelet does it. Returns the exit code; fails when it does not end in time."""
        self._process.signal(signal.SIGTERM)
        return self._process.wait(at_most)

    def signal(self, number: int) -> None:
        self._process.signal(number)

    def kill(self) -> None:
        """SIGKILL: a crash, for tests of restarts."""
        self._process.signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, at_most: float = 10) -> int:
        return self._process.wait(at_most)

    def stop(self) -> None:
        self._process.stop()

    def rss_mb(self) -> float:
        return self._process.rss_mb()

    def peak_rss_mb(self) -> float:
        return self._process.peak_rss_mb()

    def cpu_s(self) -> float:
        return self._process.cpu_s()
