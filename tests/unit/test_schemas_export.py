"""The exported JSON Schemas say what the models say."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from schemas.alert import Alert, AlertEvent, Matcher, Silence
from schemas.device import DeviceFile
from schemas.export import FOLDER, MODELS, export
from schemas.raw_inference import RawInferenceResult
from schemas.reject import Reject, RejectReason
from tests.unit.registry import NOW, REGISTRY

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(read(FOLDER / f"{name}.json"))


def test_the_files_are_current() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert written == export(), "run python -m schemas.export and commit what it writes"


@pytest.mark.parametrize("name", MODELS)
def test_every_file_is_a_schema_of_its_draft(name: str) -> None:
    schema = read(FOLDER / f"{name}.json")
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def examples() -> list[Any]:
    """(schema, document) of everything that the models accept and that is written down somewhere."""
    found: list[Any] = []

    def add(name: str, origin: str, document: Any) -> None:
        found.append(pytest.param(name, document, id=f"{name}-{origin}"))

    for path in sorted((GOLDEN / "process").glob("*.json")):
        add("vision-event", path.stem, read(path)["event"])
    for path in sorted((GOLDEN / "formats").glob("*/*.json")):
        add("raw-inference-result", f"{path.parent.name}-{path.stem}", read(path)["expected"])
    for path in sorted((ROOT / "schemas" / "use_cases").glob("*.yaml")):
        add("use-case", path.stem, yaml.safe_load(path.read_text(encoding="utf-8")))
    for use_case in REGISTRY.use_cases.values():
        add("use-case", f"{use_case.id}-written", json.loads(use_case.model_dump_json(by_alias=True)))
    for device in REGISTRY.devices.values():
        add("device", device.id, json.loads(device.model_dump_json(by_alias=True)))
    for factory in REGISTRY.factories.values():
        add("factory", factory.id, json.loads(factory.model_dump_json(by_alias=True)))
    add("device-file", "written by hand", yaml.safe_load(DEVICES))
    rejected = Reject(
        topic="vision.inferences", partition=0, offset=7, timestamp=NOW, reason=RejectReason.NOT_JSON, message="empty"
    )
    add("reject", "not JSON", json.loads(rejected.model_dump_json()))
    silence = Silence(
        id="s1", matchers=(Matcher(label="line_id", value="L3"),), starts_at=NOW, ends_at=NOW + timedelta(hours=1)
    )
    add("silence", "of a line", json.loads(silence.model_dump_json()))
    names = {"alert_id": "a", "fingerprint": "f", "workspace_id": "default", "use_case_id": "u", "rule": "burst"}
    times = {"starts_at": NOW, "fired_at": NOW, "detected_at": NOW}
    alert = Alert.model_validate({"status": "firing", "severity": "high"} | names | times)
    event = AlertEvent(
        id="a-firing", source="vision-events", type="visionevents.alert.firing", subject="u/burst", time=NOW, data=alert
    )
    add("alert-event", "firing", json.loads(event.model_dump_json()))
    return found


DEVICES = """
factories:
  - {id: f-12, time_zone: Europe/Berlin, shifts: [{name: night, start: "22:00", end: "06:00", days: [mon, tue]}]}
devices:
  - {id: cam-7, factory_id: f-12, image: {width: 1280, height: 720}, metadata: {line_id: L3}}
"""


@pytest.mark.parametrize(("name", "document"), examples())
def test_what_the_models_accept_is_valid(name: str, document: Any) -> None:
    validator(name).validate(document)


def test_the_devices_of_the_example_are_accepted_by_the_model() -> None:
    DeviceFile.model_validate(yaml.safe_load(DEVICES))


def test_every_model_has_an_example() -> None:
    assert {parameters.values[0] for parameters in examples()} == set(MODELS)


BOX = {"class": "scratch", "confidence": 0.9, "x": 1, "y": 2, "width": 3, "height": 4}

BROKEN: dict[str, dict[str, Any]] = {
    "unknown field": {"use_case": "defect-detection"},
    "confidence above 1": {"result": {"object_detections": [BOX | {"confidence": 91}]}},
    "negative width": {"result": {"object_detections": [BOX | {"width": -1}]}},
    "text for a number": {"result": {"object_detections": [BOX | {"x": "1"}]}},
    "no class": {"result": {"classifications": [{"confidence": 0.5}]}},
    "two points are no polygon": {"result": {"instance_segmentations": [BOX | {"points": [[0, 0], [1, 1]]}]}},
    "key with a dot": {"custom_metadata": {"line.id": "L3"}},
    "nested metadata": {"custom_metadata": {"line": {"id": "L3"}}},
    "long text": {"custom_metadata": {"line_id": "L" * 1001}},
    "event type": {"event_type": "quality"},
    "line break in an id": {"use_case_id": "a\nb"},
    "file as an image": {"images": [{"uri": "file:///etc/passwd"}]},
    "empty image data": {"images": [{"data": ""}]},
    "negative time": {"timestamp": -1},
    "frame without height": {"image": {"width": 640}},
}


@pytest.mark.parametrize("document", BROKEN.values(), ids=BROKEN.keys())
def test_what_the_model_refuses_is_not_valid(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RawInferenceResult.model_validate_json(json.dumps(document))
    assert not validator("raw-inference-result").is_valid(document)
