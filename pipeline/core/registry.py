"""A snapshot of the registry: use cases, devices and factories as they stand, for look-ups while processing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from schemas.device import WEEKDAYS, Device, Factory
from schemas.use_case import UseCase


class ShiftCalendar:
    """Finds the shift of a factory at a moment, in its time zone."""

    def __init__(self, factory: Factory) -> None:
        self._zone = factory.zone
        self._shifts = factory.shifts
        self._cache: dict[int, str | None] = {}

    def shift_at(self, moment: datetime) -> str | None:
        """The name of the shift running at `moment` (zone-aware), None between shifts.

        Shifts begin and end at whole minutes, so the answer is kept by the minute.
        """
        minute = int(moment.timestamp()) // 60
        if minute not in self._cache:
            if len(self._cache) > 10_000:
                self._cache.clear()
            self._cache[minute] = self._find(moment.astimezone(self._zone))
        return self._cache[minute]

    def _find(self, local: datetime) -> str | None:
        now = local.time().replace(second=0, microsecond=0, tzinfo=None)
        today, yesterday = WEEKDAYS[local.weekday()], WEEKDAYS[local.weekday() - 1]
        for shift in self._shifts:
            if shift.start < shift.end:
                if shift.start <= now < shift.end and today in shift.days:
                    return shift.name
            elif (now >= shift.start and today in shift.days) or (now < shift.end and yesterday in shift.days):
                return shift.name
        return None


@dataclass(frozen=True)
class Registry:
    """Use cases, devices and factories by id. Immutable: a change makes a new snapshot."""

    use_cases: Mapping[str, UseCase] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    factories: Mapping[str, Factory] = field(default_factory=dict)

    @cached_property
    def calendars(self) -> Mapping[str, ShiftCalendar]:
        """Shift calendars by factory id."""
        return {key: ShiftCalendar(factory) for key, factory in self.factories.items()}
