"""Migrations on a cluster: every statement is turned, and the real engine can read the result."""

import json
import re
import subprocess
import sys

import pytest

from pipeline.core.cluster_ddl import SHARDED, on_cluster
from pipeline.edges.migrations import load_migrations, statements_of
from pipeline.settings import Settings

CLUSTER = Settings(clickhouse_cluster="plant", clickhouse_database="vision")  # type: ignore[call-arg]

PROGRAM = """
import json, sys
import chdb
answers = []
for statement in json.load(sys.stdin):
    try:
        chdb.query("EXPLAIN AST " + statement)
        answers.append("ok")
    except Exception as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


def turned() -> list[str]:
    return [
        text
        for migration in load_migrations()
        for statement in migration.statements
        for text in statements_of(statement, CLUSTER)
    ]


def test_the_engine_reads_every_statement() -> None:
    statements = [text for text in turned() if not text.startswith(("INSERT", "SELECT"))]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(statements), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    wrong = {text: answer for text, answer in zip(statements, json.loads(done.stdout), strict=True) if answer != "ok"}
    assert not wrong


def test_every_definition_runs_on_the_cluster_and_every_table_is_replicated() -> None:
    for text in turned():
        if re.match("CREATE|ALTER|DROP", text):
            assert " ON CLUSTER plant" in text, text[:100]
        if text.startswith("CREATE TABLE"):
            assert re.search(r"ENGINE = (Replicated\w*MergeTree\('/clickhouse/tables/|Distributed\()", text), text[:100]


def test_a_large_table_is_local_and_distributed_by_what_keeps_an_event_together() -> None:
    local, over = on_cluster(
        "CREATE TABLE IF NOT EXISTS stored_events (event_id String, version UInt64, gone UInt8) "
        "ENGINE = ReplacingMergeTree(version, gone) ORDER BY event_id TTL x",
        *("plant", "vision"),
    )
    assert local == (
        "CREATE TABLE IF NOT EXISTS stored_events_local ON CLUSTER plant (event_id String, version UInt64, gone UInt8) "
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', "
        "version, gone) ORDER BY event_id TTL x"
    )
    assert over == (
        "CREATE TABLE IF NOT EXISTS stored_events ON CLUSTER plant AS vision.stored_events_local "
        "ENGINE = Distributed(plant, vision, stored_events_local, cityHash64(event_id))"
    )


def test_a_small_table_has_a_replica_on_every_server() -> None:
    (text,) = on_cluster("CREATE TABLE api_keys (id String) ENGINE = MergeTree ORDER BY id", "plant", "vision")
    assert "'/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}')" in text


def test_views_of_a_shard_read_and_write_its_own_tables() -> None:
    (text,) = on_cluster(
        "CREATE MATERIALIZED VIEW ledger TO record_ledger AS SELECT topic FROM stored_events WHERE 1", "plant", "vision"
    )
    assert text == (
        "CREATE MATERIALIZED VIEW ledger ON CLUSTER plant TO record_ledger_local AS "
        "SELECT topic FROM stored_events_local WHERE 1"
    )
    for text in turned():
        if text.startswith("CREATE MATERIALIZED VIEW"):
            sources = set(re.findall(r"(?:FROM|JOIN|TO) (\w+)", text))
            assert not sources & SHARDED.keys()


def test_a_change_of_columns_reaches_both_tables_and_one_of_time_to_live_the_local() -> None:
    added = on_cluster("ALTER TABLE stored_events ADD COLUMN IF NOT EXISTS x String CODEC(ZSTD(3))", "plant", "vision")
    assert [text.split(" ON ")[0] for text in added] == ["ALTER TABLE stored_events_local", "ALTER TABLE stored_events"]
    assert "CODEC" in added[0]
    assert "CODEC" not in added[1]
    kept = on_cluster("ALTER TABLE stored_events MODIFY TTL at + toIntervalDay(1)", "plant", "vision")
    assert [text.split(" ON ")[0] for text in kept] == ["ALTER TABLE stored_events_local"]
    with pytest.raises(ValueError, match="no way is known"):
        on_cluster("RENAME TABLE a TO b", "plant", "vision")


def test_one_server_gets_the_files_as_they_are() -> None:
    (text,) = statements_of("CREATE VIEW v AS SELECT 1", Settings())
    assert text == "CREATE VIEW IF NOT EXISTS v AS SELECT 1"
    assert statements_of(text, Settings()) == [text]
