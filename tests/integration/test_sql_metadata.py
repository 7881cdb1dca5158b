"""Metadata comes out of the JSON columns as producers sent it, and paths can be used the way docs/sql.md says."""

import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.edges.clickhouse import insert_events
from tests.integration.sql_support import Database
from tests.unit.registry import NOW_MS, REGISTRY

pytest_plugins = ["tests.integration.sql_fixtures"]

KEYS = st.from_regex(r"[a-zA-Z0-9_ -]{1,20}", fullmatch=True)
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=50),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-1e15, 1e15),  # larger ones are written out as whole numbers
)


def store(database: Database, *metadata: dict[str, Any]) -> str:
    """Store an event for each; returns the device that they are from."""
    device = str(uuid.uuid4())
    lines = []
    for offset, each in enumerate(metadata):
        document = {"use_case_id": "open", "source": {"device_id": device}, "custom_metadata": each}
        record = Record(orjson.dumps(document), topic=device, offset=offset, timestamp=NOW_MS)
        lines.append(orjson.dumps(process(record, REGISTRY).event, option=orjson.OPT_UTC_Z))
    insert_events(database.writer, lines)
    return device


def stored(database: Database, device: str, expression: str = "custom_metadata") -> list[Any]:
    """An expression for each event of a device, in the order in which they were sent."""
    query = f"SELECT {expression} FROM vision_events WHERE device_id = {{device:String}} ORDER BY offset"
    return [row[0] for row in database.rows(query, device=device)]


def found(database: Database, device: str, condition: str) -> list[int]:
    """Which events of a device a condition holds for."""
    query = f"SELECT offset FROM vision_events WHERE device_id = {{device:String}} AND {condition} ORDER BY offset"
    return [row[0] for row in database.rows(query, device=device)]


@settings(max_examples=20, deadline=None)
@given(metadata=st.lists(st.dictionaries(KEYS, VALUES, max_size=8), min_size=1, max_size=10))
def test_metadata_comes_out_as_it_was_sent(database: Database, metadata: list[dict[str, Any]]) -> None:
    device = store(database, *metadata)
    # As JSON text: the client's own reading of JSON columns is not what is tested here.
    assert [orjson.loads(text) for text in stored(database, device, "toJSONString(custom_metadata)")] == metadata


@pytest.mark.parametrize("text", ["2026-11-23", "2026-1-2", "23/11/2026", "2026-11-23T10:00:00+02:00", "Nov 23 2026"])
def test_text_that_looks_like_a_date_stays_text(database: Database, text: str) -> None:
    device = store(database, {"lot": text})
    assert [orjson.loads(text) for text in stored(database, device, "toJSONString(custom_metadata)")] == [{"lot": text}]
    assert stored(database, device, "dynamicType(custom_metadata.lot)") == ["String"]


def test_paths_compare_as_the_values_do(database: Database) -> None:
    device = store(
        database,
        {"line_id": "L1", "temperature": 25, "rework": True, "part number": "a", "lens-2": 1},
        {"line_id": "L2", "temperature": 18.5, "rework": False},
        {},
    )
    for condition, expected in {
        "custom_metadata.line_id = 'L1'": [0],
        "custom_metadata.line_id != 'L1'": [1],  # not the one without the key
        "custom_metadata.line_id IS NULL": [2],
        "custom_metadata.line_id::String IN ('L1', 'L2')": [0, 1],
        "custom_metadata.line_id::String LIKE 'L%'": [0, 1],
        "custom_metadata.temperature > 20": [0],
        "custom_metadata.temperature < 20": [1],
        "custom_metadata.temperature BETWEEN 18 AND 19": [1],
        "custom_metadata.temperature.:Int64 = 25": [0],
        "custom_metadata.rework = true": [0],
        "custom_metadata.`part number` = 'a'": [0],
        "custom_metadata.`lens-2` = 1": [0],
    }.items():
        assert found(database, device, condition) == expected, condition
    (mean,) = set(stored(database, device, "avg(custom_metadata.temperature::Nullable(Float64)) OVER ()"))
    assert mean == (25 + 18.5) / 2
