"""Alert workers, receivers of webhooks and an Alertmanager, for tests."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import orjson
import yaml

from deploy.embedded.ports import free_port
from deploy.embedded.supervisor import die_with_parent
from tests.end_to_end.system import System


class WebhookServer:
    """A web server that notes what it is told; `answers` are the status codes of the next requests, then 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append((self.path, headers, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, path: str) -> list[tuple[dict[str, str], Any]]:
        """Headers and parsed bodies of what came to a path."""
        return [(headers, orjson.loads(body)) for where, headers, body in list(self.requests) if where == path]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class AlertWorkers:
    """Alert workers of one group; what they say is in the system's folder."""

    def __init__(self, system: System, group: str, receivers: list[dict[str, Any]], folder: Path) -> None:
        self._system = system
        self._log = system.folder / f"{group}.log"
        path = folder / "receivers.yaml"
        path.write_text(yaml.safe_dump({"receivers": receivers}))
        settings = {"alert_group": group, "alert_receivers": path, "alert_resend_s": 5}
        given = {f"VISION_EVENTS_{key.upper()}": str(value) for key, value in settings.items()}
        self.environment = system.environment | given
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, **settings: str) -> subprocess.Popen[bytes]:
        assert name not in self.running or self.running[name].poll() is not None, f"{name} is running"
        with self._log.open("ab") as log:
            named = self.environment | {"VISION_EVENTS_WORKER_ID": name}
            named |= {f"VISION_EVENTS_{key.upper()}": value for key, value in settings.items()}
            command = [sys.executable, "-m", "pipeline", "alert-worker"]
            self.running[name] = subprocess.Popen(
                command, env=named, stdout=log, stderr=log, preexec_fn=die_with_parent
            )
        return self.running[name]

    def kill(self, name: str) -> None:
        self._system.kill(self.running.pop(name))

    def restart_ended(self) -> int:
        """Start those that ended by themselves again, as a supervisor does; their number."""
        ended = [name for name, process in self.running.items() if process.poll() is not None]
        for name in ended:
            self.start(name)
        return len(ended)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.kill(name)

    def stop(self) -> None:
        """Tell all to stop; they have to end well."""
        for process in self.running.values():
            process.terminate()
        codes = [process.wait(60) for process in self.running.values()]
        self.running.clear()
        assert not any(codes), self._log.read_text()[-4000:]


@contextmanager
def alertmanager(folder: Path, webhook: str) -> Iterator[str]:
    """A real Alertmanager on this machine that tells `webhook`, grouped by use case. Yields its URL."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    assert program
    config = {
        "route": {
            "receiver": "hook",
            "group_by": ["use_case"],
            "group_wait": "1s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook, "send_resolved": True}]}],
    }
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        program,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
