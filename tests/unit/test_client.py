"""The client against a receiver that fails in every way: what it says became of each event is so."""

import asyncio
import warnings
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.client import AsyncClient, Client, Event, Image, Progress, gateway
from pipeline.client.api import api_event
from pipeline.client.detections import predictions_of
from pipeline.client.transport import KeyRefusedError, Outcome
from pipeline.core.decode import decode
from pipeline.core.outgoing import OutgoingEvent
from pipeline.core.record import Record
from pipeline.core.registry import Registry
from pipeline.errors import ConfigurationError, DependencyError, InvalidRecordError, RefusedError
from schemas.event_data import EVENT_DATA

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that OpenCV is not there
    import supervision as sv


ANSWERS: dict[str, Outcome] = {
    "ok": None,
    "no": RefusedError("no"),
    "away": DependencyError("away"),
    "key": KeyRefusedError("401"),
}


class Receiver:
    """A transport whose answers are given; keeps what it took."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.taken: list[OutgoingEvent] = []
        self.batches: list[int] = []
        self.closed = False

    async def deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
        await asyncio.sleep(0)
        self.batches.append(len(events))
        script = list(self.answers.pop(0)) if self.answers else []
        script += ["ok"] * (len(events) - len(script))
        outcomes: list[Outcome] = []
        for event, answer in zip(events, script, strict=False):
            if answer == "ok":
                self.taken.append(event)
            outcomes.append(ANSWERS[answer])
        return outcomes

    async def close(self) -> None:
        self.closed = True


def event(number: int, **changes: Any) -> Event:
    return Event(**({"use_case_id": "c", "device_id": f"cam-{number % 2}", "event_id": f"e{number}"} | changes))


def ids(events: Sequence[OutgoingEvent]) -> list[str]:
    return [event.event_id for event in events]


async def test_sent_together_they_share_batches() -> None:
    receiver = Receiver()
    progress: list[Progress] = []
    async with AsyncClient(receiver, batch_size=10) as client:
        sent = await client.send_many((event(number) for number in range(25)), progress.append)
        assert await client.send(event(99)) == "e99"
    assert [item.event_id for item in sent] == [f"e{number}" for number in range(25)]
    assert all(item.error is None for item in sent)
    assert receiver.batches == [10, 10, 5, 1]
    assert progress == [Progress(10, 0), Progress(20, 0), Progress(25, 0)]
    assert receiver.closed


async def test_one_that_fails_stops_no_other() -> None:
    receiver = Receiver(["ok", "no", "ok"])
    wrong = event(7, custom_metadata={"a b!": 1})
    async with AsyncClient(receiver) as client:
        sent = await client.send_many([event(0), event(1), event(2), wrong])
        with pytest.raises(InvalidRecordError, match="custom_metadata"):
            await client.send(wrong)
    assert [type(item.error) for item in sent] == [type(None), RefusedError, type(None), InvalidRecordError]
    assert ids(receiver.taken) == ["e0", "e2"]


async def test_what_is_away_is_tried_again_with_the_same_ids_in_order() -> None:
    receiver = Receiver(["ok", "away", "ok", "ok"], ["away"])
    async with AsyncClient(receiver) as client:
        sent = await client.send_many(event(number) for number in range(4))
    assert all(item.error is None for item in sent)
    assert receiver.batches == [4, 2, 2]
    order: dict[str, list[str]] = defaultdict(list)
    last = {event.event_id: place for place, event in enumerate(receiver.taken)}
    for taken in sorted(last, key=lambda name: last[name]):
        order[f"cam-{int(taken[1:]) % 2}"].append(taken)
    assert order == {"cam-0": ["e0", "e2"], "cam-1": ["e1", "e3"]}


async def test_it_gives_up_when_the_time_is_over_and_the_event_can_be_sent_again() -> None:
    receiver = Receiver(["away"], ["away"])
    async with AsyncClient(receiver, give_up_after_s=0) as client:
        with pytest.raises(DependencyError, match="away"):
            await client.send(event(1))
        assert (await client.send_many([event(2)]))[0].error is not None
        assert await client.send(event(1)) == "e1"


async def test_a_wrong_key_is_told_at_once() -> None:
    receiver = Receiver(["key"])
    async with AsyncClient(receiver) as client:
        with pytest.raises(DependencyError, match="401"):
            await client.send(event(1))
    assert receiver.batches == [1]


async def test_a_defect_is_told_to_the_caller_and_the_next_event_goes() -> None:
    class Broken(Receiver):
        async def deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
            if not self.batches:
                self.batches.append(0)
                raise KeyError("a defect")
            return await super().deliver(events)

    async with AsyncClient(Broken()) as client:
        with pytest.raises(KeyError):
            await client.send(event(1))
        assert await client.send(event(2)) == "e2"


def test_the_same_call_without_asyncio() -> None:
    receiver = Receiver()
    with Client(receiver, batch_size=3) as client:
        assert client.send(event(1)) == "e1"
        assert len(client.send_many(event(number) for number in range(7))) == 7
    client.close()
    assert receiver.closed
    assert len(receiver.taken) == 8
    assert not client._thread.is_alive()


def test_an_event_says_all_that_a_record_can() -> None:
    box = {"class": "scratch", "confidence": 0.5, "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}
    made = Event(
        use_case_id="c",
        event_type="quality_check",
        predictions={"object_detections": [box]},  # type: ignore[typeddict-item]
        images=[Image(image_id="a" * 64, role="original", label="top", metadata={"exposure_ms": 4.5})],
        device_id="cam-1",
        stream_id="s",
        workflow_id="w",
        factory_id="f",
        frame_id=7,
        frame_size=(640, 480),
        custom_metadata={"line_id": "L3"},
        event_data={"result": "fail"},
        display_image_position=0,
        comment="look",
    )
    sent = made.outgoing()
    raw = decode(Record(sent.value), Registry())
    assert (sent.device_id, sent.event_id, raw.event_id) == ("cam-1", made.event_id, made.event_id)
    assert raw.source == {
        "device_id": "cam-1",
        "stream_id": "s",
        "workflow_id": "w",
        "factory_id": "f",
        "frame_id": "7",
    }
    assert (raw.result, raw.image) == ({"object_detections": [box]}, {"width": 640, "height": 480})
    # The same over HTTP, read back by the adapter that reads the HTTP API's events.
    back = decode(Record(orjson.dumps(api_event(orjson.loads(sent.value)))), Registry())
    assert back.images[0].result == raw.result
    assert back.model_dump(exclude={"format", "images", "result"}) == raw.model_dump(
        exclude={"format", "images", "result"}
    )
    assert [(image.image_id, image.role, image.label) for image in back.images] == [("a" * 64, "original", "top")]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"use_case_id": "c", "timestamp": "2026-11-24T10:00:00Z"}, "event_type"),
        ({"event_type": "custom", "timestamp": "2026-11-24T10:00:00Z"}, "use_case_id"),
        (
            {"event_type": "custom", "use_case_id": "c", "timestamp": "t", "images": [{"uri": "s3://b/k"}]},
            "images.0.uri",
        ),
    ],
)
def test_what_the_http_api_has_no_place_for_is_refused(document: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        api_event(document)


def test_every_type_of_event_data_goes_over_http_and_back() -> None:
    values: dict[str, dict[str, Any]] = {
        "quality_check": {"result": "fail", "confidence": 0.5, "external_id": "x"},
        "inventory_count": {"location": "a", "item_count": 3, "item_type": "nut", "external_id": "x"},
        "safety_alert": {"alert_type": "spill", "severity": "low", "description": "d", "external_id": "x"},
        "custom": {"value": True, "external_id": "x"},
        "operator_feedback": {"related_event_id": "e", "feedback": "correct"},
    }
    assert values.keys() == EVENT_DATA.keys()
    for kind, data in values.items():
        made = Event(use_case_id="c", event_type=kind, event_data=data)  # type: ignore[arg-type]
        back = decode(Record(orjson.dumps(api_event(orjson.loads(made.outgoing().value)))), Registry())
        assert (back.event_type, back.event_data) == (kind, data)


def detections(**changes: Any) -> sv.Detections:
    mask = np.zeros((2, 20, 30), bool)
    mask[0, 5:10, 4:14] = True
    given = {
        "xyxy": np.array([[4, 5, 14, 10], [0, 0, 8.5, 2]], np.float32),
        "mask": mask,
        "confidence": np.array([1.0, 0.25], np.float32),
        "class_id": np.array([3, 0]),
        "tracker_id": np.array([17, -1]),
        "data": {"class_name": np.array(["scratch", "dent"])},
    }
    return sv.Detections(**(given | changes))


def test_a_supervision_object_is_taken() -> None:
    found = predictions_of(detections())
    (outlined,) = found["instance_segmentations"]
    assert {name: value for name, value in outlined.items() if name != "points"} == {
        "class": "scratch",
        "confidence": 1.0,
        "class_id": 3,
        "tracker_id": "17",
        "x": 9.0,
        "y": 7.5,
        "width": 10.0,
        "height": 5.0,
    }
    assert sorted(map(tuple, outlined["points"])) == [(4.0, 5.0), (4.0, 10.0), (14.0, 5.0), (14.0, 10.0)]
    (plain,) = found["object_detections"]  # its mask is empty, its track is none
    assert plain == {
        "class": "dent",
        "confidence": 0.25,
        "class_id": 0,
        "x": 4.25,
        "y": 1.0,
        "width": 8.5,
        "height": 2.0,
    }
    raw = decode(Record(event(1, predictions=detections()).outgoing().value), Registry())
    assert raw.result is not None
    assert orjson.loads(orjson.dumps(raw.result)) == orjson.loads(orjson.dumps(found))


def test_supervision_objects_that_know_less() -> None:
    bare = predictions_of(detections(mask=None, confidence=None, tracker_id=None, data={}))
    assert [(item["class"], item["confidence"]) for item in bare["object_detections"]] == [("3", None), ("0", None)]
    nameless = predictions_of(detections(mask=None, class_id=None, data={}))
    assert [item["class"] for item in nameless["object_detections"]] == ["unclassified", "unclassified"]
    assert predictions_of(sv.Detections.empty()) == {}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_an_outline_encloses_as_many_pixels_as_the_largest_part(height: int, width: int, random: Any) -> None:
    mask = np.array([[random.random() < 0.6 for _ in range(width)] for _ in range(height)])
    found = predictions_of(
        detections(xyxy=np.zeros((1, 4)), mask=mask[None], confidence=None, class_id=None, tracker_id=None, data={})
    )
    if not mask.any():
        assert "instance_segmentations" not in found
        return
    points = np.array(found["instance_segmentations"][0]["points"])
    x, y = points.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area >= 1
    assert (points[:, 0].max(), points[:, 1].max()) <= (width, height)


def test_addresses_that_are_none() -> None:
    with pytest.raises(ConfigurationError, match="gateway_url"):
        gateway("vision.example.com", "key")
    assert isinstance(Event().timestamp, datetime)
    assert Image(content=b"x").document() == {"role": "output", "data": "eA=="}
