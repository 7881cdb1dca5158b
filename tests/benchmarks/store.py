"""A database of its own for each run, with the tables of production, and what must be in it at the end."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.migrations import migrate
from pipeline.edges.registry import apply_entries
from pipeline.settings import Settings
from tests.benchmarks.records import entries

# A competitor cannot win by losing something: counts and content. Sums of Float32 are compared as Float64 of the same.
_CONTENT = """
SELECT
    count() AS events,
    uniqExact(event_id) AS ids,
    sum(cityHash64(event_id)) AS id_hash,
    sum(length(object_detections)) AS detections,
    round(sum(arraySum(d -> d.x + d.y + d.width + d.height, object_detections))) AS boxes,
    round(sum(toFloat64(classifications[1].confidence)), 1) AS class_confidence,
    countIf(event_data.result::String = 'fail') AS failed,
    countIf(custom_metadata.shift::String != '') AS with_shift,
    sum(cityHash64(custom_metadata.line_id::String, custom_metadata.part_number::String)) AS metadata_hash,
    sum(class_counts['scratch'] + class_counts['dent'] + class_counts['stain']) AS counted,
    (SELECT sum(stored) FROM record_counts) AS in_ledger
FROM stored_events
"""

# The same from the numbers of the records alone: tests/benchmarks/records.py in SQL.
_EXPECTED = """
WITH
    lower(hex(MD5(toString(number)))) AS digest,
    concat(substr(digest, 1, 8), '-', substr(digest, 9, 4), '-', substr(digest, 13, 4), '-', substr(digest, 17, 4),
        '-', substr(digest, 21)) AS id,
    number % 16 AS device
SELECT
    count() AS events,
    count() AS ids,
    sum(cityHash64(id)) AS id_hash,
    count() * 3 AS detections,
    round(sum((number % 1000 + 0.5 + 151.25 + 92 + 58.5) + (412.75 + number % 700 + 0.5 + 31.5 + 29)
        + (803.5 + 644.25 + 48 + 17.5))) AS boxes,
    round(sum(toFloat64(toFloat32((number % 900) / 1000 + 0.1))), 1) AS class_confidence,
    countIf(number % 10 = 9) AS failed,
    count() AS with_shift,
    sum(cityHash64(concat('L', toString(device % 4)), concat('PN-', leftPad(toString(number % 1000), 4, '0'))))
        AS metadata_hash,
    count() * 3 AS counted,
    count() AS in_ledger
FROM numbers({first:UInt64}, {count:UInt64})
"""


@contextmanager
def fresh_database(settings: Settings) -> Iterator[Settings]:
    """Settings with a new database and consumer group; the database is dropped afterwards."""
    name = f"bench_{uuid.uuid4().hex[:10]}"
    own = settings.model_copy(update={"clickhouse_database": name, "ingest_group": name})
    migrate(own)
    apply_entries(connect(own), entries())
    try:
        yield own
    finally:
        with translated():
            connect(settings, database="").command(f"DROP DATABASE IF EXISTS {name} SYNC")


def count(client: Client) -> int:
    """Rows that a query finds now."""
    with translated():
        return int(client.query("SELECT count() FROM stored_events").result_rows[0][0])


def content(client: Client) -> dict[str, Any]:
    """Counts and checksums of what is stored."""
    with translated():
        result = client.query(_CONTENT)
    return dict(zip(result.column_names, result.result_rows[0], strict=True))


def expected(client: Client, numbers: range) -> dict[str, Any]:
    """The same of what the records with these numbers lead to."""
    with translated():
        result = client.query(_EXPECTED, parameters={"first": numbers.start, "count": len(numbers)})
    return dict(zip(result.column_names, result.result_rows[0], strict=True))


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What is not as it must be, one text each."""
    return [f"{name}: {found[name]} instead of {wanted[name]}" for name in wanted if found[name] != wanted[name]]
