"""All that is wrong with a document, each beside the line of its text that it is about: for people who edit it."""

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class Fault(NamedTuple):
    """What is wrong; `line` begins at 1, `field` is the dotted path, empty for the document as a whole."""

    line: int
    field: str
    message: str


class Checked(NamedTuple, Generic[Model]):
    """The model of a document, or what is wrong with it."""

    model: Model | None
    faults: list[Fault]


def check_document(text: str, model: type[Model], fixed: dict[str, Any] | None = None) -> Checked[Model]:
    """Read a document. `fixed` fields must be as they are here where the document names them, and are taken."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return Checked(None, [_of_syntax(error)])
    except (RecursionError, ValueError) as error:  # nested too deep; a date that is none
        return Checked(None, [Fault(1, "", f"cannot be read: {type(error).__name__}")])
    if not isinstance(content, dict) or root is None:
        return Checked(None, [Fault(1, "", f"expected an object with fields, found {type(content).__name__}")])
    faults = [
        Fault(_line(root, (name,)), name, f"cannot be changed; it is {value!r}")
        for name, value in (fixed or {}).items()
        if content.get(name, value) != value
    ]
    try:
        found = model.model_validate(content | (fixed or {}))
    except ValidationError as error:
        return Checked(None, [*faults, *_of_model(error, root)])
    return Checked(None if faults else found, faults)


def _of_syntax(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or "neither YAML nor JSON"
    return Fault(mark.line + 1 if mark else 1, "", str(said))


def _of_model(error: ValidationError, root: yaml.Node) -> Iterator[Fault]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        path = detail["loc"]
        yield Fault(_line(root, path), ".".join(map(str, path)), detail["msg"].removeprefix("Value error, "))


def _line(root: yaml.Node, path: tuple[str | int, ...]) -> int:
    """The line of the deepest part of a path that the text has."""
    node, line = root, root.start_mark.line
    for part in path:
        if isinstance(node, yaml.MappingNode):
            # Names of union members stand in the path too: what the text does not have is passed over.
            for key, value in node.value:
                if key.value == str(part):
                    node, line = value, key.start_mark.line
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    return int(line) + 1
