"""`python -m schemas.export` writes the models as JSON Schemas (draft 2020-12) into `schemas/json`.

They are for those who do not use the Python models: producers and consumers in other languages, editors of use case and
device files, and `asyncapi.yaml`. A test holds the files against the models.
"""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from schemas.alert import AlertEvent, Silence
from schemas.device import Device, DeviceFile, Factory
from schemas.raw_inference import RawInferenceResult
from schemas.reject import Reject
from schemas.use_case import UseCase
from schemas.vision_event import VisionEvent

FOLDER: Final = Path(__file__).parent / "json"

# Documents that others write are described as they are accepted, those that we write as they are written.
MODELS: Final[dict[str, tuple[type[BaseModel], JsonSchemaMode]]] = {
    "alert-event": (AlertEvent, "serialization"),
    "device": (Device, "validation"),
    "device-file": (DeviceFile, "validation"),
    "factory": (Factory, "validation"),
    "raw-inference-result": (RawInferenceResult, "validation"),
    "silence": (Silence, "validation"),
    "reject": (Reject, "serialization"),
    "use-case": (UseCase, "validation"),
    "vision-event": (VisionEvent, "serialization"),
}
"""The exported models by file name, without its ending."""


class _Generator(GenerateJsonSchema):
    """JSON Schema as pydantic makes it, where that says what the models accept."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Where numbers are taken as text, a number is valid."""
        text = super().str_schema(schema)
        if self.mode == "validation" and self._config.coerce_numbers_to_str:
            return {"anyOf": [text, {"type": "number"}]}
        return text

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        """A time of day without a zone; the format "time" of JSON Schema demands one."""
        return {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """A key that does not fit its pattern is an error, not a key of any value."""
        described = super().dict_schema(schema)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A title that repeats the field's name says nothing."""
        return False


def export() -> dict[str, str]:
    """The text of each file by its name."""
    return {f"{name}.json": _text(model, mode) for name, (model, mode) in MODELS.items()}


def _text(model: type[BaseModel], mode: JsonSchemaMode) -> str:
    schema = model.model_json_schema(by_alias=True, mode=mode, schema_generator=_Generator)
    dialect = {"$schema": GenerateJsonSchema.schema_dialect}
    return json.dumps(dialect | schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all files, and remove those of models that are gone."""
    FOLDER.mkdir(exist_ok=True)
    files = export()
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
