"""Child processes that are always stopped, free ports, and waiting that is not sleeping."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_handed_out: set[int] = set()


class TooLate(AssertionError):
    """What was waited for did not come in time."""


def until(predicate, at_most: float, what: str, every: float = 0.02):
    """Calls `predicate` until its answer is truthy, and returns that answer; fails after `at_most` seconds.

    An AssertionError inside the predicate counts as "not yet", and is shown when the time is over.
    """
    end = time.monotonic() + at_most
    last = None
    while True:
        try:
            last = predicate()
            if last:
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() >= end:
            raise TooLate(f"after {at_most} s: not {what} (last answer: {last!r})")
        time.sleep(every)


def stays(predicate, for_s: float, what: str, every: float = 0.05) -> None:
    """Fails as soon as `predicate` is falsy; returns after `for_s` seconds. For "this must NOT happen"."""
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        assert predicate(), f"no longer {what}"
        time.sleep(every)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that this run has not handed out before."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        if port not in _handed_out:
            _handed_out.add(port)
            return port


def die_with_parent() -> None:
    """In the child: when the tests are killed, the kernel kills it too."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One child in its own process group, its output in `<folder>/<name>.stdout` and `.stderr`."""

    def __init__(self, name: str, command: list, folder: pathlib.Path, env: dict | None = None):
        self.name = name
        self.stdout = folder / f"{name}.stdout"
        self.stderr = folder / f"{name}.stderr"
        with self.stdout.open("ab") as out, self.stderr.open("ab") as err:
            self._child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=env,
                process_group=0,
                preexec_fn=die_with_parent,
            )
        self.pid = self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._child.poll()

    def output(self) -> str:
        """Everything it has written so far, stdout first."""
        return "".join(path.read_text(errors="replace") for path in (self.stdout, self.stderr))

    def check_alive(self) -> None:
        """Fails with the end of its output when it has ended."""
        if self.exit_code is not None:
            tail = "\n".join(self.output().splitlines()[-20:])
            raise RuntimeError(f"{self.name} ended with {self.exit_code}; {self.stderr}:\n{tail}")

    def signal(self, number: int) -> None:
        """To the process alone, not to its children: as the kubelet does it."""
        if self.exit_code is None:
            os.kill(self.pid, number)

    def wait(self, at_most: float = 10) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            return self._child.wait(at_most)
        except subprocess.TimeoutExpired:
            raise TooLate(f"{self.name} (pid {self.pid}) did not end within {at_most} s") from None

    def stop(self, at_most: float = 5) -> int:
        """SIGTERM, and SIGKILL after `at_most` seconds; then SIGKILL for children it left. Returns the exit code."""
        self.signal(signal.SIGTERM)
        try:
            self._child.wait(at_most)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._child.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._child.returncode

    # Figures from /proc, for tests and benchmarks of idle costs.

    def rss_mb(self) -> float:
        """Resident memory, as `VmRSS` of /proc/PID/status tells it."""
        return self._status_kb("VmRSS") / 1024

    def peak_rss_mb(self) -> float:
        return self._status_kb("VmHWM") / 1024

    def cpu_s(self) -> float:
        """User and system time since its start (fields 14 and 15 of /proc/PID/stat)."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status_kb(self, key: str) -> int:
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise RuntimeError(f"{self.name} (pid {self.pid}) has no {key}: it has ended")
