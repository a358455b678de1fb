"""A TLS relay in front of a rig's API server that makes weather: cut, slow, silent, refused, answered by itself.

    proxy = ApiProxy(plane, folder)
    rig.agent(node, imds, via=proxy)
    proxy.answer(3, 429, method="POST", path="/eviction$", headers={"Retry-After": "2"})

Requests and bearer tokens pass unchanged; streaming answers (watches) pass byte by byte. Every connection of a client
has a thread and a connection to the API server of its own.
"""

import contextlib
import dataclasses
import http.client
import http.server
import json
import pathlib
import re
import socket
import ssl
import threading
import time

from .control_plane import ControlPlane
from .pki import issue
from .process import free_port

_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


def status_body(code: int, message: str, reason: str = "", causes: list | tuple = ()) -> bytes:
    """A meta/v1 Status as API servers send it. `causes`: dicts with reason and message."""
    details = {"details": {"causes": list(causes)}} if causes else {}
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return json.dumps(status | details | {"code": code}).encode()


@dataclasses.dataclass(frozen=True)
class Seen:
    """One request: when it came (Unix seconds), and the status that the client got; 0: none."""

    at: float
    method: str
    path: str
    status: int


@dataclasses.dataclass
class _Rule:
    left: int
    method: str
    path: re.Pattern
    act: str  # answer, swallow, delay
    status: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0


class ApiProxy:
    """Listens from the constructor to `stop()`. `port` stays the same, also after `refuse()`."""

    def __init__(self, plane: ControlPlane, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.plane, self.folder = plane, folder
        self.port = free_port()
        self.seen: list[Seen] = []
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._open: set[socket.socket] = set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._hung = re.compile("")
        self._upstream = ssl.create_default_context(cafile=str(plane.pki.ca_crt))
        self._certificates = 0
        self._server: http.server.ThreadingHTTPServer | None = None
        self.certificate(plane.pki.ca_crt, plane.pki.ca_key)
        self.accept()

    # Connections

    def accept(self) -> None:
        """Listens (again)."""
        if self._server:
            return
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="api-proxy", daemon=True).start()

    def refuse(self) -> None:
        """Nobody listens any more, and all open connections are cut: what a restarting API server looks like."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.cut()

    def cut(self) -> int:
        """Ends all open connections now. Returns how many there were."""
        with self._lock:
            victims = list(self._open)
        for victim in victims:
            with contextlib.suppress(OSError):
                victim.shutdown(socket.SHUT_RDWR)
        return len(victims)

    def certificate(self, ca_crt: pathlib.Path, ca_key: pathlib.Path) -> None:
        """New connections meet a new server certificate by that authority; open ones go on (see `cut`)."""
        self._certificates += 1
        crt, key = (self.folder / f"proxy-{self._certificates}.{kind}" for kind in ("crt", "key"))
        issue(ca_crt, ca_key, crt, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        self._context = context

    # Answers. `times` requests that match are treated so; several rules are used up in their order.

    def answer(
        self,
        times: int,
        status: int,
        method: str = ".*",
        path: str = "",
        headers: dict | None = None,
        body: str | bytes | None = None,
    ) -> None:
        """Answered by the proxy itself; the API server never hears of it. `body`: default a plain Status."""
        if body is None:
            body = status_body(status, f"weather: {status}")
        body = body.encode() if isinstance(body, str) else body
        kind = {"Content-Type": "text/html" if body.startswith(b"<") else "application/json"}
        self._rule(times, method, path, "answer", status=status, headers=kind | (headers or {}), body=body)

    def swallow(self, times: int, method: str = ".*", path: str = "") -> None:
        """Done by the API server, but the connection is cut in place of the answer."""
        self._rule(times, method, path, "swallow")

    def delay(self, times: int, seconds: float, method: str = ".*", path: str = "") -> None:
        """Passed on so much later."""
        self._rule(times, method, path, "delay", seconds=seconds)

    def forget(self) -> None:
        """No rule is left."""
        with self._lock:
            self._rules.clear()

    def hang(self, path: str = "watch=true") -> None:
        """Streams whose path matches pass no byte any more, and are not closed either."""
        self._hung = re.compile(path)
        self._flowing.clear()

    def flow(self) -> None:
        """The end of hang(): what was held back is passed on."""
        self._flowing.set()

    # Looking

    def requests(self, method: str = ".*", path: str = "", status: int | None = None) -> list[Seen]:
        with self._lock:
            seen = list(self.seen)
        return [
            one
            for one in seen
            if re.fullmatch(method, one.method) and re.search(path, one.path) and status in (None, one.status)
        ]

    def stop(self) -> None:
        self.refuse()
        self._flowing.set()

    # Within

    def _rule(self, times: int, method: str, path: str, act: str, **what) -> None:
        with self._lock:
            self._rules.append(_Rule(times, method, re.compile(path), act, **what))

    def _take(self, method: str, path: str) -> _Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.left > 0 and re.fullmatch(rule.method, method) and rule.path.search(path):
                    rule.left -= 1
                    return rule
        return None

    def _note(self, at: float, method: str, path: str, status: int) -> None:
        with self._lock:
            self.seen.append(Seen(at, method, path, status))

    def _wait_to_flow(self, path: str) -> None:
        if self._hung.search(path):
            self._flowing.wait()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address) -> None:
        """A connection that is cut is what this proxy is for."""


def _handler(proxy: ApiProxy) -> type:
    class Handler(_Handler):
        pass

    Handler.proxy = proxy
    return Handler


class _Handler(http.server.BaseHTTPRequestHandler):
    proxy: ApiProxy
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.raw = self.request
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.proxy._lock:
            self.proxy._open.add(self.raw)
        self.request = self.proxy._context.wrap_socket(self.raw, server_side=True)
        with self.proxy._lock:
            self.proxy._open.discard(self.raw)
            self.proxy._open.add(self.request)
        self._upstream = http.client.HTTPSConnection(
            "127.0.0.1", self.proxy.plane.port, timeout=30, context=self.proxy._upstream
        )
        super().setup()

    def finish(self) -> None:
        with self.proxy._lock:
            self.proxy._open.discard(self.request)
        self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        began = time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        rule = self.proxy._take(self.command, self.path)
        if rule and rule.act == "answer":
            self.proxy._note(began, self.command, self.path, rule.status)
            self._send(rule.status, rule.headers, rule.body)
            return
        if rule and rule.act == "delay":
            time.sleep(rule.seconds)
        answer = self._ask(body)
        if answer is None or (rule and rule.act == "swallow"):
            if answer:
                answer.read()
            self.proxy._note(began, self.command, self.path, 0)
            self._hang_up()
            return
        self.proxy._note(began, self.command, self.path, answer.status)
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        if answer.chunked:
            self._stream(answer, headers)
        else:
            self._send(answer.status, headers, answer.read())

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _ask(self, body: bytes):
        """The API server's answer; None: it is not there."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        for again in (True, False):  # a connection that was kept may have ended meanwhile
            fresh = self._upstream.sock is None
            try:
                self._upstream.request(self.command, self.path, body or None, headers)
                return self._upstream.getresponse()
            except (http.client.HTTPException, OSError):
                self._upstream.close()
                if fresh or not again:
                    return None
        return None

    def _send(self, status: int, headers: dict, body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer, headers: dict) -> None:
        self.send_response_only(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self._upstream.sock:
            self._upstream.sock.settimeout(None)
        try:
            while piece := answer.read1(65536):
                self.proxy._wait_to_flow(self.path)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        except (http.client.HTTPException, OSError):  # the API server went away in the middle
            self._hang_up()
            return
        self.proxy._wait_to_flow(self.path)
        self.wfile.write(b"0\r\n\r\n")

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)
