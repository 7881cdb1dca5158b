"""Constrained field types that several models share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MEBIBYTE = 1024 * 1024
"""Bytes."""

DEFAULT_WORKSPACE = "default"
"""The workspace of whoever has only one, and of those who run the system."""

MAX_ANNOTATIONS = 1000
"""Most entries of one annotation list of one image (HTTP contract)."""

MAX_IMAGES = 128
"""Most images of one record: a frame seen by several views stays far below it."""


class Document(BaseModel):
    """Base of all models: unknown fields are errors, so that a typing mistake is never dropped in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# Identifiers end up in URLs, log lines and Kafka headers, hence no control characters.
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
ClassName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ExternalId = Annotated[str, StringConstraints(max_length=1000)]

# Strict: a number written as text or as true/false is a producer's mistake worth hearing of.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e9, le=1e9)]
Length = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1e9)]
Confidence = Annotated[float, Field(strict=True, ge=0, le=1)]
Integer = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)]
Pixels = Annotated[int, Field(strict=True, ge=1, le=100_000)]

MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-zA-Z0-9_ -]+$", strict=True)]
MetadataValue = (
    Annotated[str, StringConstraints(max_length=1000, strict=True)]
    | Annotated[bool, Field(strict=True)]
    | Integer
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=100)]
"""A flat object of strings, numbers and booleans: custom metadata and image metadata."""
