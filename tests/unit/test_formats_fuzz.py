"""Whatever a producer sends, an adapter gives a canonical form that JSON can hold, or a FormatError; never else."""

import copy
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.formats import FORMATS, FormatError, format_named, recognise, unwrap_cloudevent
from pipeline.core.formats.base import Format
from tests.unit.formats_support import context, examples

EXAMPLES = examples()


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


# Names that the adapters look for, so that arbitrary JSON gets past the first test of an adapter.
KEYS = sorted(set().union(*(_keys(golden["input"]) for _, _, golden in EXAMPLES)))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "4.0", "base64", "keypoints", "1|2|3|4|5|x|#|pose2D|a,1,2,3", "1|2|3|4|nan|x", "2026-01-01"])
    | st.text(st.characters(codec="utf-8"), max_size=20)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=6)
    ),
    max_leaves=30,
)
CONTEXTS = st.sampled_from([context(), context(640, 480), context(device_id="cam-7"), context(-1, True, "x")])


def _convert(each: Format, value: Any, known: Any) -> None:
    try:
        canonical = each.to_canonical(value, known)
    except FormatError:
        return
    assert isinstance(canonical, dict)
    orjson.dumps(canonical)


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
@settings(max_examples=150, deadline=None)
@given(value=JSON, known=CONTEXTS)
def test_arbitrary_json(each: Format, value: Any, known: Any) -> None:
    assert each.recognises(value) in (True, False)
    _convert(each, value, known)


@settings(max_examples=300, deadline=None)
@given(
    value=JSON, headers=st.dictionaries(st.sampled_from(["ce_specversion", "ce_id", "ce_time"]), st.binary(max_size=9))
)
def test_cloudevents_of_arbitrary_json(value: Any, headers: dict[str, bytes]) -> None:
    payload, fallbacks = unwrap_cloudevent(value, headers)
    orjson.dumps([payload, fallbacks])


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, child in children for place in _places(child, (*path, key))]


@settings(max_examples=1000, deadline=None)
@given(data=st.data())
def test_mutated_examples(data: st.DataObject) -> None:
    """A value of a golden example deleted or replaced, up to three times."""
    name, _, golden = data.draw(st.sampled_from(EXAMPLES))
    value = copy.deepcopy(golden["input"])
    for _ in range(data.draw(st.integers(1, 3))):
        places = _places(value)
        if not places:
            break
        *parents, key = data.draw(st.sampled_from(places))
        node = value
        for parent in parents:
            node = node[parent]
        if data.draw(st.booleans()):
            del node[key]
        else:
            node[key] = data.draw(JSON)
    recognise(value)
    found = format_named(name)
    assert found is not None
    _convert(found, value, data.draw(CONTEXTS))


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
@pytest.mark.parametrize("opening", ["[", '{"predictions":', '{"Frame":', '{"metadata":', '{"outputs":['])
def test_nesting_as_deep_as_the_decoder_allows(each: Format, opening: str) -> None:
    closing = {"[": "]", "{": "}"}
    text = opening * 300 + "1" + "".join(closing[c] for c in reversed(opening * 300) if c in closing)
    value = orjson.loads(text)
    each.recognises(value)
    with suppress(FormatError):
        each.to_canonical(value, context(640, 480))
