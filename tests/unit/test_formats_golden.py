"""Every format against its golden files: `input`, `context` where one matters, and the canonical form `expected`."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.core.formats import FORMATS, format_named, recognise
from schemas.raw_inference import RawInferenceResult
from tests.unit.formats_support import GOLDEN, context, examples

EXAMPLES = [pytest.param(name, golden, id=f"{name}-{example}") for name, example, golden in examples()]


def test_every_format_has_an_example_and_every_example_a_format() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {each.name for each in FORMATS}
    assert all(any((GOLDEN / each.name).glob("*.json")) for each in FORMATS)


def test_names_are_unique() -> None:
    assert len({each.name for each in FORMATS}) == len(FORMATS)
    assert format_named("no such format") is None


def test_the_documentation_has_a_section_for_every_format_in_their_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    names = [each.name for each in FORMATS]
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE)[: len(names)] == names
    assert re.findall(r"^\| \[`(\w+)`\]\(#\1\) \|", page, re.MULTILINE) == names


@pytest.mark.parametrize(("name", "golden"), EXAMPLES)
def test_recognised_as_the_format_that_it_is(name: str, golden: dict[str, Any]) -> None:
    found = recognise(golden["input"])
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(("name", "golden"), EXAMPLES)
def test_canonical_form_is_the_expected_and_valid(name: str, golden: dict[str, Any]) -> None:
    before = orjson.dumps(golden["input"])
    found = format_named(name)
    assert found is not None
    canonical = found.to_canonical(golden["input"], context(**golden.get("context", {})))
    encoded = orjson.dumps(canonical)
    assert orjson.loads(encoded) == golden["expected"]
    RawInferenceResult.model_validate_json(encoded)
    assert orjson.dumps(golden["input"]) == before, "an adapter must not change its input"
