"""A stand-in for DVC Studio on loopback, which keeps what is posted to it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def studio(receive: Callable[[dict], None]) -> Iterator[dict[str, str]]:
    """Yield the environment in which DVC posts to a server that passes each message on."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receive(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield {"DVC_STUDIO_TOKEN": "token", "DVC_STUDIO_URL": url, "DVC_STUDIO_REPO_URL": "git@example.com:user/repo"}
    server.shutdown()
    server.server_close()
