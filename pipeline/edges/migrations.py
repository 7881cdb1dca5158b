"""Applies the numbered ClickHouse migrations of `schemas/clickhouse`, each once, in order."""

import hashlib
import re
from importlib.resources import files
from typing import Final, NamedTuple

from clickhouse_connect.driver import Client

from pipeline.core.cluster_ddl import on_cluster
from pipeline.edges.clickhouse import connect, translated
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

_MIGRATIONS: Final = (
    "CREATE TABLE migrations (number UInt32, name String, digest String, applied_at DateTime DEFAULT now()) "
    "ENGINE = MergeTree ORDER BY number"
)


class Migration(NamedTuple):
    """One file: its number, its name and its statements."""

    number: int
    name: str
    statements: tuple[str, ...]
    digest: str


def load_migrations() -> list[Migration]:
    """All migrations in order."""
    found = []
    for entry in files("schemas").joinpath("clickhouse").iterdir():
        if matched := re.fullmatch(r"(\d{4})_\w+\.sql", entry.name):
            text = entry.read_text(encoding="utf-8")
            sql = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
            statements = tuple(part.strip() for part in sql.split(";\n") if part.strip(" \n;"))
            digest = hashlib.sha256(sql.encode()).hexdigest()
            found.append(Migration(int(matched[1]), entry.name, statements, digest))
    return sorted(found)


def migrate(settings: Settings) -> list[str]:
    """Bring the database to the newest version and return the names of the migrations applied now.

    Raises ConfigurationError when an applied migration was changed afterwards.
    """
    name = settings.clickhouse_database
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ConfigurationError(f"setting clickhouse_database: {name!r} is not a plain identifier")
    cluster = settings.clickhouse_cluster
    where = f" ON CLUSTER {cluster}" if cluster else ""
    with translated():
        connect(settings, database="").command(f"CREATE DATABASE IF NOT EXISTS {name}{where}")
        client = connect(settings)
        for statement in statements_of(_MIGRATIONS, settings):
            client.command(statement)
        applied = {row[0]: row[1] for row in client.query("SELECT number, digest FROM migrations").result_rows}
        return [_apply(client, m, settings) for m in load_migrations() if not _is_applied(m, applied)]


def _is_applied(migration: Migration, applied: dict[int, str]) -> bool:
    if migration.number not in applied:
        return False
    if applied[migration.number] != migration.digest:
        raise ConfigurationError(
            f"migration {migration.name} was applied in another form: add a new migration, do not change this one"
        )
    return True


def statements_of(statement: str, settings: Settings) -> list[str]:
    """What is run for a statement of a migration: repeatable, and as a cluster needs it where there is one."""
    # A run that was cut off between two statements is repeated from the start of its file.
    again = re.sub(r"^CREATE (TABLE|MATERIALIZED VIEW|VIEW) (?!IF NOT EXISTS )", r"CREATE \1 IF NOT EXISTS ", statement)
    if not settings.clickhouse_cluster:
        return [again]
    return on_cluster(again, settings.clickhouse_cluster, settings.clickhouse_database)


def _apply(client: Client, migration: Migration, settings: Settings) -> str:
    for statement in migration.statements:
        for text in statements_of(statement, settings):
            client.command(text)
    client.insert(
        "migrations",
        [(migration.number, migration.name, migration.digest)],
        column_names=("number", "name", "digest"),
    )
    return migration.name
