"""What tests that speak SQL share."""

from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.settings import Settings


@dataclass(frozen=True)
class Database:
    """A database with all migrations applied: a client that writes, and one that is the read-only analyst."""

    settings: Settings
    writer: Client
    analyst: Client

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query of the analyst."""
        return [tuple(row) for row in self.analyst.query(query, parameters=parameters).result_rows]
