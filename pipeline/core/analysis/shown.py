"""A statement as people can run it: with its values in place, quoted. The server itself never runs this text."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pipeline.core.query.statements import Statement

# A time, or any placeholder. One pass over the statement: a value that looks like a placeholder stays as it is.
_PLACEHOLDER: Final = re.compile(
    r"fromUnixTimestamp64Micro\(\{(?P<moment>\w+):Int64\}, 'UTC'\)|\{(?P<name>\w+):(?P<type>[A-Za-z0-9()]+)\}"
)
_ESCAPES: Final = {"\\": r"\\", "'": r"\'", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\0": r"\0"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def with_values(statement: Statement) -> str:
    """The SQL with every value written out. Raises KeyError for a placeholder without one."""
    return _PLACEHOLDER.sub(lambda found: _written(found, statement.parameters), statement.sql)


def _written(found: re.Match[str], values: Mapping[str, Any]) -> str:
    if moment := found["moment"]:
        at = _EPOCH + timedelta(microseconds=values[moment])
        return f"toDateTime64('{at:%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"
    return literal(values[found["name"]], found["type"])


def literal(value: Any, type_name: str) -> str:
    """A value as SQL: text with everything escaped that could end it, numbers with their type where it matters."""
    if isinstance(value, str):
        return "'" + "".join(_ESCAPES.get(character, character) for character in value) + "'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        inner = type_name.removeprefix("Array(").removesuffix(")")
        items = ", ".join(literal(item, inner) for item in value)
        return f"[{items}]" if items else f"CAST([], '{type_name}')"
    if type_name.startswith("Float"):
        return f"to{type_name}({value!r})"
    return repr(int(value))
