"""Where faults are tried: one broker, or a cluster of three, each with an object store and a ClickHouse of its own."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from deploy.embedded.stack import EmbeddedStack, Ports
from pipeline.edges.kafka import admin
from pipeline.errors import DependencyError
from pipeline.settings import Settings, load_settings
from tests.conftest import Embedded
from tests.end_to_end.system import System
from tests.faults.arena import Arena, Pace
from tests.faults.cluster import NODES, Cluster
from tests.faults.proxy import Background

DISK_BYTES = 1024**3


@contextmanager
def one_broker(folder: Path, pace: Pace) -> Iterator[Arena]:
    """The embedded stack; S3 and ClickHouse each on a small file system, where this user may mount one."""
    with ExitStack() as cleanup:
        disks = {}
        for name in ("s3", "clickhouse"):
            place = folder / "stack" / name
            place.mkdir(parents=True, exist_ok=True)
            if mounted(place):
                cleanup.callback(subprocess.run, ["umount", "--lazy", str(place)], check=True)
                disks[name] = place
        stack = cleanup.enter_context(EmbeddedStack(folder / "stack", Ports(0, 0, 0)))
        arena = _arena(folder, pace, stack, load_settings(data_dir=folder, **asdict(stack.addresses)))
        cleanup.callback(arena.close)
        arena.disks = disks
        yield arena


@contextmanager
def three_brokers(folder: Path, pace: Pace) -> Iterator[Arena]:
    """A cluster of three behind proxies; S3 and ClickHouse are those of an embedded stack."""
    with ExitStack() as cleanup:
        stack = cleanup.enter_context(EmbeddedStack(folder / "stack", Ports(0, 0, 0)))
        background = Background()
        cluster = Cluster(folder, background)
        cleanup.callback(cluster.stop)
        cluster.start()
        addresses = asdict(stack.addresses) | {"kafka_bootstrap": cluster.bootstrap, "topic_replication": 3}
        settings = load_settings(data_dir=folder, **addresses)
        _await_brokers(settings)
        arena = _arena(folder, pace, stack, settings)
        cleanup.callback(arena.close)
        arena.cluster = cluster
        yield arena


def mounted(place: Path) -> bool:
    """Mount a small file system in memory, if this user may."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _arena(folder: Path, pace: Pace, stack: EmbeddedStack, settings: Settings) -> Arena:
    System({f"VISION_EVENTS_{name.upper()}": str(value) for name, value in _given(settings).items()}, folder)
    return Arena(settings, Embedded(stack), folder, pace)


def _given(settings: Settings) -> dict[str, object]:
    names = ("kafka_bootstrap", "topic_replication", "s3_endpoint", "s3_region", "s3_access_key", "clickhouse_url")
    secret = {name: getattr(settings, name).get_secret_value() for name in SECRETS}
    return {name: getattr(settings, name) for name in (*names, "clickhouse_user", "analyst_user")} | secret


SECRETS = ("s3_secret_key", "clickhouse_password", "analyst_password")


def _await_brokers(settings: Settings, timeout: float = 60) -> None:
    """Wait until all brokers are in the cluster: a topic of three replicas needs them."""

    async def known() -> int:
        async with admin(settings) as client:
            return len((await client.describe_cluster())["brokers"])

    deadline = time.monotonic() + timeout
    while True:
        try:
            if asyncio.run(known()) == len(NODES):
                return
        except DependencyError:
            pass
        assert time.monotonic() < deadline, "the brokers do not come up"
        time.sleep(0.5)


GROUNDS: dict[str, Callable[[Path, Pace], AbstractContextManager[Arena]]] = {
    "one broker": one_broker,
    "three brokers": three_brokers,
}
