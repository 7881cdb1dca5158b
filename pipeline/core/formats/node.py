"""Typed access to decoded JSON: what is not there or not of the type raises a FormatError that names its place."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pipeline.core.formats.base import FormatError

LARGEST = 1e9
"""As in schemas.common.Number; here so that arithmetic on coordinates stays finite."""
_ROUNDING = 1e-3
"""By this much a confidence computed in single precision may exceed 1."""


class Node:
    """A JSON value and its place. Keys are names of an object's fields, or positions in a list."""

    __slots__ = ("get", "key", "parent", "value")

    def __init__(self, value: Any, key: str | int = "", parent: "Node | None" = None) -> None:
        self.value = value
        self.key = key
        self.parent = parent
        # The raw value of a field or item, None when absent. The dictionary's own method is the faster way by far.
        self.get: Callable[[Any], Any] = value.get if isinstance(value, dict) else partial(_item, value)

    @property
    def path(self) -> str:
        """Dotted path from the root, empty for the root."""
        keys = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            keys.append(str(node.key))
            node = node.parent
        return ".".join(reversed(keys))

    def error(self, message: str, key: str | int | None = None) -> FormatError:
        """An error at this node, or at its child `key`."""
        return FormatError(message, (self if key is None else Node(None, key, self)).path)

    def child(self, key: str | int) -> "Node":
        """The node of a field or item; its value is None when absent."""
        return Node(self.get(key), key, self)

    def as_object(self) -> "Node":
        """This node, which must be an object."""
        if not isinstance(self.value, dict):
            raise self.error(_expected("an object", self.value))
        return self

    def object(self, key: str | int) -> "Node":
        """A field that must be an object."""
        return self.child(key).as_object()

    def optional_object(self, key: str | int) -> "Node":
        """A field that is an object; absent or null counts as an empty one."""
        value = self.get(key)
        return Node({} if value is None else value, key, self).as_object()

    def items(self) -> "Iterator[Node]":
        """The items of this node, which must be a list."""
        if not isinstance(self.value, list):
            raise self.error(_expected("a list", self.value))
        for position, value in enumerate(self.value):
            yield Node(value, position, self)

    def objects(self, key: str) -> "Iterator[Node]":
        """The items of a field that is a list of objects; absent or null counts as empty."""
        if self.get(key) is not None:
            for item in self.child(key).items():
                yield item.as_object()

    def one_or_many(self, key: str) -> "Iterator[Node]":
        """Like `objects`, of a field that producers write as a bare object when there is one."""
        child = self.child(key)
        return iter((child,)) if isinstance(child.value, dict) else self.objects(key)

    def number(self, key: str | int) -> float:
        """A finite number within the bounds of coordinates."""
        return self._as_number(self.get(key), key)

    def optional_number(self, key: str | int) -> float | None:
        """Like `number`; None when absent or null."""
        value = self.get(key)
        return None if value is None else self._as_number(value, key)

    def _as_number(self, value: Any, key: str | int) -> float:
        if not isinstance(value, (float, int)) or isinstance(value, bool):
            raise self.error(_expected("a number", value), key)
        if not -LARGEST <= value <= LARGEST:  # NaN fails this too
            raise self.error("is out of range", key)
        return float(value)

    def numbers(self, key: str | int, count: int | None = None) -> list[float]:
        """A list of numbers, `count` of them where given; absent or null counts as empty when `count` is None."""
        if count is None and self.get(key) is None:
            return []
        child = self.child(key)
        numbers = [child._as_number(item.value, item.key) for item in child.items()]
        if count is not None and len(numbers) != count:
            raise child.error(f"has {len(numbers)} numbers; {count} are needed")
        return numbers

    def confidence(self, key: str | int) -> float | None:
        """A confidence, or None. Rounding errors just above 1 are taken off; bounds are the caller's affair."""
        value = self.optional_number(key)
        return 1.0 if value is not None and 1.0 < value < 1.0 + _ROUNDING else value

    def integer(self, key: str | int) -> int | None:
        """A 64-bit integer, also one written like 2.0; None when absent or null."""
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
            raise self.error(_expected("an integer", value), key)
        return value

    def text(self, key: str | int) -> str | None:
        """A string; None when absent, null or empty."""
        return self._as_text(self.get(key), key)

    def _as_text(self, value: Any, key: str | int) -> str | None:
        if value is None or isinstance(value, str):
            return value or None
        raise self.error(_expected("a string", value), key)

    def identifier(self, key: str | int) -> str | None:
        """A string, or an integer as text; None when absent, null or empty."""
        value = self.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self._as_text(value, key)

    def name(self, key: str | int) -> str:
        """Like `identifier`, of a field that must be there."""
        name = self.identifier(key)
        if name is None:
            raise self.error("is missing; a name is needed", key)
        return name

    def time(self, key: str | int) -> str | int | float | None:
        """A timestamp as it stands: ISO 8601 text or a number since the epoch; None when absent, null or empty."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.text(key)
        if not abs(value) < 2**63:  # NaN fails this too
            raise self.error("is out of range", key)
        return value

    def metadata(self, *excluded: str) -> dict[str, Any]:
        """This object's strings, numbers and booleans as metadata; other values have no place there."""
        metadata = {}
        for key, value in self.value.items():
            if key not in excluded and _is_metadata(value) and (name := _metadata_key(key)):
                metadata[name] = value
        return metadata


def _item(value: Any, key: str | int) -> Any:
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _expected(what: str, value: Any) -> str:
    return f"is missing; {what} is needed" if value is None else f"is {_type_name(value)}, not {what}"


def _type_name(value: Any) -> str:
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "an object", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _is_metadata(value: Any) -> bool:
    if isinstance(value, str):
        return value != ""
    return isinstance(value, int | float) and -(2**63) <= value < 2**63


def _metadata_key(key: str) -> str:
    """`key` with what metadata keys may not have replaced (schemas.common.MetadataKey)."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_ -") else "_" for c in key)[:100]
