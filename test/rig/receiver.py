"""What webhooks are posted to, and a proxy on the way: small HTTP servers on the loopback that keep what they got."""

import dataclasses
import http.server
import json
import threading
import urllib.request

from .process import until


@dataclasses.dataclass(frozen=True)
class Post:
    path: str  # of a proxied request: the whole URL
    headers: dict[str, str]
    body: str

    def json(self):
        return json.loads(self.body)


class Receiver:
    """Answers each POST with the next of `answers`, and with the last one for ever. `via` counts what a proxy relays."""

    def __init__(self, answers: tuple[int, ...] = (200,), proxy: bool = False):
        self.posts: list[Post] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                receiver.posts.append(Post(self.path, dict(self.headers), body))
                status = answers[min(len(receiver.posts), len(answers)) - 1]
                if proxy:
                    onward = urllib.request.Request(self.path, body.encode(), dict(self.headers), method="POST")
                    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                    status = opener.open(onward, timeout=5).status
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, at_most: float = 15, posts: int = 1) -> Post:
        """The last post, when there are as many."""
        until(lambda: len(self.posts) >= posts, at_most, f"{posts} posts at {self.host}")
        return self.posts[-1]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
