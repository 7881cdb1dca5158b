"""What an adapter says of content that does not fit, and the traps that are not errors."""

from typing import Any
from uuid import UUID

import pytest

from pipeline.core.formats import FormatContext, FormatError, format_named, recognise, unwrap_cloudevent
from tests.unit.formats_support import context

BOX = {"x1": 0.1, "y1": 0.1, "x2": 0.2, "y2": 0.2}
BARE = {"class": "a", "confidence": 0.5, "x": 1, "y": 1, "width": 1, "height": 1}


def convert(name: str, value: Any, known: FormatContext | None = None) -> dict[str, Any]:
    found = format_named(name)
    assert found is not None
    return found.to_canonical(value, known or context())


@pytest.mark.parametrize(
    ("name", "value", "field", "message"),
    [
        ("canonical", [], "", "is a list, not an object"),
        ("canonical", None, "", "is missing; an object is needed"),
        ("roboflow", {"predictions": [BARE, BARE | {"x": "1"}]}, "predictions.1.x", "is a string, not a number"),
        ("roboflow", {"predictions": [BARE, {"x": True}]}, "predictions.1.x", "is a boolean, not a number"),
        ("roboflow", {"predictions": [BARE | {"x": 1e300}]}, "predictions.0.x", "is out of range"),
        ("roboflow", {"predictions": [{"confidence": 1}]}, "predictions.0.class", "is missing, and so is class_id"),
        ("roboflow", {"predictions": [1]}, "predictions.0", "is a number, not an object"),
        ("roboflow", {"foo": 1}, "", "has no list or object of `predictions`"),
        ("roboflow", {"outputs": [{}, {}]}, "outputs", "holds the results of 2 images; publish one record for each"),
        ("deepstream_full", {"object": {"id": "1", "bbox": {}}}, "object", "has 0 fields named after a class"),
        ("deepstream_minimal", {"objects": ["1|2|3"]}, "objects.0", "has 3 fields separated by |; at least 6"),
        ("deepstream_minimal", {"objects": ["1|2|3|4|x|a"]}, "objects.0", "'x' is not a number of pixels"),
        ("deepstream_minimal", {"objects": ["1|9|3|4|5|a"]}, "objects.0", "the box ends left of or above"),
        ("deepstream_minimal", {"objects": [1]}, "objects.0", "is not a string of fields"),
        (
            "deepstream_minimal",
            {"objects": ["1|2|3|4|5|a|#|pose2D|x,1"]},
            "objects.0",
            "'x,1' is not name,x,y,confidence",
        ),
        (
            "dlstreamer",
            {
                "resolution": {},
                "objects": [{"x": 1, "y": 1, "w": 1, "h": 1, "tensors": [{"format": "keypoints", "data": [1]}]}],
            },
            "objects.0.tensors.0.data",
            "is not as long as dims says",
        ),
        ("dlstreamer", {"foo": 1}, "", "has no `resolution` with"),
        ("vision_event", {"eventType": "custom", "usecase": "x"}, "usecase", "unknown field"),
        ("vision_event", {"images": [{"sourceID": "x"}]}, "images.0.sourceID", "unknown field"),
        ("vision_event", {"eventData": []}, "eventData", "is a list, not an object"),
        ("edge_event", {"event_schema": "custom", "eventId": "x"}, "eventId", "unknown field"),
        ("ultralytics", [{"foo": 1}], "0.name", "is missing, and so is class"),
        ("ultralytics", [{"name": "a", "box": BOX}], "0.box", "give image.width and image.height in the record"),
        ("supervision", [{"x_min": 1}], "0.y_min", "is missing; a number is needed"),
        ("coco", [{"image_id": 1}, {"image_id": 2}], "0.image_id", "results of 2 images"),
        ("coco", [{"image_id": 1}], "0.category_id", "is missing; an integer is needed"),
        ("coco", [{"category_id": 1.5}], "0.category_id", "is a number, not an integer"),
        ("coco", [{"category_id": 1.0, "keypoints": [1, 2]}], "0.keypoints", "is not a list of x, y, v"),
        ("coco", [{"category_id": 1}], "0.bbox", "is missing; a list is needed"),
        ("coco", [{"category_id": 1, "bbox": [1, 2, 3]}], "0.bbox", "has 3 numbers; 4 are needed"),
        ("savant", {"source_id": "a"}, "metadata", "is missing; an object is needed"),
        ("savant", {"metadata": {"objects": [{}]}}, "metadata.objects.0.label", "is missing; a name is needed"),
        ("frigate", {"after": {"label": "a", "box": [1, 2, 3, None]}}, "after.box.3", "is missing; a number"),
        ("frigate", {"after": {"frame_time": 2**70}}, "after.frame_time", "is out of range"),
        ("onvif", {"Frame": [{}, {}]}, "Frame", "holds 2 frames; publish one record for each"),
        ("onvif", {"Frame": [{"Object": [{}]}]}, "Frame.0.Object.0", "fractions of a frame whose size is unknown"),
        ("axis_v1", {"detections": [{}]}, "detections.0", "register the device with its image size"),
    ],
)
def test_errors_name_the_place_and_the_remedy(name: str, value: Any, field: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        convert(name, value)
    assert caught.value.field == field
    assert message in caught.value.message
    assert str(caught.value).startswith(field)


def test_the_unregistered_device_is_named() -> None:
    with pytest.raises(FormatError, match="register device 'cam-9' with its image size"):
        convert("ultralytics", [{"name": "a", "box": BOX}], context(device_id="cam-9"))


def test_supervision_rows_of_several_frames_are_refused() -> None:
    row = {"x_min": 1, "y_min": 1, "x_max": 2, "y_max": 2, "class_id": 1, "frame_index": 1}
    with pytest.raises(FormatError, match="rows of 2 frames; publish one record for each frame"):
        convert("supervision", [row, row | {"frame_index": 2}])


def test_frame_size_of_the_record_wins_over_the_registry() -> None:
    item = [{"name": "a", "class": 0, "confidence": 0.5, "box": {"x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0}}]
    assert convert("ultralytics", item, context(10, 20, "cam-7"))["image"] == {"width": 10, "height": 20}
    assert convert("ultralytics", item, context(device_id="cam-7"))["image"] == {"width": 1280, "height": 720}


def test_small_boxes_in_pixels_are_not_taken_for_fractions() -> None:
    box = {"x1": 0.5, "y1": 0.5, "x2": 3.5, "y2": 4.5}
    found = convert("ultralytics", [{"name": "a", "class": 0, "confidence": 0.5, "box": box}])
    assert found["result"]["object_detections"][0]["width"] == 3.0


def test_the_device_that_the_value_names_serves_where_the_record_names_no_registered_one() -> None:
    value: dict[str, Any] = {
        "resolution": {"width": 100, "height": 100},
        "source": "cam-7",
        "objects": [{"x": 1, "y": 1, "w": 2, "h": 2, "detection": {"label_id": 1}}],
    }
    for device_id in (None, "not registered"):
        found = convert("dlstreamer", value, context(device_id=device_id))
        assert found["result"]["object_detections"][0]["class"] == "crack"


@pytest.mark.parametrize("time", ["2026-03-02T08:15:30.120000", "2026-03-02 08:15:30", "2026-03-02"])
def test_local_time_is_left_out(time: str) -> None:
    value: dict[str, Any] = {"predictions": [], "inference_metadata": {"frame_decoding_time": time}}
    assert "timestamp" not in convert("roboflow", value)


@pytest.mark.parametrize("zone", ["Z", "+01:00", "-0530"])
def test_time_with_a_zone_is_passed_on(zone: str) -> None:
    time = f"2026-03-02T08:15:30.120000{zone}"
    value: dict[str, Any] = {"predictions": [], "inference_metadata": {"frame_decoding_time": time}}
    assert convert("roboflow", value)["timestamp"] == time


def test_detections_of_one_response_are_all_kept_whatever_their_ids() -> None:
    value = {"predictions": [BARE | {"detection_id": "same"}, BARE | {"detection_id": "same"}]}
    assert len(convert("roboflow", value)["result"]["object_detections"]) == 2


def test_absurdly_many_annotations_are_refused_while_converting() -> None:
    with pytest.raises(FormatError, match="too many annotations"):
        convert("roboflow", {"predictions": [BARE] * 4001})


def test_metadata_keys_are_made_valid_and_what_is_no_metadata_is_left_out() -> None:
    value: dict[str, Any] = {
        "resolution": {"width": 1, "height": 1},
        "objects": [],
        "tags": {"a.b/ü": 1, "": 2, "c": "", "d": None, "e": [1], "f": {"g": 1}, "h": 2**64, "i" * 200: True, "ok": 0},
    }
    assert convert("dlstreamer", value)["custom_metadata"] == {"a_b__": 1, "i" * 100: True, "ok": 0}


@pytest.mark.parametrize("value", [None, 1, "x", [1], {"a": 1}, [{}], [[]], {"predictions": 1}, {"version": "4.0"}])
def test_what_is_no_known_format_is_not_recognised(value: Any) -> None:
    assert recognise(value) is None


def test_nothing_seen_is_recognised() -> None:
    values: list[Any] = [[], {"predictions": []}, {}, {"outputs": []}]
    for value in values:
        found = recognise(value)
        assert found is not None
        assert found.to_canonical(value, context()) == {"result": {}}


def test_structured_cloudevent() -> None:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "41",
        "source": "/lines/3",
        "type": "t",
        "time": "2026-03-02T08:15:30Z",
        "data": [],
    }
    value, fallbacks = unwrap_cloudevent(event, {})
    assert value == []
    assert fallbacks["timestamp"] == "2026-03-02T08:15:30Z"
    assert fallbacks["source"] == {"device_id": "/lines/3"}
    assert UUID(fallbacks["event_id"]).version == 5
    assert unwrap_cloudevent(event | {"source": "/lines/4"}, {})[1]["event_id"] != fallbacks["event_id"]
    assert unwrap_cloudevent(event, {}) == (value, fallbacks)


def test_binary_cloudevent_keeps_a_uuid() -> None:
    headers = {"ce_specversion": b"1.0", "ce_id": b"0B0C3F6E-6C2E-4B62-9A4E-0F5A7B0A9F01", "ce_time": b"\xff"}
    value, fallbacks = unwrap_cloudevent({"predictions": []}, headers)
    assert value == {"predictions": []}
    assert fallbacks == {"event_id": "0b0c3f6e-6c2e-4b62-9a4e-0f5a7b0a9f01", "timestamp": "\ufffd"}


def test_what_is_no_cloudevent_stays_as_it_is() -> None:
    value = {"specversion": "1.0", "data_base64": "AA=="}
    assert unwrap_cloudevent(value, {"ce_id": b"1"}) == (value, {})
