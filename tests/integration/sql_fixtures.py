"""A migrated database of its own for tests that speak SQL."""

import uuid
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from pipeline.edges.clickhouse import connect
from pipeline.edges.migrations import migrate
from pipeline.settings import Settings
from tests.integration.sql_support import Database


@pytest.fixture(scope="module")
def database(stack: Any) -> Iterator[Database]:
    """A fresh database for the tests of one file, dropped at the end."""
    settings = Settings(**asdict(stack.addresses), clickhouse_database=f"test_{uuid.uuid4().hex[:12]}")
    migrate(settings)
    writer = connect(settings)
    yield Database(settings, writer, connect(settings, analyst=True))
    writer.command(f"DROP DATABASE {settings.clickhouse_database}")
