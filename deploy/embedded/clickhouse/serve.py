"""The server's life: from the first port to the last answer."""

import asyncio
import logging
import signal
import socket
from pathlib import Path

from aiohttp import web

from deploy.embedded.clickhouse.access import Users
from deploy.embedded.clickhouse.app import Server
from deploy.embedded.clickhouse.config import Limits
from deploy.embedded.clickhouse.engine import Engine
from deploy.embedded.ports import HOST


async def serve(data_dir: Path, port: int, users: Users, limits: Limits) -> None:
    """Serve until SIGTERM or Ctrl-C, then let running requests end and close the engine. Raises EmbeddedError."""
    stopped = asyncio.Event()
    name = socket.gethostname()
    engine = await asyncio.to_thread(Engine, data_dir, limits, name)
    # The engine decompresses, and needs to know of clients that went away.
    runner = web.AppRunner(
        Server(engine, users, name).application(), auto_decompress=False, handler_cancellation=True, access_log=None
    )
    await runner.setup()
    await web.TCPSite(runner, HOST, port, shutdown_timeout=5, backlog=512).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    logging.info("ClickHouse %s (chDB) at http://%s:%d", engine.version, HOST, port)
    await stopped.wait()
    await runner.cleanup()
