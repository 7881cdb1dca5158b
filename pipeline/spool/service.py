"""The edge as a process: one spool, its endpoint and its forwarder, stopped together."""

import asyncio
import ipaddress
import logging
import signal
import socket
import sqlite3
import time
from functools import partial
from pathlib import Path

import uvicorn

from pipeline import metrics
from pipeline.client import as_configured
from pipeline.edges.heartbeat import metrics_route
from pipeline.edges.http_server import Answer, HttpServer, require_listening
from pipeline.edges.tls import server_files
from pipeline.errors import ConfigurationError, DependencyError
from pipeline.settings import Settings
from pipeline.spool.app import make_app
from pipeline.spool.forwarder import Forwarder
from pipeline.spool.repair import open_spool
from pipeline.spool.state import read_state
from pipeline.spool.store import Limits, SpoolStore, owned
from pipeline.spool.writer import SpoolWriter

log = logging.getLogger(__name__)


def spool_folder(settings: Settings) -> Path:
    """Where the spool of these settings lies."""
    return settings.data_dir / "edge"


def serve(settings: Settings) -> None:
    """Take and forward events until the process is told to stop.

    Raises ConfigurationError for settings that cannot work, DependencyError when the disk fails: start it again then,
    and a damaged spool is repaired.
    """
    _require_key(settings)
    require_listening(settings.edge_host, settings.edge_port, "edge_port")
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops in order at a signal, then raises it once more: that must not end us before the spool is shut.
        signal.signal(number, lambda *_: None)
    folder = spool_folder(settings)
    with owned(folder):
        try:
            store = open_spool(folder, Limits(settings.edge_max_bytes, settings.edge_max_events))
        except (sqlite3.Error, OSError) as error:
            raise DependencyError(f"the spool in {folder} cannot be opened: {error}") from error
        try:
            asyncio.run(_serve(settings, store))
        finally:
            store.close()


async def _serve(settings: Settings, store: SpoolStore) -> None:
    writer, transport = SpoolWriter(store), as_configured(settings)
    app = make_app(
        store,
        writer,
        settings.edge_api_key.get_secret_value(),
        settings.edge_device_id or socket.gethostname(),
        settings.edge_use_case,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.edge_host,
            port=settings.edge_port,
            log_config=None,
            access_log=False,
            **server_files(settings),
        )
    )
    forwarding = asyncio.create_task(Forwarder(store, transport, writer.arrived).run())
    forwarding.add_done_callback(lambda _: setattr(server, "should_exit", True))
    try:
        routes = {"/metrics": partial(_metrics, spool_folder(settings))}
        with HttpServer(settings.health_host, settings.health_port, routes) as health:
            log.info("metrics: %s/metrics", health.url)
            await server.serve()
    finally:
        forwarding.cancel()
        try:
            await forwarding
        except asyncio.CancelledError:
            pass
        except sqlite3.Error as error:
            raise DependencyError(f"the spool failed, start again: {error}") from error
        finally:
            await transport.close()


def _metrics(folder: Path) -> Answer:
    """The answer of /metrics, with the spool as it stands."""
    state = read_state(folder)
    metrics.SPOOL_EVENTS.set(state.waiting)
    metrics.SPOOL_BYTES.set(state.waiting_bytes)
    metrics.SPOOL_REFUSED_EVENTS.set(state.refused)
    metrics.SPOOL_OLDEST_SECONDS.set(max(0.0, time.time() - state.oldest_ms / 1000) if state.oldest_ms else 0)
    return metrics_route("edge")()


def _require_key(settings: Settings) -> None:
    if not settings.edge_api_key.get_secret_value() and not _is_loopback(settings.edge_host):
        raise ConfigurationError(
            f"setting edge_api_key: required, since edge_host {settings.edge_host} is reachable from other machines"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
