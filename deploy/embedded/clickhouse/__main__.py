"""Runs the server: `python -m deploy.embedded.clickhouse --data-dir D --port P`.

Passwords come from the environment, CLICKHOUSE_PASSWORD and CLICKHOUSE_ANALYST_PASSWORD: an argument would show in
every process list.
"""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from deploy.embedded.clickhouse import DEFAULT_PORT
from deploy.embedded.clickhouse.access import User, Users
from deploy.embedded.clickhouse.config import Limits
from deploy.embedded.clickhouse.confine import confine
from deploy.embedded.clickhouse.serve import serve
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import require_free


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.clickhouse", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the data; made when missing")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default %(default)s)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        users = _users()
        require_free("ClickHouse", given.port)
        given.data_dir.mkdir(parents=True, exist_ok=True)
        if not confine(given.data_dir):
            logging.warning("no Landlock in this kernel: only checks of their SQL keep analysts from this user's files")
        asyncio.run(serve(given.data_dir, given.port, users, Limits()))
    except EmbeddedError as error:
        sys.exit(f"error: {error}")


def _users() -> Users:
    names = ("CLICKHOUSE_PASSWORD", "CLICKHOUSE_ANALYST_PASSWORD")
    password, analyst_password = (os.environ.pop(name, "") for name in names)
    if not password or not analyst_password:
        raise EmbeddedError(f"the environment must hold {' and '.join(names)}")
    return Users(User("default", password, True), User("analyst", analyst_password, False))


if __name__ == "__main__":
    main()
