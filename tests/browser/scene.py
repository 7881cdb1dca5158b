"""Events to look at: parts with scratches, with pictures whose pixels are known, and one full of markup."""

import io
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from PIL import Image

from schemas.use_case import UseCase

WIDTH, HEIGHT = 320, 240
GREY: Final = (90, 90, 90)
BOX: Final = {"x": 160.0, "y": 120.0, "width": 120.0, "height": 80.0}
HOSTILE: Final = "<img src=x onerror=\"document.title='taken over'\"><script>document.title='taken over'</script>"

PARTS: Final = UseCase(
    id="browser-parts", name="Parts in a browser", event_type="quality_check", description="Parts that tests look at."
)
HOSTILE_CASE: Final = UseCase(id="browser-hostile", name=HOSTILE, event_type="custom", description=HOSTILE)


def upload(client: httpx.Client, colour: tuple[int, int, int] = GREY) -> str:
    """Store a picture of one colour and return its id."""
    file = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), colour).save(file, "PNG")
    answer = client.post("/upload", files={"file": ("picture.png", file.getvalue(), "image/png")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sourceId"])


def part(number: int, source: str, moment: datetime, **changes: Any) -> dict[str, Any]:
    """One inspected part; every third has a scratch."""
    scratched = number % 3 == 0
    box = BOX | {"class": "scratch", "confidence": 0.5 + (number % 50) / 100}
    return {
        "eventId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"browser-part-{number}")),
        "eventType": "quality_check",
        "useCaseId": PARTS.id,
        "timestamp": (moment - timedelta(minutes=number)).isoformat(),
        "deviceId": f"cam-{number % 4}",
        "eventData": {"result": "fail" if scratched else "pass"},
        "customMetadata": {"line_id": f"L{number % 2}", "temperature": number, "rework": number % 5 == 0},
        "images": [
            {
                "sourceId": source,
                "metadata": {"exposure": number % 7},
                "objectDetections": [box] if scratched else [],
                "classifications": [{"class": "ok", "confidence": 0.9}] if not scratched else [],
            }
        ],
    } | changes


def hostile(source: str) -> dict[str, Any]:
    """An event that has markup wherever text may stand."""
    found = {"class": HOSTILE, "confidence": 0.9}
    return {
        "eventId": "hostile'\"<b>",
        "eventType": "custom",
        "useCaseId": HOSTILE_CASE.id,
        "timestamp": datetime.now(UTC).isoformat(),
        **dict.fromkeys(("deviceId", "streamId", "workflowId", "factoryId", "frameId", "comment"), HOSTILE),
        "eventData": {"value": HOSTILE, "externalId": HOSTILE},
        "customMetadata": {"note": HOSTILE},
        "images": [
            {
                "sourceId": source,
                "label": HOSTILE,
                "metadata": {"lens": HOSTILE},
                "objectDetections": [found | BOX],
                "classifications": [found],
                "instanceSegmentations": [found | BOX | {"points": [[10, 10], [50, 10], [50, 50]]}],
                "keypoints": [
                    found | BOX | {"keypoints": [{"id": HOSTILE, "x": 20, "y": 20}, {"id": "b", "x": 40, "y": 90}]}
                ],
            }
        ],
    }


def send(client: httpx.Client, events: Sequence[dict[str, Any]]) -> None:
    """Store events through the API."""
    for start in range(0, len(events), 100):
        answer = client.post("/batch", json={"events": events[start : start + 100]})
        assert answer.status_code == 201, answer.text
