"""A small HTTP server on a thread of its own, for what supervisors and monitors ask a process without an HTTP API.

It answers also when the event loop hangs: that is what it is for. Further paths, such as /metrics, are further routes.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import orjson

from pipeline.errors import ConfigurationError


def require_listening(host: str, port: int, setting: str) -> None:
    """Raise ConfigurationError, naming the setting, when an address is not this machine's or its port is taken."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise ConfigurationError(f"{setting}: {host}:{port} cannot be listened on: {error.strerror}") from None


class Answer(NamedTuple):
    """What a route answers."""

    status: int
    body: bytes
    content_type: str = "application/json"


Route = Callable[[], Answer]


def json_answer(good: bool, content: Mapping[str, Any]) -> Answer:
    """200 or 503 with a JSON object."""
    return Answer(200 if good else 503, orjson.dumps(dict(content)))


class HttpServer:
    """Serves GET on some paths from start to stop. Port 0 takes any free one."""

    def __init__(self, host: str, port: int, routes: Mapping[str, Route]) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                route = routes.get(self.path.partition("?")[0])
                answer = route() if route else Answer(404, b'{"error":"not found"}')
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: it is asked every few seconds."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise ConfigurationError(f"health_port: {host}:{port} cannot be listened on: {error.strerror}") from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving and close the port."""
        self._server.shutdown()
        self._server.server_close()
