"""The offending field of a reject, marked in the original record."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.original import locate, marked_lines
from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.edges.rejects import RejectFilter
from pipeline.errors import ConfigurationError, InvalidRecordError
from tests.unit.registry import REGISTRY

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def test_the_field_is_marked_and_nothing_else() -> None:
    lines = marked_lines(orjson.dumps({"a": 1, "b": [{"c": 2}, {"c": 3}]}), "b.1.c")
    assert [line.strip() for line, offending in lines if offending] == ['"c": 3']


API_EVENT = {
    "eventType": "quality_check",
    "useCaseId": "defect-detection",
    "deviceId": "cam",
    "customMetadata": {"line.id": {"deep": 1}},
    "eventData": {"itemCount": "many"},
    "images": [
        {"sourceId": "a", "inputBase64Image": "AAAA"},
        {"base64Image": "AAAA", "objectDetections": [{"class": "x"}, {"class": "y", "confidence": 91}]},
    ],
}


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("custom_metadata.line.id", ("customMetadata", "line.id")),
        ("event_data.item_count", ("eventData", "itemCount")),
        ("source.device_id", ("deviceId",)),
        ("images.0.image_id", ("images", 0, "sourceId")),
        ("images.1.data", ("images", 0, "inputBase64Image")),
        ("images.2.data", ("images", 1, "base64Image")),
        (
            "images.2.result.object_detections.1.confidence",
            ("images", 1, "objectDetections", 1, "confidence"),
        ),
    ],
)
def test_a_canonical_path_is_found_under_the_producers_names(field: str, path: tuple[str | int, ...]) -> None:
    assert locate(API_EVENT, field) == (path, True)


@pytest.mark.parametrize(
    ("document", "field", "path"),
    [
        ({"result": {"predictions": []}}, "result.object_detections.0.x", ("result",)),
        ({"images": [{"data": "A"}]}, "images.0.label", ("images", 0)),
        ({"images": [{"data": "A"}]}, "images.7.data", ("images",)),
        ({"a": 1}, "b", ()),
    ],
)
def test_what_the_record_does_not_have_leads_to_the_nearest_part(
    document: object, field: str, path: tuple[str | int, ...]
) -> None:
    assert locate(document, field) == (path, False)


def test_the_field_that_processing_names_is_found_in_an_event_of_the_api() -> None:
    with pytest.raises(InvalidRecordError) as raised:
        process(Record(orjson.dumps(API_EVENT | {"customMetadata": {}, "eventData": None})), REGISTRY)
    assert raised.value.field == "images.2.result.object_detections.0.confidence"
    assert locate(API_EVENT, raised.value.field) == (("images", 1, "objectDetections", 0), False)


@given(JSON, st.lists(st.text(max_size=3) | st.integers(0, 3).map(str), max_size=4).map(".".join))
def test_any_record_with_any_field_can_be_shown(document: object, field: str) -> None:
    path, _ = locate(document, field)
    node: object = document
    for key in path:
        node = node[key]  # type: ignore[index]
    assert sum(offending for _, offending in marked_lines(orjson.dumps(document), field)) <= 1


def test_a_record_nested_as_deeply_as_json_may_be_is_shown() -> None:
    lines = marked_lines(b"[" * 1000 + b"]" * 1000, "0.0")
    assert any("..." in line for line, _ in lines)


def test_the_marked_record_is_still_the_record() -> None:
    document = {"a": {}, "b": [], "c": [1, {"d": None}]}
    text = "\n".join(line for line, _ in marked_lines(orjson.dumps(document), ""))
    assert text.count("\n") > 3
    assert "d" in text


def test_what_is_not_json_is_shown_as_it_is() -> None:
    assert marked_lines(b"\xff{", "") == [("\\xff{", True)]


def test_values_of_a_filter_are_bound_never_written_into_the_query() -> None:
    condition, values = RejectFilter(reason="x' OR 1", ids=("t/0/1",)).condition()
    assert "x'" not in condition
    assert values["reason"] == "x' OR 1"
    assert values["ids"] == [("t", 0, 1)]


def test_an_id_of_another_form_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="topic/partition/offset"):
        RejectFilter(ids=("t/x",)).condition()
