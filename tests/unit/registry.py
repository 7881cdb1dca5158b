"""A small registry that unit tests share."""

from datetime import UTC, datetime, time

from pipeline.cli.use_cases import shipped_use_cases
from pipeline.core.registry import Registry
from schemas.device import Device, Factory, Shift
from schemas.raw_inference import FrameSize
from schemas.use_case import CountRule, Enrichment, ImagePolicy, MetadataField, MetadataSchema, UseCase

NOW = datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)

COUNTING = UseCase(
    id="counting",
    name="Counting",
    event_type="inventory_count",
    metadata=MetadataSchema(fields={"bin": MetadataField(default="B0")}),
    enrichment=Enrichment(count=CountRule(item_type="coin", classes=("coin",), location_from="bin")),
    images=ImagePolicy(required=True, max_bytes=100_000, max_pixels=1_000_000),
)

REGISTRY = Registry(
    use_cases={case.id: case for case in [*shipped_use_cases(), COUNTING]}
    | {"archived": UseCase(id="archived", name="Archived", status="inactive"), "open": UseCase(id="open", name="Open")},
    devices={
        ("default", "cam-7"): Device(
            id="cam-7",
            factory_id="f-12",
            stream_id="line-3",
            use_case_id="defect-detection",
            image=FrameSize(width=1280, height=720),
            metadata={"line_id": "L3"},
        )
    },
    factories={
        ("default", "f-12"): Factory(
            id="f-12",
            time_zone="Europe/Berlin",
            shifts=(
                Shift(name="early", start=time(6), end=time(14)),
                Shift(name="late", start=time(14), end=time(22)),
                Shift(name="night", start=time(22), end=time(6)),
            ),
        )
    },
)
