"""The records of every benchmark: a pure function of their number, so that ClickHouse can compute what must be stored.

A record is a canonical raw inference result of about 0.75 kB with three detections and one classification. Line and
shift are left to the enrichment, the verdict to the use case's rule.
"""

import hashlib
from datetime import UTC, datetime, time, timedelta

from pipeline.cli.use_cases import shipped_use_cases
from pipeline.core.registry import Entry, Registry
from schemas.device import Device, Factory, Shift
from schemas.raw_inference import FrameSize

PARTITIONS = 4
DEVICES = 16
"""Cameras in four factories. The partition of a record is that of its camera."""

# One part in ten has a scratch that counts; the other detections lie below their thresholds.
_TEMPLATE = (
    b'{"event_id":"%b","use_case_id":"defect-detection","event_type":"quality_check","timestamp":"%b",'
    b'"source":{"device_id":"cam-%02d","stream_id":"line-%d","factory_id":"factory-%d","frame_id":"%d"},'
    b'"image":{"width":1280,"height":720},"custom_metadata":{"part_number":"PN-%04d"},'
    b'"result":{"object_detections":['
    b'{"class":"scratch","class_id":1,"confidence":%.3f,"x":%d.5,"y":151.25,"width":92,"height":58.5,"detection_id":"d1"},'
    b'{"class":"dent","class_id":2,"confidence":0.412,"x":412.75,"y":%d.5,"width":31.5,"height":29},'
    b'{"class":"stain","class_id":3,"confidence":0.377,"x":803.5,"y":644.25,"width":48,"height":17.5}],'
    b'"classifications":[{"class":"surface","class_id":9,"confidence":%.3f}]}}'
)


def event_id(number: int) -> str:
    """A UUID that looks random: MD5 of the number in decimal, which ClickHouse computes too (`checks.py`)."""
    digest = hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def raw_record(number: int, moment: datetime) -> bytes:
    """The value of record `number`, taken at `moment` (UTC)."""
    device = number % DEVICES
    return _TEMPLATE % (
        event_id(number).encode(),
        moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode(),
        device,
        device % 4,
        device // 4,
        number,
        number % 1000,
        (number % 10) / 20 + 0.06,
        number % 1000,
        number % 700,
        (number % 900) / 1000 + 0.1,
    )


def device_key(number: int) -> bytes:
    """The Kafka key of record `number`: its camera."""
    return b"cam-%02d" % (number % DEVICES)


def partition_of(number: int) -> int:
    """The partition of record `number`; records of one camera stay together."""
    return number % PARTITIONS


def start_time(count: int) -> datetime:
    """The moment of the first of `count` records a millisecond apart, so that the last one is not in the future."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(milliseconds=count)


def entries() -> list[Entry]:
    """The registry of all benchmarks: the shipped use cases, four factories with shifts, sixteen cameras."""
    shifts = (
        Shift(name="early", start=time(6), end=time(14)),
        Shift(name="late", start=time(14), end=time(22)),
        Shift(name="night", start=time(22), end=time(6)),
    )
    factories = [Factory(id=f"factory-{n}", time_zone="Europe/Berlin", shifts=shifts) for n in range(DEVICES // 4)]
    devices = [
        Device(
            id=f"cam-{n:02d}",
            factory_id=f"factory-{n // 4}",
            stream_id=f"line-{n % 4}",
            use_case_id="defect-detection",
            image=FrameSize(width=1280, height=720),
            metadata={"line_id": f"L{n % 4}"},
        )
        for n in range(DEVICES)
    ]
    # Without alert rules, which the competitors have not: what they cost is measured by itself.
    use_cases = [use_case.model_copy(update={"alerts": ()}) for use_case in shipped_use_cases()]
    return [*use_cases, *factories, *devices]


def registry() -> Registry:
    """The same entries as a snapshot, for stages that run without a store."""
    return Registry.of(entries())
