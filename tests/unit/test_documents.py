"""Use case and device documents: what is accepted, and how faults are told."""

import pytest

from pipeline.cli.use_cases import shipped_use_cases
from pipeline.core.documents import parse_document
from pipeline.errors import ConfigurationError
from schemas.device import DeviceFile
from schemas.use_case import UseCase


def test_two_use_cases_ship() -> None:
    assert {"defect-detection", "ppe-compliance"} <= {case.id for case in shipped_use_cases()}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("id: [", "neither YAML nor JSON"),
        ("- a list", "expected an object"),
        ("name: x", "id: Field required"),
        ("{id: a, name: b, retention: 3}", "retention"),
        ("{id: a, name: b, retention_days: 0}", "retention_days"),
        ("{id: a, name: b, metadata: {fields: {x: {type: number, default: hello}}}}", "metadata.fields.x"),
        (
            "{id: a, name: b, event_type: custom, enrichment: {quality: {fail_when: [{class: x}]}}}",
            "enrichment.quality computes quality_check",
        ),
    ],
)
def test_a_faulty_use_case_names_file_and_field(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cases\.yaml") as caught:
        parse_document(text, UseCase, "cases.yaml")
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("factories: [{id: f, time_zone: Mars/Base}]", "time_zone"),
        ("devices: [{id: a}, {id: a}]", "listed twice"),
        ("factories: [{id: f, shifts: [{name: s, start: 25:00, end: 1:00}]}]", "shifts.0.start"),
    ],
)
def test_a_faulty_device_file_names_the_field(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_document(text, DeviceFile, "devices.yaml")
    assert named in str(caught.value)
