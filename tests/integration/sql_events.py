"""A small, known set of events for the queries of docs/sql.md, made by the pipeline from raw records.

What has to be counted lies two to six days back (this week), or eight to twelve (the week before); the inventory
counts lie within the last hours. So the answers do not depend on when the test runs. The factory's time zone is five
and a half hours ahead all the year.
"""

import base64
import hashlib
import io
from datetime import UTC, datetime, time, timedelta
from typing import Any

import orjson
from clickhouse_connect.driver import Client
from PIL import Image

from pipeline.cli.use_cases import shipped_use_cases
from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.core.registry import Registry
from pipeline.edges.alerts import insert_alerts
from pipeline.edges.clickhouse import insert_events, insert_rejects
from pipeline.edges.registry import apply_entries
from pipeline.errors import InvalidRecordError
from pipeline.ingest.batch import reject
from schemas.alert import Alert
from schemas.device import Device, Factory, Shift
from schemas.reject import RejectReason
from schemas.use_case import CountRule, Enrichment, MetadataField, MetadataSchema, UseCase

NOW = datetime.now(UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
HOUR = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)

FACTORY = Factory(
    id="f-pune",
    name="Pune",
    time_zone="Asia/Kolkata",
    shifts=(
        Shift(name="early", start=time(6), end=time(14)),
        Shift(name="late", start=time(14), end=time(22)),
        Shift(name="night", start=time(22), end=time(6)),
    ),
)
EARLY, LATE, NIGHT = timedelta(hours=4), timedelta(hours=10), timedelta(hours=18)
"""Times after midnight UTC that lie within these shifts."""

STOCK = UseCase(
    id="stock",
    name="Stock",
    event_type="inventory_count",
    metadata=MetadataSchema(fields={"place": MetadataField()}),
    enrichment=Enrichment(count=CountRule(item_type="coin", classes=("coin",), location_from="place")),
)
TRIAL = UseCase(id="trial", name="Trial")

DEVICES = (
    Device(
        id="cam-1", name="Line 1, top", factory_id="f-pune", use_case_id="defect-detection", metadata={"line_id": "L1"}
    ),
    Device(
        id="cam-2", name="Line 2, top", factory_id="f-pune", use_case_id="defect-detection", metadata={"line_id": "L2"}
    ),
    Device(id="cam-9", name="Spare", factory_id="f-pune"),
    Device(id="gate-1", name="Gate", factory_id="f-pune", use_case_id="ppe-compliance", metadata={"zone": "Z1"}),
    Device(id="gate-2", name="Ramp", factory_id="f-pune", use_case_id="ppe-compliance", metadata={"zone": "Z2"}),
    Device(id="tray-1", name="Tray", factory_id="f-pune", use_case_id="stock"),
)


def picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(buffer, "PNG")
    return buffer.getvalue()


ORIGINAL, OUTPUT = picture("grey"), picture("red")
ORIGINAL_ID, OUTPUT_ID = (hashlib.sha256(content).hexdigest() for content in (ORIGINAL, OUTPUT))
MOVED_TO = TODAY - timedelta(days=4) + LATE
"""The time of the event `moved`, which is sent twice."""


def days_ago(days: int, after_midnight: timedelta) -> datetime:
    return TODAY - timedelta(days=days) + after_midnight


def seen(*objects: tuple[str, float]) -> dict[str, Any]:
    box = {"x": 10, "y": 10, "width": 4, "height": 4}
    return {"object_detections": [{"class": name, "confidence": confidence} | box for name, confidence in objects]}


def part(event_id: str, device: str, at: datetime, number: str, *objects: tuple[str, float], **metadata: Any) -> Any:
    return (
        device,
        at,
        {
            "event_id": event_id,
            "custom_metadata": {"part_number": number} | metadata,
            "result": seen(*objects),
        },
    )


def feedback(event_id: str, at: datetime, about: str, verdict: str) -> Any:
    return (
        "cam-1",
        at,
        {
            "event_id": event_id,
            "event_type": "operator_feedback",
            "custom_metadata": {"part_number": "PN-0"},
            "event_data": {"related_event_id": about, "feedback": verdict},
        },
    )


def records() -> list[Any]:
    """(device, time, record) of all that is sent, in order."""
    pictures = [
        {"label": "top", "role": "original", "data": base64.b64encode(ORIGINAL).decode()},
        {"label": "top", "role": "output", "data": base64.b64encode(OUTPUT).decode()},
    ]
    failed = part("a1", "cam-1", days_ago(3, EARLY), "PN-88", ("scratch", 0.9), temperature=25)
    failed[2]["images"] = pictures
    return [
        # The week before: four parts, two of them failed.
        part("p1", "cam-1", days_ago(9, EARLY), "PN-88", ("scratch", 0.9)),
        part("p2", "cam-1", days_ago(9, LATE), "PN-88", ("scratch", 0.9)),
        part("p3", "cam-2", days_ago(10, EARLY), "PN-88", ("dent", 0.45)),
        part("p4", "cam-2", days_ago(10, LATE), "PN-90"),
        # This week: nine parts, three of them failed.
        failed,
        part("a2", "cam-1", days_ago(3, EARLY), "PN-88", temperature=18.5),
        part("a3", "cam-1", days_ago(4, EARLY), "PN-88", temperature=31.5),
        part("a4", "cam-1", days_ago(4, EARLY), "PN-90", temperature="hot"),
        part("a5", "cam-1", days_ago(2, LATE), "PN-90", ("scratch", 0.4)),
        part("a6", "cam-1", days_ago(3, LATE), "PN-88"),
        part("b1", "cam-2", days_ago(2, EARLY), "PN-88", ("scratch", 0.8)),
        part("b2", "cam-2", days_ago(3, EARLY), "PN-91"),
        part("b3", "cam-2", days_ago(2, NIGHT), "PN-90", ("dent", 0.6)),
        feedback("f1", days_ago(2, EARLY), "a1", "correct"),
        feedback("f2", days_ago(2, EARLY), "b1", "correct"),
        feedback("f3", days_ago(2, NIGHT), "b1", "incorrect"),
        feedback("f4", days_ago(2, NIGHT), "b3", "incorrect"),
        feedback("f5", days_ago(2, NIGHT), "a5", "inconclusive"),
        # Protective equipment.
        ("gate-1", days_ago(4, EARLY), {"result": seen(("no_helmet", 0.8), ("helmet", 0.9))}),
        ("gate-1", days_ago(5, EARLY), {"result": seen(("helmet", 0.9))}),
        ("gate-2", days_ago(4, LATE), {"result": seen(("no_vest", 0.7))}),
        # Stock, in the last hours.
        ("tray-1", HOUR + timedelta(minutes=5), stock("A", 2)),
        ("tray-1", HOUR + timedelta(minutes=10), stock("A", 3)),
        ("tray-1", HOUR + timedelta(minutes=65), stock("A", 1, ("button", 0.9))),
        ("tray-1", HOUR + timedelta(minutes=66), stock("B", 4)),
        # A key of another type in another use case; and an event that comes again with another time.
        ("rig", days_ago(4, EARLY), {"use_case_id": "trial", "custom_metadata": {"line_id": 3, "temperature": 40}}),
        ("rig", days_ago(4, EARLY), {"use_case_id": "trial", "event_id": "moved"}),
        ("rig", MOVED_TO, {"use_case_id": "trial", "event_id": "moved"}),
    ]


def stock(place: str, coins: int, *others: tuple[str, float]) -> dict[str, Any]:
    return {"custom_metadata": {"place": place}, "result": seen(*[("coin", 0.9)] * coins, *others)}


TO_KAFKA = timedelta(milliseconds=200)
TO_TABLE = [
    timedelta(milliseconds=300),
    timedelta(milliseconds=500),
    timedelta(milliseconds=700),
    timedelta(milliseconds=900),
]
"""How long the four counts of stock took from Kafka to the table."""


def alerts() -> list[Alert]:
    """Two alerts of line L1, one of them silenced and still open, and one of L2."""
    found = []
    for number, (line, minutes, silence) in enumerate((("L1", 3, ""), ("L1", 0, "silence s1"), ("L2", 5, ""))):
        alert = Alert(
            alert_id=str(number),
            fingerprint=line,
            status="firing",
            workspace_id="default",
            use_case_id="defect-detection",
            rule="defect_burst",
            severity="high",
            group={"line_id": line},
            starts_at=HOUR,
            fired_at=HOUR,
            suppressed_by=silence,
            detected_at=HOUR,
        )
        ended = {"status": "resolved", "ends_at": HOUR + timedelta(minutes=minutes)}
        found += [alert, alert.model_copy(update=ended)] if minutes else [alert]
    return found


def fill(client: Client) -> None:
    """Register everything and store all events, as the workers do, and two rejects."""
    use_cases = [*shipped_use_cases(), STOCK, TRIAL]
    apply_entries(client, [*use_cases, *DEVICES, FACTORY])
    registry = Registry.of([*use_cases, *DEVICES, FACTORY])
    delays = iter(TO_TABLE)
    lines = []
    for offset, (device, at, document) in enumerate(records()):
        arrived = at + TO_KAFKA
        value = orjson.dumps(document | {"timestamp": at, "source": {"device_id": device}})
        event = process(Record(value, offset=offset, timestamp=round(arrived.timestamp() * 1000)), registry).event
        if event["use_case_id"] == "stock":
            event["inserted_at"] = arrived + next(delays)
        lines.append(orjson.dumps(event, option=orjson.OPT_UTC_Z))
    insert_events(client, lines)
    insert_alerts(client, [*alerts(), *alerts()])
    broken = InvalidRecordError(RejectReason.NOT_JSON, "the record has no value")
    yesterday = round((NOW - timedelta(hours=20)).timestamp() * 1000)
    insert_rejects(
        client,
        [
            reject(Record(b"", partition=1, offset=offset, timestamp=yesterday, key=b"cam-2"), broken)
            for offset in range(2)
        ],
    )
