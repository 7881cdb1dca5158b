"""The load of the fault suite says of each record what must become of it: what the core makes of it, at any clock."""

import time
from datetime import timedelta

import pytest

from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.core.registry import Registry
from pipeline.errors import InvalidRecordError
from schemas.use_case import UseCase
from tests.faults.mix import Mix

CASES = [UseCase(id=f"case-{workspace}", name=workspace, workspace_id=workspace) for workspace in ("a", "b")]


@pytest.mark.parametrize("days", [0, 3, 730, -3650])
def test_a_record_is_stored_or_rejected_as_the_load_says(days: int) -> None:
    mix, registry = Mix("seed", [(case.workspace_id, case.id) for case in CASES]), Registry.of(CASES)
    mix.skew = timedelta(days=days)
    for offset in range(1000):
        sent, reason = mix.next(), None
        try:
            event = process(Record(sent.value, offset=offset, timestamp=int(time.time() * 1000)), registry).event
            assert len(event.get("object_detections", ())) == sent.detections
        except InvalidRecordError as error:
            reason = error.reason.value
        assert reason == sent.reason
