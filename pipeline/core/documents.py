"""Use case and device documents: from YAML or JSON text to models, with errors that name file and field."""

from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipeline.core.explain import explain
from pipeline.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)


def parse_document(text: str, model: type[Model], origin: str) -> Model:
    """The model that a document describes. Raises ConfigurationError naming `origin`, the field and the fault."""
    try:
        content: Any = yaml.safe_load(text)  # JSON is YAML
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{origin}: neither YAML nor JSON: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{origin}: expected an object with fields, found {type(content).__name__}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fault = explain(error, content)
        raise ConfigurationError(f"{origin}: {_named_rule(fault.field, content)}{fault.message}") from None


def _named_rule(field: str, content: dict[str, Any]) -> str:
    """Where the fault is. An alert rule is called by its name: nobody counts the rules of a file."""
    top, _, rest = field.partition(".")
    position, _, inner = rest.partition(".")
    rules = content.get("alerts")
    if top == "alerts" and position.isdigit() and isinstance(rules, list):
        rule = rules[int(position)]
        name = rule.get("name") if isinstance(rule, dict) else None
        return f"rule {name or position!r}, field {inner}: " if inner else f"rule {name or position!r}: "
    return f"{field}: " if field else ""
