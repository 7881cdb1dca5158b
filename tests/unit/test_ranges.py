"""Byte ranges against what Python's slices say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ranges import UnsatisfiableRangeError, byte_range

CONTENT = bytes(range(100))


@given(st.integers(0, 120), st.none() | st.integers(0, 120))
def test_from_to(first: int, last: int | None) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    if last is not None and last < first:
        assert byte_range(header, 100) is None
        return
    expected = CONTENT[first : 100 if last is None else last + 1]
    if not expected:
        with pytest.raises(UnsatisfiableRangeError):
            byte_range(header, 100)
        return
    start, end = byte_range(header, 100) or (0, 0)
    assert CONTENT[start : end + 1] == expected


@given(st.integers(1, 200))
def test_the_last_bytes(count: int) -> None:
    start, end = byte_range(f"bytes=-{count}", 100) or (0, 0)
    assert CONTENT[start : end + 1] == CONTENT[-count:]


@pytest.mark.parametrize("header", ["", "bytes=-", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=٣-٤"])
def test_what_is_no_single_range_gives_everything(header: str) -> None:
    assert byte_range(header, 100) is None


@given(st.text(max_size=30), st.integers(0, 10**6))
def test_any_header(header: str, size: int) -> None:
    try:
        found = byte_range("bytes=" + header, size)
    except UnsatisfiableRangeError:
        return
    assert found is None or 0 <= found[0] <= found[1] < size
