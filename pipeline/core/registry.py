"""A snapshot of the registry: use cases, devices and factories as they stand, for look-ups while processing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Self

from pipeline.core.alerts.candidates import RuleSet, compile_rules
from pipeline.core.plan import Plan, make_plan
from schemas.alert import Silence
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


Entry = UseCase | Device | Factory | Silence


@dataclass(frozen=True)
class Registry:
    """Use cases by id, devices and factories by workspace and id. Immutable: a change makes a new snapshot.

    A record says which workspace it belongs to only by its use case, so an id of a use case is unique over all
    workspaces. Devices and factories are their workspace's own: two workspaces may both have a `cam-1`.
    """

    use_cases: Mapping[str, UseCase] = field(default_factory=dict)
    devices: Mapping[tuple[str, str], Device] = field(default_factory=dict)
    factories: Mapping[tuple[str, str], Factory] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """The snapshot that holds these documents."""
        use_cases: dict[str, UseCase] = {}
        devices: dict[tuple[str, str], Device] = {}
        factories: dict[tuple[str, str], Factory] = {}
        silences: list[Silence] = []
        for entry in entries:
            if isinstance(entry, UseCase):
                use_cases[entry.id] = entry
            elif isinstance(entry, Device):
                devices[entry.workspace_id, entry.id] = entry
            elif isinstance(entry, Silence):
                silences.append(entry)
            else:
                factories[entry.workspace_id, entry.id] = entry
        return cls(use_cases, devices, factories, tuple(silences))

    def device(self, device_id: str, use_case_id: str | None) -> Device | None:
        """The device of this id in the workspace of the use case.

        Without a known use case: the device of this id where only one workspace has one.
        """
        use_case = self.use_cases.get(use_case_id) if use_case_id is not None else None
        if use_case is None:
            return self._devices_of_one_workspace.get(device_id)
        return self.devices.get((use_case.workspace_id, device_id))

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """Use cases laid out for processing, by id."""
        return {key: make_plan(use_case) for key, use_case in self.use_cases.items()}

    @cached_property
    def calendars(self) -> Mapping[tuple[str, str], ShiftCalendar]:
        """Shift calendars by workspace and factory id."""
        return {key: ShiftCalendar(factory) for key, factory in self.factories.items()}

    @cached_property
    def _devices_of_one_workspace(self) -> Mapping[str, Device]:
        times = Counter(device.id for device in self.devices.values())
        return {device.id: device for device in self.devices.values() if times[device.id] == 1}

    @cached_property
    def rules(self) -> Mapping[str, RuleSet]:
        """Compiled alert rules by use case id; use cases without rules are absent."""
        compiled = {key: compile_rules(use_case) for key, use_case in self.use_cases.items() if use_case.alerts}
        return {key: rules for key, rules in compiled.items() if len(rules)}
