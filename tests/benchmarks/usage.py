"""What processes use: CPU seconds and resident memory, theirs and their children's."""

from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

import psutil

from pipeline.settings import Settings


def listener(address: str) -> psutil.Process | None:
    """The local process that listens on an address (host:port or a URL), None when it is not ours to see."""
    port = urlsplit(address if "://" in address else f"tcp://{address}").port
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return psutil.Process(connection.pid)
    return None


def services(settings: Settings) -> dict[str, psutil.Process]:
    """The services of this machine that a run keeps busy."""
    addresses = {"clickhouse": settings.clickhouse_url, "kafka": settings.kafka_bootstrap.split(",")[0]}
    found = {name: listener(address) for name, address in addresses.items()}
    return {name: process for name, process in found.items() if process is not None}


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """User and system time spent by processes and their children so far."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            for each in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    times = each.cpu_times()
                    total += times.user + times.system
    return total


def resident_mb(processes: Iterable[psutil.Process]) -> float:
    """Resident memory now, in MB (10**6 bytes)."""
    total = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            for each in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    total += each.memory_info().rss
    return total / 1e6
