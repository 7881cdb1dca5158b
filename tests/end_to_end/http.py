"""A gateway process, and clients of it with keys of any workspace."""

import ssl
import subprocess
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from deploy.embedded.ports import free_port
from pipeline.edges.keys import SCOPES, create_key
from tests.end_to_end.system import System, until


class Gateway:
    """`vision-events gateway` on a free port; `settings` differ from those of the system."""

    def __init__(self, system: System, settings: Mapping[str, str] | None = None) -> None:
        self.environment = system.environment | {
            f"VISION_EVENTS_{name.upper()}": value for name, value in (settings or {}).items()
        }
        self.system = system
        secure = "tls_cert_file" in (settings or {})
        self.url = f"http{'s' if secure else ''}://127.0.0.1:{free_port()}"
        self.trust = ssl.create_default_context(cafile=(settings or {}).get("tls_ca_file"))
        self.log = system.folder / "gateway.log"

    def __enter__(self) -> Self:
        port = self.url.rpartition(":")[2]
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "pipeline", "gateway", "--http-port", port]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        until(self.ready, bool)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log.read_text()[-4000:]

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=10, verify=self.trust).status_code == 200
        except httpx.TransportError:
            return False

    def client(self, workspace: str = "default", scopes: tuple[str, ...] = SCOPES) -> httpx.Client:
        """A client with a new key; its base URL is that of the calls."""
        _, key = create_key(self.system.sql, workspace, "test", scopes)
        return httpx.Client(
            base_url=f"{self.url}/vision-events",
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
            verify=self.trust,
        )


def event(use_case: str, **changes: Any) -> dict[str, Any]:
    """A valid event of type custom."""
    return {
        "eventId": str(uuid.uuid4()),
        "eventType": "custom",
        "useCaseId": use_case,
        "timestamp": datetime.now(UTC).isoformat(),
    } | changes
