"""Factories with their calendars, and the devices in them: what the pipeline knows of a source beforehand."""

from datetime import time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, StringConstraints, model_validator

from schemas.common import DEFAULT_WORKSPACE, Document, Identifier, Metadata
from schemas.raw_inference import FrameSize

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known_time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as Europe/Berlin")
    return name


def _written_as_text(value: object) -> object:
    """YAML 1.1 reads an unquoted 22:00 as the number 1320, which would then be 22 minutes past midnight."""
    if isinstance(value, int | float):
        raise ValueError('write the time of day in quotes, such as "06:00"')
    return value


TimeOfDay = Annotated[time, BeforeValidator(_written_as_text)]


class Shift(Document):
    """A span of the working day, in the factory's local time. One that ends at or before its start ends the next day.

    `days` are the days on which the shift *starts*.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    start: TimeOfDay
    end: TimeOfDay
    days: tuple[Weekday, ...] = WEEKDAYS


class Factory(Document):
    """A plant: its time zone and shift calendar."""

    id: Identifier
    name: str = ""
    workspace_id: Identifier = DEFAULT_WORKSPACE
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "UTC"
    shifts: tuple[Shift, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.time_zone)


class Device(Document):
    """A camera. Its fields fill in what its records leave out; `class_names` names classes given by index."""

    id: Identifier
    name: str = ""
    workspace_id: Identifier = DEFAULT_WORKSPACE
    factory_id: Identifier | None = None
    stream_id: Identifier | None = None
    workflow_id: Identifier | None = None
    use_case_id: Identifier | None = None
    image: FrameSize | None = None
    class_names: tuple[str, ...] = ()
    metadata: Metadata = {}


class DeviceFile(Document):
    """What `vision-events devices apply` reads: factories and devices of one file."""

    factories: tuple[Factory, ...] = ()
    devices: tuple[Device, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        for kind, entries in (("factory", self.factories), ("device", self.devices)):
            seen: set[str] = set()
            for entry in entries:
                if entry.id in seen:
                    raise ValueError(f"{kind} {entry.id!r} is listed twice")
                seen.add(entry.id)
        return self
