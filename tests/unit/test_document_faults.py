"""Faults of documents are told with the line that they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.document_faults import check_document
from schemas.use_case import UseCase

GOOD = "id: welds\nname: Welds\nmetadata:\n  fields:\n    line_id:\n      type: string\n"


def faults(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.field) for fault in check_document(text, UseCase, {"id": "welds"}).faults]


def test_a_sound_document_gives_its_model() -> None:
    model, found = check_document(GOOD, UseCase, {"id": "welds", "workspace_id": "plant-2"})
    assert found == []
    assert model is not None
    assert (model.workspace_id, list(model.metadata.fields)) == ("plant-2", ["line_id"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("type: string", "type: text"), [(6, "metadata.fields.line_id.type")]),
        (GOOD.replace("name: Welds\n", ""), [(1, "name")]),
        (GOOD + "alerts:\n- name: a\n- nme: b\n", [(9, "alerts.1.name"), (9, "alerts.1.nme")]),
        (GOOD.replace("id: welds", "id: other"), [(1, "id")]),
        (GOOD + "enrichment: {quality: {fail_when: []}}\n", [(7, "enrichment.quality.fail_when")]),
        ("id: [\n\nname: x", [(3, "")]),
        ("- a\n", [(1, "")]),
        ("", [(1, "")]),
        ("[" * 5000, [(1, "")]),
        ("id: welds\nname: 2026-13-45\n", [(1, "")]),
    ],
)
def test_faults_have_lines(text: str, expected: list[tuple[int, str]]) -> None:
    found = faults(text)
    assert [fault for fault in found if fault in expected] == expected


def test_what_rules_say_to_each_other_is_told_too() -> None:
    (fault,) = check_document(GOOD + "event_type: custom\nenrichment: {count: {item_type: nut}}\n", UseCase).faults
    assert (fault.line, fault.field) == (1, "")
    assert "inventory_count" in fault.message


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    model, found = check_document(text, UseCase)
    assert (model is None) == bool(found)
