"""One registry for all workspaces, and nothing of one reaches the events of another."""

import orjson
import pytest

from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.core.registry import Registry
from pipeline.errors import InvalidRecordError
from schemas.device import Device, Factory, Shift
from schemas.raw_inference import FrameSize
from schemas.use_case import Enrichment, UseCase
from tests.unit.registry import NOW_MS

ENRICHMENT = Enrichment(device_metadata=("line",), shift_field="shift")


def use_case(name: str, workspace: str) -> UseCase:
    return UseCase(id=name, name=name, workspace_id=workspace, enrichment=ENRICHMENT)


def device(workspace: str, line: str, default: str | None = None, **fields: object) -> Device:
    given = {"id": "cam", "factory_id": "plant", "use_case_id": default, "metadata": {"line": line}, **fields}
    return Device.model_validate({"workspace_id": workspace, **given})


def factory(workspace: str, shift: str) -> Factory:
    whole_day = Shift(name=shift, start="00:00", end="00:00")  # type: ignore[arg-type]
    return Factory(id="plant", workspace_id=workspace, shifts=(whole_day,))


BOTH = Registry.of(
    [
        *(use_case("case-a", "a"), use_case("case-b", "b")),
        device("a", "line of a", "case-a", class_names=("of a",), image=FrameSize(width=10, height=10)),
        device("b", "line of b", "case-b", class_names=("of b",), image=FrameSize(width=20, height=20)),
        *(factory("a", "shift of a"), factory("b", "shift of b")),
    ]
)


def event(registry: Registry, **record: object) -> dict[str, object]:
    value = orjson.dumps({"source": {"device_id": "cam"}, **record})
    return process(Record(value, timestamp=NOW_MS), registry).event


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_device_of_the_same_id_enriches_only_its_own_workspace(name: str) -> None:
    found = event(BOTH, use_case_id=f"case-{name}")
    assert found["workspace_id"] == name
    assert found["custom_metadata"] == {"line": f"line of {name}", "shift": f"shift of {name}"}


@pytest.mark.parametrize(("name", "size"), [("a", 10), ("b", 20)])
def test_class_names_and_frame_size_are_those_of_the_workspace(name: str, size: int) -> None:
    box = {"name": None, "class": 0, "confidence": 0.5, "box": {"x1": 0, "y1": 0, "x2": 0.5, "y2": 0.5}}
    found = event(BOTH, use_case_id=f"case-{name}", format="ultralytics", result=[box])
    (detection,) = found["object_detections"]  # type: ignore[misc]
    assert (detection["class"], detection["width"]) == (f"of {name}", size / 2)


def test_a_device_of_another_workspace_adds_nothing() -> None:
    only_b = Registry.of([use_case("case-a", "a"), use_case("case-b", "b"), device("b", "line of b", "case-b")])
    found = event(only_b, use_case_id="case-a")
    assert "custom_metadata" not in found
    assert "factory_id" not in found


def test_without_a_use_case_the_device_decides_where_it_is_the_only_one() -> None:
    one = Registry.of([use_case("case-a", "a"), device("a", "line of a", "case-a")])
    assert event(one)["use_case_id"] == "case-a"
    with pytest.raises(InvalidRecordError, match="several workspaces"):
        event(BOTH)


def test_a_device_cannot_send_its_events_into_another_workspace() -> None:
    foreign = Registry.of([use_case("case-a", "a"), device("b", "line of b", "case-a")])
    with pytest.raises(InvalidRecordError, match="no use case 'case-a'"):
        event(foreign)
