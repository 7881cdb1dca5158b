"""The three services together: one data folder, one lock, one set of addresses."""

import asyncio
import fcntl
import json
import os
import secrets
import socket
import urllib.request
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import IO, Final, Self
from urllib.parse import urlsplit

import urllib3
from aiokafka.admin import AIOKafkaAdminClient
from minio import Minio

from deploy.embedded import clickhouse, kafka, s3
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.files import write_private
from deploy.embedded.ports import HOST, free_port, require_free
from deploy.embedded.supervisor import Part, Supervisor

STACK_FILE: Final = "stack.toml"
"""Addresses and credentials of the running stack, by the names of the pipeline's settings (mode 0600)."""


@dataclass(frozen=True)
class Ports:
    """Ports of the services on the loopback address; 0 takes any free one."""

    kafka: int = kafka.DEFAULT_PORT
    s3: int = s3.DEFAULT_PORT
    clickhouse: int = clickhouse.DEFAULT_PORT


@dataclass(frozen=True)
class Addresses:
    """Where the services are and how to get in. Field names are those of the pipeline's settings."""

    kafka_bootstrap: str
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    s3_region: str
    clickhouse_url: str
    clickhouse_user: str
    clickhouse_password: str
    analyst_user: str
    analyst_password: str
    link_secret: str


class EmbeddedStack:
    """Kafka, S3 and ClickHouse of one data folder. Starting it resumes what the folder holds."""

    def __init__(self, data_dir: Path, ports: Ports | None = None) -> None:
        self.data_dir = data_dir
        self._ports = ports or Ports()
        self.supervisor = Supervisor(data_dir / "logs")
        self._lock: IO[str] | None = None
        self._addresses: Addresses | None = None

    @property
    def addresses(self) -> Addresses:
        """Where the running services are."""
        if self._addresses is None:
            raise EmbeddedError("the stack is not running")
        return self._addresses

    def start(self) -> None:
        """Start all three and return when they answer.

        Raises EmbeddedError: another stack uses the folder, a port is taken, a part does not start.
        """
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(f"data_dir: {self.data_dir} cannot be made: {error.strerror}") from None
        self._lock = _lock(self.data_dir)
        # A free port may be taken by somebody else before its server has it.
        attempts = 3 if 0 in astuple(self._ports) else 1
        for attempt in range(1, attempts + 1):
            try:
                self._start_services()
                return
            except EmbeddedError:
                if attempt == attempts:
                    self.stop()
                    raise
                self.supervisor.stop()
                self.supervisor = Supervisor(self.data_dir / "logs")
            except BaseException:
                self.stop()
                raise

    def _start_services(self) -> None:
        ports = Ports(*(_port(name, port) for name, port in asdict(self._ports).items()))
        self._addresses = _addresses(ports, _secrets(self.data_dir / "secrets.json"))
        self.supervisor.start(*self._parts(ports, self._addresses))
        self.publish()

    def publish(self, **more: str | int) -> None:
        """Write the addresses, and `more` settings, where commands that are given the data folder look for them."""
        settings = asdict(self.addresses) | more
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        write_private(self.data_dir / STACK_FILE, text)

    def stop(self) -> None:
        """Stop everything that was started; no process is left."""
        self.supervisor.stop()
        if self._lock is not None:
            (self.data_dir / STACK_FILE).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def _parts(self, ports: Ports, at: Addresses) -> list[Part]:
        return [
            Part("kafka", kafka.prepare(self.data_dir / "kafka", ports.kafka), ready=lambda: _ask_kafka(at)),
            Part(
                "s3",
                s3.prepare(self.data_dir / "s3", ports.s3, at.s3_access_key, at.s3_secret_key),
                ready=lambda: _ask_s3(at),
            ),
            Part(
                "clickhouse",
                clickhouse.prepare((self.data_dir / "clickhouse").resolve(), ports.clickhouse),
                env={
                    "CLICKHOUSE_PASSWORD": at.clickhouse_password,
                    "CLICKHOUSE_ANALYST_PASSWORD": at.analyst_password,
                }
                | clickhouse.MALLOC,
                ready=lambda: _ask_clickhouse(at),
            ),
        ]


def _lock(data_dir: Path) -> IO[str]:
    """Hold the folder for as long as the returned file is open."""
    file = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise EmbeddedError(
            f"{data_dir} is in use by a running stack (process {owner}): stop that one, or give another --data-dir"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _port(name: str, wanted: int) -> int:
    if wanted:
        require_free(name, wanted)
        return wanted
    return free_port()


def _secrets(path: Path) -> dict[str, str]:
    """Credentials of the folder, made at the first start; what later versions add is made at theirs."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {"s3_access", "s3_secret", "writer", "analyst", "link"} - known.keys()
    if missing:
        known |= {name: secrets.token_hex(16) for name in missing}
        write_private(path, json.dumps(known))
    return known


def _addresses(ports: Ports, secret: dict[str, str]) -> Addresses:
    return Addresses(
        kafka_bootstrap=f"{HOST}:{ports.kafka}",
        s3_endpoint=f"http://{HOST}:{ports.s3}",
        s3_access_key=secret["s3_access"],
        s3_secret_key=secret["s3_secret"],
        s3_region=s3.REGION,
        clickhouse_url=f"http://{HOST}:{ports.clickhouse}",
        clickhouse_user="default",
        clickhouse_password=secret["writer"],
        analyst_user="analyst",
        analyst_password=secret["analyst"],
        link_secret=secret["link"],
    )


def _ask_kafka(at: Addresses) -> None:
    """A broker that answers for its metadata takes records."""

    # First without the client, which logs each refused connection as an error.
    host, _, port = at.kafka_bootstrap.partition(":")
    socket.create_connection((host, int(port)), timeout=2).close()

    async def ask() -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=at.kafka_bootstrap, request_timeout_ms=2_000)
        try:
            await client.start()
            await client.list_topics()
        finally:
            await client.close()

    asyncio.run(ask())


def _ask_s3(at: Addresses) -> None:
    """A signed request, so that the credentials are known to work."""
    http = urllib3.PoolManager(timeout=2, retries=False)
    client = Minio(
        urlsplit(at.s3_endpoint).netloc,
        access_key=at.s3_access_key,
        secret_key=at.s3_secret_key,
        region=at.s3_region,
        secure=False,
        http_client=http,
    )
    client.list_buckets()


def _ask_clickhouse(at: Addresses) -> None:
    """A query as the user that writes."""
    request = urllib.request.Request(
        f"{at.clickhouse_url}/?query=SELECT%201",
        headers={"X-ClickHouse-User": at.clickhouse_user, "X-ClickHouse-Key": at.clickhouse_password},
    )
    with urllib.request.urlopen(request, timeout=2) as answer:
        answer.read()
