"""Use cases laid out for the processing of records: what each event needs, without walking through the documents.

A plan is made once for a snapshot of the registry. Looking things up in the documents for every record took as long as
validating it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.device import Device
from schemas.use_case import ClassThreshold, MetadataType, UseCase

_PYTHON_TYPES: Mapping[MetadataType, frozenset[type]] = {
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "number": frozenset({int, float}),
}


class ExpectedValue(NamedTuple):
    """What a metadata key may hold: Python types, and the only values where the schema lists them."""

    types: frozenset[type]
    enum: tuple[Any, ...] | None


class Additions(NamedTuple):
    """What a device adds to records that do not say it themselves."""

    source: Mapping[str, str]
    metadata: Mapping[str, Any]


_NOTHING = Additions({}, {})


@dataclass(frozen=True, slots=True)
class Plan:
    """One use case. `fail_when` is (class, least confidence, threshold) of each part of its quality rule."""

    use_case: UseCase
    active: bool
    shift_field: str | None
    defaults: Mapping[str, Any]
    expected: Mapping[str, ExpectedValue]
    required: frozenset[str]
    fail_when: Sequence[tuple[str, float, ClassThreshold]]
    _devices: dict[str, Additions] = field(default_factory=dict)

    def additions_of(self, device: Device | None) -> Additions:
        """What a device of the use case's workspace adds."""
        if device is None:
            return _NOTHING
        if (known := self._devices.get(device.id)) is None:
            known = self._devices[device.id] = _additions(self.use_case, device)
        return known

    def fits(self, metadata: Mapping[str, Any]) -> bool:
        """Whether metadata is as the use case's schema wants it; `enrich.check_metadata` says what is wrong."""
        for key, value in metadata.items():
            expected = self.expected.get(key)
            if expected is None or type(value) not in expected.types:
                return False
            if expected.enum is not None and value not in expected.enum:
                return False
        return self.required <= metadata.keys()


def make_plan(use_case: UseCase) -> Plan:
    """Lay a use case out."""
    fields, rules = use_case.metadata.fields, use_case.enrichment
    return Plan(
        use_case,
        active=use_case.status == "active",
        shift_field=rules.shift_field,
        defaults={key: entry.default for key, entry in fields.items() if entry.default is not None},
        expected={key: ExpectedValue(_PYTHON_TYPES[entry.type], entry.enum) for key, entry in fields.items()},
        required=frozenset(key for key, entry in fields.items() if entry.required),
        fail_when=[(part.class_, part.min_confidence, part) for part in rules.quality.fail_when]
        if rules.quality
        else [],
    )


def _additions(use_case: UseCase, device: Device) -> Additions:
    names = ("factory_id", "stream_id", "workflow_id")
    return Additions(
        {name: value for name in names if (value := getattr(device, name))},
        {key: device.metadata[key] for key in use_case.enrichment.device_metadata if key in device.metadata},
    )
