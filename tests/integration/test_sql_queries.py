"""Every query of docs/sql.md, run as the read-only analyst on known events, with its answer worked out by hand."""

import re
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.edges.sweep import sweep_replaced
from tests.integration.sql_events import (
    EARLY,
    HOUR,
    LATE,
    MOVED_TO,
    NIGHT,
    NOW,
    ORIGINAL_ID,
    OUTPUT_ID,
    days_ago,
    fill,
    records,
)
from tests.integration.sql_support import Database

pytest_plugins = ["tests.integration.sql_fixtures"]

PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")

Rows = list[tuple[Any, ...]]


def queries() -> dict[str, list[str]]:
    """The queries of the page by the heading that they stand under."""
    found: dict[str, list[str]] = defaultdict(list)
    heading = ""
    for title, query in re.findall(r"^#+ ([^\n]+)$|^```sql\n(.*?)^```", PAGE, re.M | re.S):
        if title:
            heading = title
        else:
            found[heading].append(query)
    return found


QUERIES = queries()
ORIGINAL_URI = f"s3://vision-images/default/{ORIGINAL_ID[:2]}/{ORIGINAL_ID}"
OUTPUT_URI = f"s3://vision-images/default/{OUTPUT_ID[:2]}/{OUTPUT_ID}"
NEXT_HOUR = HOUR + timedelta(hours=1)


def local(moment: Any) -> Any:
    """As the client gives times: without a zone, in UTC."""
    return moment.replace(tzinfo=None)


ANSWERS: dict[str, list[Rows]] = {
    "Which lines alert most, and how long does it last?": [
        [("defect_burst", "L1", 2, 1, 3.0, local(HOUR)), ("defect_burst", "L2", 1, 0, 5.0, local(HOUR))]
    ],
    "Custom metadata and event data": [
        [(3,)],  # a1 of this week, p1 and p2 of the week before
        [
            ("line_id", "String", 18),
            ("part_number", "String", 18),
            ("shift", "String", 18),
            ("temperature", "Float64", 2),
            ("temperature", "Int64", 1),
            ("temperature", "String", 1),
        ],
        [("early", 12), ("late", 5), ("night", 4), (None, 7)],
        [("3", 1, 1, 40.0), ("L1", 13, 2, 25.0), ("L2", 5, 0, None)],
    ],
    "What is the defect rate by line and shift?": [
        [
            ("L2", "night", 1, 1, 100.0),
            ("L2", "early", 2, 1, 50.0),
            ("L1", "early", 4, 1, 25.0),
            ("L1", "late", 2, 0, 0.0),
        ]
    ],
    "Which part numbers cause most defects?": [[("PN-88", 2, 66.7, 66.7), ("PN-90", 1, 33.3, 100.0)]],
    "Did a change make it better?": [[("before", 4, 2, 50.0), ("after", 9, 3, 33.3)]],
    "Which classes are seen most, hour by hour?": [
        [(local(HOUR), "coin", 5), (local(NEXT_HOUR), "coin", 5), (local(NEXT_HOUR), "button", 1)]
    ],
    "Does the model become less sure of a class?": [
        [("scratch", 2, 3, 0.9, 0.7, -0.2), ("dent", 1, 1, 0.45, 0.6, 0.15)]
    ],
    "Which devices went quiet?": [
        [
            ("cam-9", "f-pune", None),
            ("cam-1", "f-pune", local(days_ago(2, NIGHT))),
            ("cam-2", "f-pune", local(days_ago(2, NIGHT))),
            ("gate-2", "f-pune", local(days_ago(4, LATE))),
            ("gate-1", "f-pune", local(days_ago(4, EARLY))),
        ]
    ],
    "How did the stock at each place change?": [
        [
            (local(HOUR), "A", "coin", 3, 2, 3),
            (local(NEXT_HOUR), "A", "coin", 1, 1, 1),
            (local(NEXT_HOUR), "B", "coin", 4, 4, 4),
        ]
    ],
    "Where and when is protective equipment missing?": [
        [("Z1", "early", 2, 1, 1, 50.0), ("Z2", "late", 1, 1, 0, 100.0)]
    ],
    "Show me the pictures of the defects": [
        [(local(days_ago(3, EARLY)), "a1", "top", OUTPUT_ID, ORIGINAL_ID, OUTPUT_URI, ORIGINAL_URI)]
    ],
    "How often do people agree with the model?": [[("dent", 0, 1, 0, 0.0), ("scratch", 1, 1, 1, 50.0)]],
    "Whose cameras are these?": [[("Pune", "Line 1, top", 6, 1), ("Pune", "Line 2, top", 3, 2)]],
    "Is any event there twice?": [[("default", "moved", 2, sorted([local(days_ago(4, EARLY)), local(MOVED_TO)]))]],
    "How many records came in again?": [[(len(records()), len(records()), 0)]],
    "How long does an event take from the camera to the table?": [[("stock", 4, [200, 200, 200], [600, 870, 894])]],
    "What is rejected, and why?": [
        [("not_json", "cam-2", 2, local(NOW - timedelta(hours=20)), "the record has no value")]
    ],
}
"""Before the sweep that hides the event which was sent again with another time."""


@pytest.fixture(scope="module")
def filled(database: Database) -> Database:
    fill(database.writer)
    return database


def test_every_query_has_an_answer_and_every_answer_a_query() -> None:
    assert {heading: len(found) for heading, found in QUERIES.items()} == {
        heading: len(answers) for heading, answers in ANSWERS.items()
    }


def test_every_question_says_how_to_read_the_answer() -> None:
    for heading in QUERIES:
        section = PAGE.split(f" {heading}\n")[1].split("\n#")[0]
        assert re.search(r"[a-z]+.*[.)]$", section.split("```")[-1].strip()), heading


@pytest.mark.parametrize("heading", ANSWERS)
def test_the_answer_is_the_one_worked_out_by_hand(filled: Database, heading: str) -> None:
    for query, expected in zip(QUERIES[heading], ANSWERS[heading], strict=True):
        assert [readable(heading, row) for row in filled.rows(query)] == expected


def readable(heading: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row without what changes from run to run, at the precision that was worked out by hand."""
    if heading == "Which devices went quiet?":
        silent = row[3]
        assert silent is None or silent >= 24
        row = row[:3]
    if heading == "Is any event there twice?":
        row = (*row[:3], sorted(row[3]))
    if heading == "What is rejected, and why?":
        assert abs(row[3] - local(NOW - timedelta(hours=20))) < timedelta(seconds=1)
        row = (*row[:3], local(NOW - timedelta(hours=20)), *row[4:])
    return tuple(list(cell) if isinstance(cell, list) else cell for cell in row)


def test_after_a_sweep_no_event_is_there_twice(filled: Database) -> None:
    (twice,), (again,) = QUERIES["Is any event there twice?"], QUERIES["How many records came in again?"]
    sweep_replaced(filled.writer, NOW - timedelta(days=1))
    assert filled.rows(twice) == []
    assert filled.rows(again) == [(len(records()), len(records()) - 1, 1)]
    assert filled.rows("SELECT timestamp FROM vision_events WHERE event_id = 'moved'") == [(local(MOVED_TO),)]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("custom_metadata.line_id = 'L1'", "TYPE_MISMATCH"),
        ("custom_metadata.line_id IN ('L1', 'L2')", "ILLEGAL_TYPE_OF_ARGUMENT"),
    ],
)
def test_the_traps_that_the_page_warns_of_are_there(filled: Database, condition: str, code: str) -> None:
    """When one of them is gone, the warning can go."""
    with pytest.raises(DatabaseError, match=code):
        filled.rows(f"SELECT count() FROM vision_events WHERE {condition}")


VIEWS = (
    *("vision_events", "detections", "classifications", "segmentations", "keypoints", "images", "feedback", "rejects"),
    *("alerts", "alert_history", "alert_deliveries", "record_counts", "use_cases", "devices", "factories"),
)


def test_the_views_have_the_columns_that_the_page_lists(filled: Database) -> None:
    described = set(re.findall(r"`([a-z_]+)`", PAGE.split("## Tables and views")[1].split("## An event")[0]))
    for view in VIEWS:
        columns = {row[0] for row in filled.rows(f"DESCRIBE TABLE {view}")}
        missing = {column for column in columns - described if not column.startswith("input_")}
        assert not missing, view
