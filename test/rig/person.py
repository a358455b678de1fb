"""A person at a terminal, or a script that calls them: `spotkeeper plan` and `spotkeeper drain`."""

import os
import pty
import re
import select
import signal
import subprocess
import time

from .binaries import spotkeeper
from .process import TooLate, die_with_parent

_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Person:
    """Runs commands with one kubeconfig. `run()` without a terminal; `at_terminal()` with one of 80 columns.

    At the end of its `with`, whatever it started and still runs is killed.
    """

    def __init__(self, kubeconfig):
        self._started: list[subprocess.Popen | Terminal] = []
        self._env = {"KUBECONFIG": str(kubeconfig), "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *_) -> None:
        for one in self._started:
            one.kill()
            one.wait()

    @property
    def binary(self):
        return spotkeeper()

    @property
    def path_env(self) -> dict:
        """An environment in which `spotkeeper` is found."""
        return self._env | {"PATH": f"{spotkeeper().parent}:{self._env['PATH']}"}

    def run(
        self, *arguments: str, timeout: float = 60, env: dict | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess:
        return subprocess.run(
            [spotkeeper(), *arguments],
            env=self._env | (env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [spotkeeper(), *arguments],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )
        self._started.append(process)
        return process

    def at_terminal(self, *arguments: str, env: dict | None = None) -> "Terminal":
        terminal = Terminal([spotkeeper(), *arguments], self._env | {"TERM": "xterm"} | (env or {}))
        self._started.append(terminal)
        return terminal


class Terminal:
    """A child on a pseudo terminal; what it writes is gathered in `raw`."""

    def __init__(self, command: list, env: dict):
        self.raw = ""
        self._status: int | None = None
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            die_with_parent()
            os.execve(command[0], [str(part) for part in command], env)

    @property
    def text(self) -> str:
        """Without escape codes."""
        return _CODES.sub("", self.raw).replace("\r\n", "\n")

    def wait_for(self, words: str, at_most: float = 15) -> None:
        end = time.monotonic() + at_most
        while words not in self.text:
            if time.monotonic() > end or not self._read(0.1):
                raise TooLate(f"'{words}' on the terminal:\n{self.text[-2000:]}")

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self, at_most: float = 30) -> int:
        """Its exit status, once it has ended."""
        end = time.monotonic() + at_most
        while self._read(0.1):
            if time.monotonic() > end:
                self.kill()
                self.wait()
                raise TooLate(f"the end of the command:\n{self.text[-2000:]}")
        return self.wait()

    def kill(self) -> None:
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit status; the terminal is closed."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            os.close(self._fd)
        return self._status

    def _read(self, at_most: float) -> bool:
        """False at the end of its output."""
        if not select.select([self._fd], [], [], at_most)[0]:
            return True
        try:
            piece = os.read(self._fd, 65536)
        except OSError:
            return False
        self.raw += piece.decode(errors="replace")
        return bool(piece)
