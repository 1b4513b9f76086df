"""The page, the stream of pictures and the stream of values over HTTP, for whoever may see them."""

import hmac
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from affect.inference.live.newest import Newest
from affect.inference.live.page import render_page
from affect.inference.live.watching import Moment
from affect.plumbing.errors import InputError

_BOUNDARY = "picture"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@contextmanager
def serve(shown: Newest[Moment], host: str, port: int) -> Iterator[str]:
    """Serve the page until the block ends, and yield its address.

    host: where only this machine comes in, requests must be for it by name; anywhere else the address has a token that
    each request must have. port: 0 for any that is free. Raises InputError where there can be no server.
    """
    server = _Server(shown, host, port)
    thread = Thread(target=server.serve_forever, args=(0.1,), name="server")
    thread.start()
    try:
        yield server.url
    finally:
        shown.close()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Ends all connections and waits for their threads when it is closed."""

    daemon_threads = False
    allow_reuse_port = False

    def __init__(self, shown: Newest[Moment], host: str, port: int) -> None:
        self.shown = shown
        self.connections: set[socket.socket] = set()
        try:
            self.address_family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            super().__init__(address[:2], _Handler)  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no name of a host"
            raise InputError(f"port {port} of {host or 'no host'} can't be served: {reason}") from None
        bound = ip_address(str(self.server_address[0]).split("%")[0])
        self.names = _LOOPBACK_NAMES | {host.lower(), str(bound)}
        self.token = None if bound.is_loopback else secrets.token_urlsafe(24)
        self.page = render_page(is_local=bound.is_loopback)
        name = socket.gethostname() if bound.is_unspecified else host
        name = f"[{name}]" if ":" in name else name
        self.url = f"http://{name}:{self.server_address[1]}/" + (f"?token={self.token}" if self.token else "")

    def server_bind(self) -> None:
        """Take the port, without asking for the host's full name, which may take seconds."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End all connections, one with a client that does not read too."""
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over clients that go away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # Seconds for which a client may keep a thread waiting.
    timeout = 10
    server_version, sys_version = "affect", ""

    def do_GET(self) -> None:
        """Answer a request."""
        path, _, query = self.path.partition("?")
        if not self._is_allowed(query):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif path == "/":
            self._begin("text/html; charset=utf-8", len(self.server.page.content))
            self.wfile.write(self.server.page.content)
        elif path == "/stream":
            self._begin(f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.wfile.write(f"--{_BOUNDARY}\r\n".encode())
            for moment in self._moments():
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(moment.jpeg)}\r\n\r\n"
                # The next boundary at once: until it comes, a browser does not show the picture.
                self.wfile.write(head.encode() + moment.jpeg + f"\r\n--{_BOUNDARY}\r\n".encode())
        elif path == "/values":
            self._begin("text/event-stream")
            self.wfile.write(b"retry: 1000\n\n")
            for moment in self._moments():
                self.wfile.write(f"data: {moment.values}\n\n".encode())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _is_allowed(self, query: str) -> bool:
        """Whether a request has the token or, where there is none, is for this machine by name.

        A page of another site can have its own name lead here (DNS rebinding); its requests are for that name.
        """
        if self.server.token is not None:
            (given, *_) = parse_qs(query).get("token", [""])
            return hmac.compare_digest(given.encode(), self.server.token.encode())
        try:
            return urlsplit(f"//{self.headers.get('Host', '')}").hostname in self.server.names
        except ValueError:
            return False

    def _moments(self) -> Iterator[Moment]:
        """Yield the newest moment, as fast as the client reads them."""
        count = 0
        while (taken := self.server.shown.take(count)) is not None:
            count, moment = taken
            yield moment

    def _begin(self, kind: str, length: int | None = None) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def end_headers(self) -> None:
        """Keep the answer out of caches and of other sites' pages."""
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", self.server.page.policy)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing of requests."""
