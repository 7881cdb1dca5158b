"""The shipped rules on what the demo's cameras see: each fires within its first minute and is over in three."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from pipeline.cli.use_cases import shipped_use_cases
from pipeline.core.alerts.replay import replay
from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.core.registry import Registry
from pipeline.demo.cameras import frames
from pipeline.demo.documents import devices
from pipeline.demo.factories import CAMERAS

BEGIN = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
EVERY = timedelta(seconds=len(CAMERAS) / 3)
"""Between two frames of a camera of `up --demo`: three frames a second over all of them."""


@pytest.mark.parametrize(
    ("device_id", "rule"), [("koeln-cam-02", "defect_burst"), ("pune-cam-03", "no_helmet_in_danger_zone")]
)
def test_a_shipped_rule_fires_and_resolves(device_id: str, rule: str) -> None:
    camera = next(camera for camera in CAMERAS if camera.device_id == device_id)
    documents, use_cases = devices(), {use_case.id: use_case for use_case in shipped_use_cases()}
    registry = Registry.of([*use_cases.values(), *documents.devices, *documents.factories])
    times = ((BEGIN + index * EVERY, index * EVERY) for index in range(1000))
    seen = []
    stream = islice(frames(camera, 5, lambda: next(times)), int(timedelta(minutes=3.5) / EVERY))
    for offset, record in enumerate(stream):
        arrived = int((BEGIN + offset * EVERY).timestamp() * 1000)
        seen.append((process(Record(record.value, offset=offset, timestamp=arrived), registry).event, arrived))
    use_case = use_cases[registry.devices["default", device_id].use_case_id or ""]
    fired, resolved = replay(use_case, seen).alerts
    assert (fired.rule, fired.status, resolved.status) == (rule, "firing", "resolved")
    assert fired.fired_at - BEGIN < timedelta(minutes=1)
    assert resolved.ends_at is not None
    assert resolved.ends_at - BEGIN < timedelta(minutes=3)
