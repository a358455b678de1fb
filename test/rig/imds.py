"""The instance metadata service of one host: AWS's own amazon-ec2-metadata-mock (v1.12.0).

Facts, from its source: it answers notices to the first 2 client addresses only (--mock-ip-count; negative: to all);
without -t the notice's time moves with every request; `spot` answers a rebalance recommendation too, at once, unless
its trigger time is in the future; trigger times count in whole seconds; it forgets its tokens when it restarts.
"""

import datetime
import json
import pathlib
import time

import requests

from .binaries import binary
from .process import Process, free_port, until

_NEVER = "2099-01-01T00:00:00Z"


def rfc3339(unix_s: float) -> str:
    """UTC, whole seconds, as AWS writes times."""
    return datetime.datetime.fromtimestamp(int(unix_s), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Imds:
    """Runs from the constructor to `stop()`. `url` is what INSTANCE_METADATA_URL wants.

    spot         announce a Spot interruption: its time is `time_in_s` from now, fixed (`deadline`, Unix seconds)
    after_s      … but answer 404 until that many seconds have passed (whole seconds)
    rebalance    announce a rebalance recommendation, `after_s` likewise
    sliding      its time is two minutes from each request: what the mock does without -t
    v2_only      answer requests without a session token with 401
    command, *arguments   another of the mock's commands: "events", "asglifecycle"
    """

    def __init__(
        self,
        folder: pathlib.Path,
        name: str = "imds",
        instance_id: str = "i-1234567890abcdef0",
        values: dict[str, str] | None = None,
        **notice,
    ):
        self.folder, self.name = folder, name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.deadline: float | None = None
        self._config = folder / f"{name}.json"
        known = {"instance-id": instance_id, "instance-life-cycle": "spot"} | (values or {})
        self._config.write_text(json.dumps({"metadata": {"values": known}}))
        self._process: Process | None = None
        self.announce(**notice)

    def announce(
        self,
        spot: bool = False,
        time_in_s: float = 120,
        after_s: int = 0,
        action: str = "terminate",
        rebalance: bool = False,
        v2_only: bool = False,
        sliding: bool = False,
        command: str = "spot",
        arguments: tuple = (),
    ) -> None:
        """Restarts the mock on the same port with another notice (or, without arguments, with none: withdrawn)."""
        self.stop()
        flags = ["--hostname=127.0.0.1", f"--port={self.port}", "--mock-ip-count=-1", f"--config-file={self._config}"]
        if v2_only:
            flags.append("--imdsv2")
        if command == "spot":
            now = time.time()
            self.deadline = float(int(now + time_in_s)) if spot else None
            appears = rfc3339(now + after_s)
            flags += [
                f"--action={action}",
                *([] if sliding else [f"--time={rfc3339(now + time_in_s)}"]),
                f"--mock-trigger-time={appears if spot else _NEVER}",
                f"--rebalance-trigger-time={appears if rebalance else _NEVER}",
            ]
        env = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        self._process = Process(self.name, [binary("aemm"), command, *flags, *arguments], self.folder, env)
        until(self._listens, 5, f"{self.name} listening")

    def seconds_left(self) -> float:
        """Until the announced end."""
        assert self.deadline is not None, "no Spot notice was announced"
        return self.deadline - time.time()

    def get(self, path: str, token: str | None = None) -> requests.Response:
        """Any path below the root, as a client of our own."""
        with requests.Session() as session:
            session.trust_env = False
            headers = {"X-aws-ec2-metadata-token": token} if token else {}
            return session.get(f"{self.url}/{path.lstrip('/')}", headers=headers, timeout=5)

    def token(self, ttl_s: int = 21600) -> str:
        """A session token (IMDSv2)."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.put(
                f"{self.url}/latest/api/token", timeout=5, headers={"X-aws-ec2-metadata-token-ttl-seconds": str(ttl_s)}
            )
        answer.raise_for_status()
        return answer.text.strip()

    def stop(self) -> None:
        if self._process:
            self._process.stop()
            self._process = None

    def _listens(self) -> bool:
        self._process.check_alive()
        try:
            return bool(self.get("latest/meta-data/instance-id").status_code)
        except requests.ConnectionError:
            return False
