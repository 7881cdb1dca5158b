"""Runs the server: `python -m deploy.embedded.clickhouse --data-dir D --port P`.

Passwords come from the environment, CLICKHOUSE_PASSWORD and CLICKHOUSE_ANALYST_PASSWORD: an argument would show
in every process list.
"""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from deploy.embedded.clickhouse import DEFAULT_PORT
from deploy.embedded.clickhouse.access import User, Users
from deploy.embedded.clickhouse.app import Server
from deploy.embedded.clickhouse.config import Limits
from deploy.embedded.clickhouse.engine import Engine
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import HOST, require_free


async def serve(data_dir: Path, port: int, users: Users, limits: Limits) -> None:
    """Serve until SIGTERM or Ctrl-C, then let running requests end and close the engine."""
    stopped = asyncio.Event()
    name = socket.gethostname()
    engine = await asyncio.to_thread(Engine, data_dir, limits, name)
    # aiohttp would decompress only what it knows; cancellation tells us of clients that went away.
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


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.clickhouse", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the data; made when missing")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default %(default)s)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    names = ("CLICKHOUSE_PASSWORD", "CLICKHOUSE_ANALYST_PASSWORD")
    password, analyst_password = (os.environ.pop(name, "") for name in names)
    if not password or not analyst_password:
        sys.exit(f"error: the environment must hold {' and '.join(names)}")
    users = Users(User("default", password, True), User("analyst", analyst_password, False))
    try:
        require_free("ClickHouse", given.port)
        asyncio.run(serve(given.data_dir, given.port, users, Limits()))
    except EmbeddedError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
