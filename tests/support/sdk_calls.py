"""Runs in the SDK's own environment: every call that the SDK has for vision events, by its high-level object.

Only API_URL and ROBOFLOW_API_KEY are set. Prints one JSON object of what each call gave.
"""

import contextlib
import datetime
import io
import json
import sys
import uuid

import roboflow  # type: ignore[import-not-found]
from roboflow.adapters import vision_events_api  # type: ignore[import-not-found]
from roboflow.adapters.rfapi import RoboflowError  # type: ignore[import-not-found]


def event(use_case: str, number: int, **changes: object) -> dict[str, object]:
    return {
        "eventId": str(uuid.uuid4()),
        "eventType": "quality_check",
        "useCaseId": use_case,
        "timestamp": datetime.datetime.now(datetime.UTC).isoformat(),
        "eventData": {"result": "pass" if number % 2 else "fail"},
        "customMetadata": {"line_id": f"L{number}", "number": number},
        "deviceId": "cam-1",
    } | changes


def refusal(call, *arguments: object) -> str:  # type: ignore[no-untyped-def]
    try:
        call(*arguments)
    except RoboflowError as error:
        return str(error)
    return "nothing was refused"


def write(image: str, name: str) -> dict[str, object]:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints that it loads
        workspace = roboflow.Roboflow().workspace()
    said: dict[str, object] = {"workspace": workspace.name, "url": workspace.url}
    created = workspace.create_vision_event_use_case(name)
    said["created"] = created
    said["taken"] = refusal(workspace.create_vision_event_use_case, name)
    use_case = created["id"]
    said["renamed"] = workspace.rename_vision_event_use_case(use_case, f"{name} renamed")
    said["archived"] = workspace.archive_vision_event_use_case(use_case)
    said["inactive"] = workspace.list_vision_event_use_cases("inactive")
    said["unarchived"] = workspace.unarchive_vision_event_use_case(use_case)
    said["listed"] = workspace.list_vision_event_use_cases()
    uploaded = workspace.upload_vision_event_image(image, name="frame.jpg", metadata={"camera_id": "cam-1"})
    said["uploaded"] = uploaded
    said["uploaded again"] = workspace.upload_vision_event_image(image)
    box = {"class": "scratch", "x": 10.5, "y": 20, "width": 3, "height": 4, "confidence": 0.5}
    first = event(use_case, 0, images=[{"sourceId": uploaded["sourceId"], "objectDetections": [box]}])
    said["written"] = workspace.write_vision_event(first)
    said["first"] = first["eventId"]
    said["batch"] = workspace.write_vision_events_batch([event(use_case, number) for number in range(1, 40)])
    said["wrong"] = refusal(workspace.write_vision_event, event(use_case, 1, eventType="party"))
    said["wrong key"] = refusal(vision_events_api.write_event, "not-a-key-of-anybody", first)
    return said


def read(use_case: str) -> dict[str, object]:
    with contextlib.redirect_stdout(io.StringIO()):
        workspace = roboflow.Roboflow().workspace()
    page = workspace.query_vision_events(use_case, event_type="quality_check", limit=15)
    pages = list(workspace.query_all_vision_events(use_case, limit=15))
    filtered = workspace.query_vision_events(
        use_case, customMetadataFilters=[{"field": "line_id", "operator": "eq", "value": "L7", "type": "string"}]
    )
    return {
        "page": page,
        "pages": [[item["eventId"] for item in events] for events in pages],
        "filtered": [item["customMetadata"] for item in filtered["events"]],
        "schema": workspace.get_vision_event_metadata_schema(use_case),
    }


if __name__ == "__main__":
    print(json.dumps({"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]
