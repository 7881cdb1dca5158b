"""The statements of our migrations as a cluster needs them: the same tables, replicated, and the large ones sharded.

Pure text to text; `tests/unit/test_cluster_ddl.py` has the real engine parse every result.

- A large table becomes NAME_local, replicated within each shard, and NAME a Distributed table over it. Events go
  by the hash of their id: all rows of an id, tombstones included, lie in one shard, where FINAL finds them.
- Every other table has one replica on every server, whatever its shard: registry, keys, rejects, alerts, holds.
- A materialized view reads and writes the local tables: it runs where the rows come in.
"""

import re
from typing import Final

SHARDED: Final = {
    "stored_events": "cityHash64(event_id)",
    # Filled by the views of each shard; rows of one partition of Kafka may lie in several, and are merged when read.
    "record_ledger": "cityHash64(topic, partition, chunk)",
}
"""The large tables, and what decides on the shard of a row."""

_LOCAL: Final = "_local"
_ENGINE: Final = re.compile(r"ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?")
_CREATE_TABLE: Final = re.compile(r"^CREATE TABLE (IF NOT EXISTS )?(\w+)")
_CREATE_VIEW: Final = re.compile(r"^CREATE (OR REPLACE )?VIEW (IF NOT EXISTS )?(\w+)")
_CREATE_MATERIALIZED: Final = re.compile(r"^CREATE MATERIALIZED VIEW (IF NOT EXISTS )?(\w+) TO (\w+)")
_ALTER: Final = re.compile(r"^ALTER TABLE (\w+)")
_DROP: Final = re.compile(r"^DROP (TABLE|VIEW) (IF EXISTS )?(\w+)")
_COLUMN: Final = re.compile(r"\b(ADD|DROP|RENAME|MODIFY|COMMENT) COLUMN\b")


def on_cluster(statement: str, cluster: str, database: str) -> list[str]:
    """What to run instead of a statement. Raises ValueError for one that is of no known kind."""
    where = f" ON CLUSTER {cluster}"
    if found := _CREATE_TABLE.match(statement):
        return _create_table(statement, found, where, cluster, database)
    if found := _CREATE_MATERIALIZED.match(statement):
        head = f"CREATE MATERIALIZED VIEW {found[1] or ''}{found[2]}{where} TO {_local(found[3])}"
        body = re.sub(r"\bFROM (\w+)", lambda source: f"FROM {_local(source[1])}", statement[found.end() :])
        return [head + body]
    if found := _CREATE_VIEW.match(statement):
        return [statement[: found.end()] + where + statement[found.end() :]]
    if found := _ALTER.match(statement):
        rest = statement[found.end() :]
        changed = [f"ALTER TABLE {_local(found[1])}{where}{rest}"]
        if found[1] in SHARDED and _COLUMN.search(rest):  # the table over it has columns, and nothing else
            columns = re.sub(r"\s+(CODEC\([^)]*(\([^)]*\))?[^)]*\))", "", rest)
            changed.append(f"ALTER TABLE {found[1]}{where}{columns}")
        return changed
    if found := _DROP.match(statement):
        names = [found[3], _local(found[3])] if found[3] in SHARDED else [found[3]]
        return [f"DROP {found[1]} {found[2] or ''}{name}{where} SYNC" for name in names]
    if re.match(r"^(INSERT INTO|SELECT|SYSTEM|OPTIMIZE)\b", statement):
        return [statement]
    raise ValueError(f"no way is known to run this on a cluster: {statement[:80]}")


def _create_table(statement: str, found: re.Match[str], where: str, cluster: str, database: str) -> list[str]:
    name = found[2]
    place = "{shard}" if name in SHARDED else "all"
    replica = "{replica}" if name in SHARDED else "{shard}-{replica}"

    def replicated(engine: re.Match[str]) -> str:
        more = f", {engine[2]}" if engine[2] else ""
        return f"ENGINE = Replicated{engine[1]}('/clickhouse/tables/{place}/{{database}}/{{table}}', '{replica}'{more})"

    text, count = _ENGINE.subn(replicated, statement, count=1)
    if not count:
        raise ValueError(f"table {name} has no engine of the MergeTree family")
    head = f"CREATE TABLE {found[1] or ''}{_local(name)}{where}"
    made = [head + text[found.end() :]]
    if name in SHARDED:
        distributed = f"Distributed({cluster}, {database}, {_local(name)}, {SHARDED[name]})"
        made.append(f"CREATE TABLE {found[1] or ''}{name}{where} AS {database}.{_local(name)} ENGINE = {distributed}")
    return made


def _local(name: str) -> str:
    return name + _LOCAL if name in SHARDED else name
