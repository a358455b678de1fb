"""A recording proxy between one agent and the metadata mock: when did the agent's poll get the notice?"""

import http.client
import http.server
import threading
import time
import urllib.parse

_NOTICE = "/latest/meta-data/spot/instance-action"


class WatchedImds:
    """Listens on a free port from the constructor to `stop()`; `url` is for INSTANCE_METADATA_URL.

    `noticed_at`: Unix seconds when the first answer that holds the notice was handed to the agent's connection.
    The proxy adds its own time (1–2 ms) to each poll before that moment, and nothing after it.
    """

    def __init__(self, target: str):
        self.polls = 0
        self.noticed_at: float | None = None
        self._target = urllib.parse.urlsplit(target).netloc
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one write: no waiting for a delayed ACK between them

            def do_GET(self) -> None:  # noqa: N802 (the library's name)
                owner._pass_on(self)

            do_PUT = do_GET  # noqa: N815

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _pass_on(self, request: http.server.BaseHTTPRequestHandler) -> None:
        to = http.client.HTTPConnection(self._target, timeout=5)
        try:
            own = {key: value for key, value in request.headers.items() if key.lower() not in ("host", "connection")}
            body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
            to.request(request.command, request.path, body, own)
            answer = to.getresponse()
            payload = answer.read()
        finally:
            to.close()
        request.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                request.send_header(key, value)
        request.send_header("Content-Length", str(len(payload)))
        request.end_headers()
        request.wfile.write(payload)
        if request.path == _NOTICE:
            self.polls += 1
            if answer.status == 200 and self.noticed_at is None:
                self.noticed_at = time.time()
        request.wfile.flush()
