"""The Range header of HTTP (RFC 9110, section 14): one range of bytes."""

import re
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class UnsatisfiableRangeError(ValueError):
    """The range begins beyond the end."""


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of what is asked for; None for all of it (no range, several, or another unit).

    Raises UnsatisfiableRangeError. A server may ignore what it does not serve, so several ranges give everything.
    """
    matched = _ONE_RANGE.fullmatch(header.replace(" ", ""))
    if matched is None or matched.groups() == ("", ""):
        return None
    first, last = matched.groups()
    if not first:
        if int(last) == 0 or size == 0:
            raise UnsatisfiableRangeError
        return max(0, size - int(last)), size - 1
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None  # not a valid range at all
    if start >= size:
        raise UnsatisfiableRangeError
    return start, end
