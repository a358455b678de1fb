"""The AWS endpoint of a test: moto's own application on a free loopback port, in this process.

In front of it: every request's SigV4 is verified (signing.py), recorded (`calls`), and may meet a fault (faults.py).
What moto only keeps as state is answered by the rig's models instead (`models`: service name to a function of the
request and its action that returns a Reply, or None to leave the request to moto).

    with AwsServer() as aws:
        aws.client("ecs").list_clusters()
        aws.faults.throttle("ecs", times=3)
        assert aws.calls_of("ListClusters")[0].status == 200
"""

import dataclasses
import email.utils
import functools
import http.server
import socket
import sys
import threading
import time
from collections.abc import Callable

import boto3
import botocore.config
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

from .faults import Dropped, Faults
from .replies import AwsError, Reply, Request, error_reply
from .signing import Key, verify

Model = Callable[[Request], Reply | None]

REGION = "eu-west-1"
ACCESS_KEY = "AKIARIGRIGRIGRIGRIG1"
SECRET_KEY = "rig/secret+that/the-tests/know0000000000"


@functools.cache
def _session() -> boto3.session.Session:
    """One for the run: loading the services' models takes longer than most tests."""
    return boto3.session.Session()


@dataclasses.dataclass(frozen=True)
class Call:
    """One request: also those that were refused. `params` as JSON, or the flat form of the query protocol."""

    at: float  # Unix seconds, when it came
    service: str
    action: str
    params: dict
    status: int  # 0: the connection was dropped
    error: str
    access_key: str
    headers: dict[str, str]


class _Handler(http.server.BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that stay open, as AWS's do. (Werkzeug's own server, which moto's is, closes each.)"""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known},{value}"
        body = self.rfile.read(int(headers.get("content-length", 0)))
        path, _, query = self.path.partition("?")
        reply = self.server.owner.answer(Request(self.command, path, query, headers, body, is_gone=self._is_gone))
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        fixed = {
            "Content-Type": reply.content_type,
            "Content-Length": str(len(reply.body)),
            "x-amzn-RequestId": reply.request_id,
        }
        for name, value in (fixed | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body if self.command != "HEAD" else b"")

    def _is_gone(self) -> bool:
        """The client has closed its end: there is something to read, and it is nothing."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answer

    def version_string(self) -> str:
        return "rig"

    def date_time_string(self, timestamp=None) -> str:
        """The Date header: AWS's clock, from which a client learns its own skew."""
        return email.utils.formatdate(self.server.owner.now(), usegmt=True)

    def log_message(self, *_) -> None:
        """Silent: `calls` is the log."""


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    owner: "AwsServer"

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class AwsServer:
    """Runs from the constructor to `stop()`. `clock_offset_s`: how far AWS's clock is ahead of this machine's."""

    def __init__(self, region: str = REGION):
        self.region = region
        self.keys: dict[str, Key] = {ACCESS_KEY: Key(SECRET_KEY)}
        self.faults = Faults()
        self.models: dict[str, Model] = {}
        self.clock_offset_s = 0.0
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._stopped = False
        self.broken: Exception | None = None
        moto_api_backend.reset()  # moto's state belongs to the process: a test begins with none
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = _Listener(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> "AwsServer":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        """Connections that are still open get no further answer."""
        if not self._stopped:
            self._stopped = True
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        if self.broken:
            raise RuntimeError("the AWS endpoint broke") from self.broken

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    def now(self) -> float:
        return time.time() + self.clock_offset_s

    def client(self, service: str, user_agent: str | None = None, **settings):
        """A boto3 client with the rig's key and no retries. `settings` as of boto3.client."""
        config = botocore.config.Config(
            retries={"total_max_attempts": 1}, parameter_validation=False, proxies={}, user_agent=user_agent
        )
        defaults = {
            "region_name": self.region,
            "endpoint_url": self.url,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "config": config,
        }
        return _session().client(service, **(defaults | settings))

    def environment(self) -> dict[str, str]:
        """What a child process needs to use it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def calls_of(self, action: str) -> list[Call]:
        return [call for call in self.calls if call.action == action]

    # Of the handler's threads.

    def answer(self, request: Request) -> Reply | None:
        """None: the connection is to be closed without a byte. A mistake of the rig itself is 500, and `stop` fails."""
        at, reply = time.time(), None
        try:
            reply = self._reply(request)
        except Dropped:
            pass
        except Exception as error:
            self.broken = error
            reply = error_reply(request, AwsError("InternalFailure", f"The rig itself failed: {error!r}", 500))
        status, code = (reply.status, reply.error) if reply else (0, "Dropped")
        params, key = request.params(), request.access_key
        call = Call(at, request.service, request.action, params, status, code, key, request.headers)
        with self._lock:
            self._calls.append(call)
        return reply

    def _reply(self, request: Request) -> Reply:
        if self._stopped:
            raise Dropped
        latency, lost = 0.0, False
        try:
            verify(request, self.keys, self.region, self.now())
            latency, lost = self.faults.meet(request)
            model = self.models.get(request.service)
            reply = (model(request) if model else None) or self.ask_moto(request)
        except AwsError as error:
            reply = error_reply(request, error)
        if latency:
            time.sleep(latency)
        if lost:
            raise Dropped
        return reply

    def ask_moto(self, request: Request) -> Reply:
        settings = {"query_string": request.query, "headers": request.headers, "data": request.body}
        environ = EnvironBuilder(request.path, method=request.method, **settings).get_environ()
        body, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        reply = Reply(int(status.split()[0]), b"".join(body), headers.get("content-type", "application/octet-stream"))
        reply.error = "" if reply.status < 400 else reply.body[:200].decode("utf-8", "replace")
        return reply
