"""A relay in front of a host's metadata service that makes weather: another clock, errors, garbage, silence.

    imds = ImdsProxy(rig.imds(node, spot=True, time_in_s=25))
    imds.become("error", status=500)
    imds.become("well")
"""

import calendar
import contextlib
import http.server
import re
import threading
import time
from email.utils import formatdate, parsedate_to_datetime

import requests

from .imds import Imds, rfc3339

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_GARBAGE = {
    "garbage": b'{"action": "termin\xff\x00',
    "empty": b"",
    "page": b"<html><body>Please log in</body></html>",
    "huge": b"x" * 5_000_000,
}


class ImdsProxy:
    """`url` is what INSTANCE_METADATA_URL wants. `shift_s`: its clock, and the times it names, are so far ahead.
    `recommended_at`: a rebalance recommendation is of that moment (Unix seconds), not of each request as the mock's.

    Weather, by `become`: "well"; "error" (with a status); "garbage", "empty", "page", "huge" (status 200);
    "slow" (each answer takes `seconds`); "silent" (it never answers); "gone" (connections are refused).
    """

    def __init__(self, imds: Imds, shift_s: float = 0):
        self.imds, self.shift_s = imds, shift_s
        self.recommended_at: float | None = None
        self.seen: list[tuple[float, str, str]] = []  # Unix seconds, method, path
        self._weather, self._status, self._seconds = "well", 500, 0.0
        self._lock = threading.Lock()
        self._calm = threading.Event()
        self._server: http.server.ThreadingHTTPServer | None = None
        self._listen(0)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def deadline(self) -> float:
        """The true moment of the announced end, by the clock of this machine."""
        return self.imds.deadline

    def become(self, weather: str, status: int = 500, seconds: float = 0) -> None:
        self._calm.set()  # who waits in silence is let go
        self._calm = threading.Event()
        self._weather, self._status, self._seconds = weather, status, seconds
        if weather == "gone":
            self._close()
        elif self._server is None:
            self._listen(self.port)

    def polls(self, since: float = 0) -> list[float]:
        """When it was asked for the notice."""
        with self._lock:
            return [at for at, _, path in self.seen if at >= since and path.endswith("/spot/instance-action")]

    def stop(self) -> None:
        self._calm.set()
        self._close()

    def _listen(self, port: int) -> None:
        proxy = self

        class Handler(_Handler):
            pass

        Handler.proxy = proxy
        self._server = _Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="imds-proxy", daemon=True).start()

    def _close(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _shifted(self, text: str) -> str:
        def later(match: re.Match) -> str:
            moment = time.strptime(match[0], "%Y-%m-%dT%H:%M:%SZ")
            return rfc3339(calendar.timegm(moment) + self.shift_s)

        return _TIME.sub(later, text)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address) -> None:
        """A client that gives up is what this proxy is for."""


class _Handler(http.server.BaseHTTPRequestHandler):
    proxy: ImdsProxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        proxy = self.proxy
        with proxy._lock:
            proxy.seen.append((time.time(), self.command, self.path))
        weather, status, calm = proxy._weather, proxy._status, proxy._calm
        if weather in ("silent", "gone"):  # gone: a connection that was kept
            calm.wait(60 if weather == "silent" else 0)
            self.close_connection = True
        elif weather == "error":
            self._send(status, {}, b"")
        elif weather in _GARBAGE:
            self._send(200, {}, _GARBAGE[weather])
        else:
            if weather == "slow":
                calm.wait(proxy._seconds)
            self._relay()

    do_PUT = do_GET

    def _relay(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            wanted = {k: v for k, v in self.headers.items() if k.lower().startswith("x-aws")}
            try:
                answer = session.request(
                    self.command, self.proxy.imds.url + self.path, headers=wanted, timeout=5, allow_redirects=False
                )
            except requests.RequestException:
                self.close_connection = True
                return
        headers = {k: v for k, v in answer.headers.items() if k.lower().startswith(("x-aws", "content-type"))}
        if "Date" in answer.headers:
            date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
            headers["Date"] = formatdate(date + self.proxy.shift_s, usegmt=True)
        text = self.proxy._shifted(answer.text)
        if self.proxy.recommended_at and self.path.endswith("/recommendations/rebalance"):
            text = _TIME.sub(rfc3339(self.proxy.recommended_at), text)
        self._send(answer.status_code, headers, text.encode())

    def _send(self, status: int, headers: dict, body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)
