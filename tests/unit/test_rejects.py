"""The offending field of a reject, marked in the original record."""

import orjson
import pytest

from pipeline.cli.rejects import mark_field
from pipeline.edges.rejects import RejectFilter
from pipeline.errors import ConfigurationError


def test_the_field_is_marked_and_nothing_else() -> None:
    lines = mark_field(orjson.dumps({"a": 1, "b": [{"c": 2}, {"c": 3}]}), "b.1.c")
    assert [line.strip() for line, offending in lines if offending] == ['"c": 3']


def test_the_marked_record_is_still_the_record() -> None:
    document = {"a": {}, "b": [], "c": [1, {"d": None}]}
    text = "\n".join(line for line, _ in mark_field(orjson.dumps(document), ""))
    assert text.count("\n") > 3
    assert "d" in text


def test_what_is_not_json_is_shown_as_it_is() -> None:
    assert mark_field(b"\xff{", "") == [("\\xff{", True)]


def test_values_of_a_filter_are_bound_never_written_into_the_query() -> None:
    condition, values = RejectFilter(reason="x' OR 1", ids=("t/0/1",)).condition()
    assert "x'" not in condition
    assert values["reason"] == "x' OR 1"
    assert values["ids"] == [("t", 0, 1)]


def test_an_id_of_another_form_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="topic/partition/offset"):
        RejectFilter(ids=("t/x",)).condition()
