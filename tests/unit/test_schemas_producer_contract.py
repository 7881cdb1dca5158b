"""docs/raw-inference.md, the contract for producers, says what the models and the pipeline do."""

import re
from pathlib import Path
from typing import get_args

import orjson
import pytest

from pipeline.core.process import process
from pipeline.core.record import Record
from schemas.event_data import EventType
from schemas.raw_inference import ENVELOPE_FIELDS
from schemas.reject import RejectReason
from tests.unit.registry import NOW_MS, REGISTRY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "raw-inference.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S)


def table(heading: str) -> list[str]:
    """The first cells of the table below a heading, without their code marks."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([a-z_]+)` \|", section, re.M)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_becomes_an_event(text: str) -> None:
    processed = process(Record(text.encode(), key=b"cam-7", timestamp=NOW_MS), REGISTRY)
    assert processed.event["event_type"] in get_args(EventType)
    assert not processed.event["custom_metadata"].keys() - {"line_id", "part_number", "shift", "zone"}
    warnings = {warning["code"] for warning in processed.event.get("warnings", ())}
    assert warnings <= {"timestamp_missing", "metadata_missing"}


def test_there_are_examples_of_every_part() -> None:
    used = {field for text in EXAMPLES for field in orjson.loads(text)}
    assert used >= ENVELOPE_FIELDS - {"format", "display_image_position"}


def test_the_fields_are_those_of_the_envelope() -> None:
    assert sorted(table("The fields of a record")) == sorted(ENVELOPE_FIELDS)


def test_the_reasons_are_those_of_rejects() -> None:
    assert table("Rejects") == [reason.value for reason in RejectReason]


def test_the_event_types_are_all_there() -> None:
    assert table("Event data") == list(get_args(EventType))


def test_the_warnings_are_those_that_the_pipeline_gives() -> None:
    """Codes are literals next to `warn(` or yielded as the last of three by the metadata check."""
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("core", "ingest")
        for path in (ROOT / "pipeline" / folder).glob("*.py")
    )
    given = set(re.findall(r'warn\(\s*warnings, "([a-z_]+)"', source)) | set(
        re.findall(r'yield key, .*, "([a-z_]+)"$', source, re.M)
    )
    assert set(table("Warnings")) == given
